"""The small model's communities against its planted classes, beside groupings that know no conditional graph.

Each feature has the planted class that it coincides with best (`ingest.demo.reading`), so features of one
class fire together: plain correlation is near to what defines the classes. All groupings are of the same
features, those with a kept edge. k-means and spectral clustering are given as many groups as Leiden finds.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from scipy.sparse import csr_array, vstack
from sklearn.cluster import KMeans, SpectralClustering

from analysis.activations import Float64, Int64
from analysis.communities import Communities, Dials, find_communities
from analysis.layer_graph import LayerGraph
from analysis.mutual_information import adjusted_mutual_information
from analysis.profile import labels_of
from analysis.stack import Stack
from graphdb.graph_directory import read_graph
from ingest.demo.reading import feature_classes
from ingest.samples_directory import SamplesDirectory, open_samples

_READ = 3
"""Replicates of which plain correlations are taken, those that the classes are read from."""


@dataclass(frozen=True)
class Site:
    """One layer of the small model.

    Parameters
    ----------
    graph, samples
        What was inferred, and from what.
    features : shape (n,)
        Those with a kept edge.
    names
        The planted class of each.
    planted : shape (n,)
        The same as a number.
    score : shape (n,)
        How well each coincides with its class, phi.
    """

    graph: LayerGraph
    samples: SamplesDirectory
    features: Int64
    names: list[str]
    planted: Int64
    score: Float64

    def stack(self, edges: pl.DataFrame) -> Stack:
        """Return edges between the features as a stack of one layer."""
        place = np.full(self.graph.n_features, -1, np.int32)
        place[self.features] = np.arange(len(self.features), dtype=np.int32)
        none = np.empty(0, np.int32)
        return Stack(
            np.zeros(len(self.features), np.int32),
            place[edges["source"].to_numpy()],
            place[edges["target"].to_numpy()],
            edges["weight"].to_numpy(),
            none,
            none,
            np.empty(0),
        )


def sites(work: Path, seed: int = 0) -> list[Site]:
    """Read the calibrated graphs of a demo, lowest layer first."""
    found = []
    for path in sorted((work / "samples").iterdir()):
        samples = open_samples(path)
        graph = read_graph(work / "graphs" / "calibrated" / path.name)
        classes, score = feature_classes(samples, graph.n_features, seed)
        kept = graph.edges.filter("kept")
        features = np.unique(np.concatenate([kept["source"].to_numpy(), kept["target"].to_numpy()])).astype(
            np.int64
        )
        planted = np.unique(classes[features], return_inverse=True)[1]
        found.append(Site(graph, samples, features, classes[features].tolist(), planted, score[features]))
    return sorted(found, key=lambda site: site.samples.site.layer)


def divided(site: Site, dials: Dials, *, exclusions: bool = False, core: bool = False) -> Communities:
    """Divide a layer as `stratigraph cluster` does; its exclusions counted too, or only its stable core."""
    edges = site.graph.edges.filter("kept")
    if core:
        edges = edges.filter(pl.col("replicates") == site.graph.n_replicates)
    if not exclusions:
        edges = edges.filter(pl.col("weight") > 0)
    return find_communities(site.stack(edges), dials)


def groupings(site: Site, dials: Dials) -> dict[str, Int64]:
    """Return a label for each feature by each way of grouping."""
    ours = divided(site, dials)
    count, seed = len(ours.size), dials.seed
    directions = _unit(site)
    cosine = directions @ directions.T
    spectral = SpectralClustering(count, affinity="precomputed", random_state=seed, assign_labels="kmeans")
    marginal = _correlations(site)
    return {
        "Leiden on positive kept edges": labels_of(ours),
        "Leiden, exclusions counted": labels_of(divided(site, dials, exclusions=True)),
        "Leiden on the positive stable core": labels_of(divided(site, dials, core=True)),
        "k-means on decoders": KMeans(count, n_init=5, random_state=seed)
        .fit_predict(directions)
        .astype(np.int64),
        "spectral on cosines": spectral.fit_predict(np.clip(cosine, 0, None)).astype(np.int64),
        "Leiden on correlations, as many edges": labels_of(
            find_communities(_strongest(marginal, site.graph.kept), dials)
        ),
        "Leiden on all correlations": labels_of(find_communities(_strongest(marginal, marginal.size), dials)),
    }


def agreement(site: Site, label: Int64) -> float:
    """Return the adjusted mutual information of a grouping with the planted classes."""
    return adjusted_mutual_information(label, site.planted)


def _unit(site: Site) -> Float64:
    """Return the decoder directions of the features, of length 1."""
    assert site.samples.dictionary is not None
    decoder = site.samples.dictionary.decoder[site.features].astype(np.float64)
    return np.asarray(decoder / np.linalg.norm(decoder, axis=1, keepdims=True), np.float64)


def stand_in(found: Sequence[Site]) -> tuple[Stack, Int64]:
    """Return the layers as one stack, and the class of each feature; links stand in for those of `link`.

    Between two layers they are the pairs of largest correlation, as many as the later one has features.
    """
    offset = np.concatenate([[0], np.cumsum([len(site.features) for site in found])]).astype(np.int32)
    parts = [site.stack(positive(site)) for site in found]
    low, high, weight = [], [], []
    for at, (lower, upper) in enumerate(itertools.pairwise(found)):
        correlation = _between(_activations(lower), _activations(upper))
        best = np.sort(np.argsort(-correlation, axis=None, kind="stable")[: len(upper.features)])
        low.append(best // correlation.shape[1] + offset[at])
        high.append(best % correlation.shape[1] + offset[at + 1])
        weight.append(correlation.ravel()[best])
    stack = Stack(
        np.repeat(np.arange(len(found), dtype=np.int32), np.diff(offset)),
        np.concatenate([part.source + first for part, first in zip(parts, offset, strict=False)]),
        np.concatenate([part.target + first for part, first in zip(parts, offset, strict=False)]),
        np.concatenate([part.weight for part in parts]),
        np.concatenate(low).astype(np.int32),
        np.concatenate(high).astype(np.int32),
        np.concatenate(weight),
    )
    names = np.concatenate([np.array(site.names) for site in found])
    return stack, np.unique(names, return_inverse=True)[1].astype(np.int64)


def positive(site: Site) -> pl.DataFrame:
    """Return the positive kept edges of a layer."""
    return site.graph.edges.filter(pl.col("kept") & (pl.col("weight") > 0))


def _activations(site: Site) -> csr_array:
    """Return the activations of the features, tokens x features."""
    parts = []
    for number in range(min(_READ, len(site.samples.replicates))):
        activations = site.samples.read(number).activations
        parts.append(
            csr_array(
                (activations.value.astype(np.float64), activations.feature, activations.start),
                shape=(activations.n_tokens, activations.n_features),
            )
        )
    return csr_array(csr_array(vstack(parts)).tocsc()[:, site.features])


def _correlations(site: Site) -> Float64:
    """Return Pearson correlations of the features over all tokens, 0 on the diagonal."""
    x = _activations(site)
    found = _between(x, x)
    np.fill_diagonal(found, 0)
    return found


def _between(x: csr_array, y: csr_array) -> Float64:
    """Return Pearson correlations between the columns of two tables of the same tokens."""
    n = x.shape[0]
    means = [np.asarray(table.mean(axis=0)) for table in (x, y)]
    spreads = [
        np.sqrt(np.asarray(table.multiply(table).mean(axis=0)) - mean**2)
        for table, mean in zip((x, y), means, strict=True)
    ]
    covariance = (x.T @ y).toarray() / n - np.outer(*means)
    return np.asarray(covariance / np.outer(*spreads), np.float64)


def _strongest(correlation: Float64, count: int) -> Stack:
    """Return the pairs of largest correlations, by size, as a stack of one layer."""
    source, target = np.triu_indices(len(correlation), 1)
    weight = correlation[source, target]
    chosen = np.sort(np.argsort(-np.abs(weight), kind="stable")[:count])
    none = np.empty(0, np.int32)
    return Stack(
        np.zeros(len(correlation), np.int32),
        source[chosen].astype(np.int32),
        target[chosen].astype(np.int32),
        weight[chosen],
        none,
        none,
        np.empty(0),
    )
