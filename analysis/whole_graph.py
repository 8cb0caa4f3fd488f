"""Numbers of a whole graph: how degrees and replicates are distributed, and what hangs together.

The graph is the kept edges over all ``F`` features; a feature without a kept edge has degree 0 and is in no
component. Lists that stand together belong together, entry by entry.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from analysis.components import components_of


@dataclass(frozen=True)
class WholeGraph:
    """What is known of a graph as a whole.

    Parameters
    ----------
    largest_weight
        Size of the largest weight of the kept edges, 0 without any.
    degrees, degree_features
        Degrees that occur, ascending; features of each.
    replicate_counts, replicate_edges, replicate_kept
        Numbers of replicates that occur, ascending; edges seen in exactly so many; how many of those are
        kept.
    components, component_sizes, component_edges
        Components of two features or more, largest first, then by edges, then by lowest feature: the lowest
        feature of each, its features, its kept edges.
    """

    largest_weight: float
    degrees: list[int]
    degree_features: list[int]
    replicate_counts: list[int]
    replicate_edges: list[int]
    replicate_kept: list[int]
    components: list[int]
    component_sizes: list[int]
    component_edges: list[int]


def whole_graph(edges: pl.DataFrame, n_features: int) -> WholeGraph:
    """Measure a graph.

    Parameters
    ----------
    edges
        Frame with ``source``, ``target``, ``weight``, ``replicates`` and ``kept`` of `EDGE_COLUMNS`. An edge
        whose number of replicates is null is in no count of replicates.
    n_features
        ``F``; the ends of edges are in 0..F-1.
    """
    kept = edges.filter("kept")
    source, target = kept["source"].to_numpy(), kept["target"].to_numpy()
    weight = kept["weight"].to_numpy()

    degree = np.bincount(np.concatenate([source, target]), minlength=n_features)
    degrees, degree_features = np.unique(degree, return_counts=True)

    seen = (
        edges.drop_nulls("replicates")
        .group_by("replicates")
        .agg(edges=pl.len(), kept=pl.col("kept").sum())
        .sort("replicates")
    )

    found = components_of(source, target, n_features)
    inside = np.bincount(found.member[source], minlength=len(found.size))
    features = np.flatnonzero(found.member >= 0)
    # the first place of each component among the ascending features is its lowest one
    _, first = np.unique(found.member[features], return_index=True)
    lowest = features[first]
    order = np.lexsort((lowest, -inside, -found.size))

    return WholeGraph(
        largest_weight=float(np.abs(weight).max(initial=0.0)),
        degrees=degrees.tolist(),
        degree_features=degree_features.tolist(),
        replicate_counts=seen["replicates"].to_list(),
        replicate_edges=seen["edges"].to_list(),
        replicate_kept=seen["kept"].to_list(),
        components=lowest[order].tolist(),
        component_sizes=found.size[order].tolist(),
        component_edges=inside[order].tolist(),
    )
