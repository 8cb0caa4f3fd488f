"""The two procedures on the same samples of a layer: what each keeps, and where they differ."""

from dataclasses import dataclass

import polars as pl

from analysis.layer_graph import LayerGraph
from ingest.demo.explanation import Explained, explained
from ingest.demo.fresh import false_share, partial_correlations, sums_of
from ingest.demo.reading import by_chance, feature_classes, same_class
from ingest.samples_directory import SamplesDirectory

_ENDS = ["source", "target"]


@dataclass(frozen=True)
class Kept:
    """Some kept edges, judged.

    Parameters
    ----------
    edges
        How many.
    false_firing, false_activation
        Share that is false by the fresh tokens, of whether and of how strongly features fire; nan without
        edges.
    same_class
        Share that joins two features of one planted class; nan without edges.
    """

    edges: int
    false_firing: float
    false_activation: float
    same_class: float


@dataclass(frozen=True)
class Comparison:
    """What both procedures keep of one layer.

    Parameters
    ----------
    published, calibrated
        All that each keeps.
    stated
        The FDR that each states for it, published first; None where nothing is kept.
    both, published_only, calibrated_only
        What both keep, with the calibrated signs, and what one of them does.
    chance
        Share of pairs of one class among all pairs of connected features.
    busy
        Features that follow how busy the token is, as the calibrated procedure finds it.
    explained
        Edges that published keeps and calibrated does not, which one third feature accounts for.
    """

    published: Kept
    calibrated: Kept
    stated: tuple[float | None, float | None]
    both: Kept
    published_only: Kept
    calibrated_only: Kept
    chance: float
    busy: int
    explained: list[Explained]


def compare(
    published: LayerGraph, calibrated: LayerGraph, samples: SamplesDirectory, seed: int
) -> Comparison:
    """Compare the graphs of one layer; the replicates that neither used are the fresh tokens."""
    used = published.n_replicates
    fresh = range(used, len(samples.replicates))
    firing, activation = (partial_correlations(sums_of(samples, fresh, states)) for states in (True, False))
    classes, _ = feature_classes(samples, published.n_features, seed)

    def judged(edges: pl.DataFrame) -> Kept:
        false = false_share(edges, firing), false_share(edges, activation)
        return Kept(edges.height, *false, same_class(edges, classes))

    one, other = published.edges.filter("kept"), calibrated.edges.filter("kept")
    rejected = one.join(other, on=_ENDS, how="anti", maintain_order="left")
    sums = sums_of(samples, range(used), states=True)
    return Comparison(
        published=judged(one),
        calibrated=judged(other),
        stated=(_stated_by_count(published), _stated_by_test(other)),
        both=judged(other.join(one, on=_ENDS, how="semi")),
        published_only=judged(rejected),
        calibrated_only=judged(other.join(one, on=_ENDS, how="anti")),
        chance=by_chance(pl.concat([one, other]), classes),
        busy=calibrated.left_out["all_replicates"]["features_following_activity"],
        explained=explained(rejected, other, sums.products, sums.tokens),
    )


def _stated_by_count(graph: LayerGraph) -> float | None:
    """FDR against shuffles at r*."""
    if graph.r_star is None or not graph.kept:
        return None
    table = graph.replicate_table
    return float(table.filter(pl.col("replicates") == graph.r_star)["fdr"].item())


def _stated_by_test(kept: pl.DataFrame) -> float | None:
    """Largest q of what is kept."""
    return float(kept.select(pl.col("q_value").max()).item()) if kept.height else None
