"""Reading a graph against the classes that the generator planted.

The post reads its components by eye. Here the answer is known: every token carries its planted classes, so a
component can be asked which class it coincides with, by the phi coefficient between "any of its features
fires" and "the token is of this class".
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.sparse import csr_array, vstack

from analysis.activations import Float64, Int32
from analysis.agreement import fires_any, phi
from analysis.components import TINY, Components, components_of
from analysis.layer_graph import LayerGraph
from ingest.organism.labels import planted_classes
from ingest.samples_directory import SamplesDirectory

_REPLICATES_READ = 3


@dataclass(frozen=True)
class Module:
    """A component and the planted class it coincides with best.

    Parameters
    ----------
    features
        Its features, ascending.
    planted
        Name of the class.
    phi
        How well they coincide, in [-1, 1].
    words
        First labels of its features of highest degree.
    """

    features: tuple[int, ...]
    planted: str
    phi: float
    words: tuple[str, ...]


@dataclass(frozen=True)
class Reading:
    """Components of the kept graph of one layer, read against the planted classes.

    Parameters
    ----------
    components
        The components.
    modules
        All but the largest component, largest first.
    chance
        Mean best phi of sets of random firing features of the same sizes.
    cosine, cosine_rank
        Pearson and Spearman correlation between decoder cosine and weight over the kept edges; NaN for fewer
        than 3.
    tiny_cosine
        Mean decoder cosine within components of up to three features; NaN for none.
    """

    components: Components
    modules: tuple[Module, ...]
    chance: float
    cosine: float
    cosine_rank: float
    tiny_cosine: float


def read_components(graph: LayerGraph, samples: SamplesDirectory, seed: int) -> Reading:
    """Read the kept graph of one layer; `seed` is that of the corpus and of the random sets."""
    kept = graph.edges.filter("kept")
    source, target = kept["source"].to_numpy(), kept["target"].to_numpy()
    found = components_of(source, target, graph.n_features)
    labels, names = _labels(samples, seed)
    standing = np.where(found.member > 0, found.member - 1, -1).astype(np.int32)
    groups = max(0, len(found.size) - 1)
    best, score = _best_class(samples, standing, groups, labels)
    modules = tuple(
        Module(
            tuple(found.features(k + 1).tolist()),
            names[best[k]],
            float(score[k]),
            _words(graph, found, k + 1),
        )
        for k in range(groups)
    )
    _, chance = _best_class(samples, _shuffled(standing, graph, seed), groups, labels)
    tiny = kept.filter(pl.Series(found.size[found.member[source]] <= TINY, dtype=pl.Boolean))
    return Reading(
        found,
        modules,
        float(chance.mean()) if groups else np.nan,
        _correlation(kept, "pearson"),
        _correlation(kept, "spearman"),
        float(tiny["decoder_cosine"].mean() or np.nan) if tiny.height else np.nan,  # type: ignore[arg-type]
    )


def feature_classes(samples: SamplesDirectory, n_features: int, seed: int) -> tuple[list[str], Float64]:
    """For each feature, the planted class it coincides with best, and its phi."""
    labels, names = _labels(samples, seed)
    best, score = _best_class(samples, np.arange(n_features, dtype=np.int32), n_features, labels)
    return [names[b] for b in best], score


def _labels(samples: SamplesDirectory, seed: int) -> tuple[csr_array, list[str]]:
    """Indicate, tokens x classes, the class of each token of the replicates that are read."""
    parts = []
    names: list[str] = []
    for k in range(min(_REPLICATES_READ, len(samples.replicates))):
        replicate = samples.read(k)
        assert replicate.document is not None
        assert replicate.offset is not None
        token, kind, found = planted_classes(seed, replicate.document, replicate.offset)
        names = list(found)
        shape = (replicate.activations.n_tokens, len(names))
        parts.append(csr_array((np.ones(len(token), np.int32), (token, kind)), shape=shape))
    return csr_array(vstack(parts)), names


def _best_class(
    samples: SamplesDirectory, group: Int32, groups: int, labels: csr_array
) -> tuple["np.ndarray[tuple[int], np.dtype[np.intp]]", Float64]:
    """Best class of each group of features, and its phi."""
    if not groups:
        return np.empty(0, np.intp), np.empty(0)
    count = min(_REPLICATES_READ, len(samples.replicates))
    fires = vstack([fires_any(samples.read(k).activations, group, groups) for k in range(count)])
    table = phi(csr_array(fires), labels)
    return table.argmax(axis=1), table.max(axis=1)


def _shuffled(group: Int32, graph: LayerGraph, seed: int) -> Int32:
    """Hand the groups to other features that fire, sizes kept."""
    live = np.flatnonzero(graph.features["activations"].to_numpy() > 0)
    dealt = np.full(len(group), -1, np.int32)
    numbers = group[group >= 0]
    dealt[np.random.default_rng(seed).permutation(live)[: len(numbers)]] = numbers
    return dealt


def _words(graph: LayerGraph, components: Components, component: int) -> tuple[str, ...]:
    """First labels of the features of highest degree in a component, without repeats."""
    members = graph.features.filter(pl.col("index").is_in(components.features(component).tolist()))
    labels = members.sort(["degree", "index"], descending=[True, False])["label"].drop_nulls()
    return tuple(labels.unique(maintain_order=True).head(4).to_list())


def _correlation(edges: pl.DataFrame, method: "pl._typing.CorrelationMethod") -> float:
    whole = edges.drop_nulls(["decoder_cosine", "weight"])
    if whole.height < 3:
        return float("nan")
    return float(whole.select(pl.corr("decoder_cosine", "weight", method=method)).item())
