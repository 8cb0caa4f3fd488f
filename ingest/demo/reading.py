"""Reading a graph against the classes that the generator planted.

The post reads its components by eye. Here the answer is known: every token carries its planted classes, so a
component can be asked which class it coincides with, by the phi coefficient between "any of its features
fires" and "the token is of this class".
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.sparse import csr_array, vstack
from sklearn.metrics import adjusted_mutual_info_score

from analysis.activations import Float64, Int32
from analysis.agreement import fires_any, phi
from analysis.components import TINY, Components, components_of
from analysis.layer_graph import LayerGraph
from ingest.organism.labels import planted_classes
from ingest.samples_directory import SamplesDirectory

_REPLICATES_READ = 3

STRONG = {"published": 0.2, "calibrated": 0.15}
"""Weight from which an edge of the core holds a module together: a coefficient of a regression on the one
hand, a partial correlation, which is smaller, on the other."""

Classes = np.ndarray[tuple[int], np.dtype[np.str_]]
"""The planted class of each feature, shape (F,)."""


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
    """The graph of one layer, read against the planted classes.

    The kept graph and its core of a small, dense model hang together in few components, so modules are the
    components of what is left of the core at the procedure's `STRONG` or more.

    Parameters
    ----------
    strong_weight
        `STRONG` of the procedure.
    kept, core, strong
        Components of the kept graph, of its edges seen in all replicates, and of those of weight
        `strong_weight` or more.
    modules
        The components of `strong`, largest first.
    ami
        Adjusted mutual information between module and planted class over the features in modules: 0 by
        chance, 1 at best; NaN without modules.
    same_class
        Share of edges that join two features of one planted class: of the strong edges, of the kept ones, and
        of random pairs of connected features.
    cosine, cosine_rank
        Pearson and Spearman correlation between decoder cosine and weight over the kept edges; NaN for fewer
        than 3.
    cosine_inside, cosine_tiny
        Mean decoder cosine of the edges inside modules, and inside those of up to three features.
    """

    strong_weight: float
    kept: Components
    core: Components
    strong: Components
    modules: tuple[Module, ...]
    ami: float
    same_class: tuple[float, float, float]
    cosine: float
    cosine_rank: float
    cosine_inside: float
    cosine_tiny: float


def read_components(graph: LayerGraph, samples: SamplesDirectory, seed: int) -> Reading:
    """Read the kept graph of one layer; `seed` is that of the corpus."""
    kept = graph.edges.filter("kept")
    core = kept.filter(pl.col("replicates") == graph.n_replicates)
    least = STRONG[graph.run.procedure]
    strong = core.filter(pl.col("weight") >= least)
    found = _components(strong, graph)
    labels, names = _labels(samples, seed)
    groups = len(found.size)
    best, score = _best_class(samples, found.member, groups, labels)
    modules = tuple(
        Module(tuple(found.features(k).tolist()), names[best[k]], float(score[k]), _words(graph, found, k))
        for k in range(groups)
    )
    classes, _ = feature_classes(samples, graph.n_features, seed)
    inside = np.flatnonzero(found.member >= 0)
    tiny = found.size[found.member[strong["source"].to_numpy()]] <= TINY
    return Reading(
        least,
        _components(kept, graph),
        _components(core, graph),
        found,
        modules,
        float(adjusted_mutual_info_score(found.member[inside], classes[inside])) if groups else np.nan,
        (same_class(strong, classes), same_class(kept, classes), by_chance(kept, classes)),
        _correlation(kept, "pearson"),
        _correlation(kept, "spearman"),
        _mean_cosine(strong),
        _mean_cosine(strong.filter(pl.Series(tiny, dtype=pl.Boolean))),
    )


def _components(edges: pl.DataFrame, graph: LayerGraph) -> Components:
    return components_of(edges["source"].to_numpy(), edges["target"].to_numpy(), graph.n_features)


def _mean_cosine(edges: pl.DataFrame) -> float:
    cosine = edges["decoder_cosine"].drop_nulls().to_numpy()
    return float(cosine.mean()) if len(cosine) else np.nan


def feature_classes(samples: SamplesDirectory, n_features: int, seed: int) -> tuple[Classes, Float64]:
    """For each feature, the planted class it coincides with best, and its phi."""
    labels, names = _labels(samples, seed)
    best, score = _best_class(samples, np.arange(n_features, dtype=np.int32), n_features, labels)
    return np.array(names)[best], score


def same_class(edges: pl.DataFrame, classes: Classes) -> float:
    """Share of edges whose ends have one class."""
    same = classes[edges["source"].to_numpy()] == classes[edges["target"].to_numpy()]
    return float(same.mean()) if len(same) else np.nan


def by_chance(edges: pl.DataFrame, classes: Classes) -> float:
    """Share of pairs of one class among all pairs of the features that `edges` connect."""
    connected = np.unique(np.concatenate([edges["source"].to_numpy(), edges["target"].to_numpy()]))
    _, count = np.unique(classes[connected], return_counts=True)
    pairs = len(connected) * (len(connected) - 1)
    return float((count * (count - 1)).sum() / pairs) if pairs else np.nan


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
