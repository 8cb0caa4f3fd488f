"""A stack of layer graphs and the links between them, with hubs, of any size."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from analysis.layer_graph import CONTEXT_COLUMNS, EDGE_COLUMNS, FEATURE_COLUMNS, REPLICATE_COLUMNS, LayerGraph
from analysis.run import Run
from analysis.site import Site

_CREATED = "2026-01-01T00:00:00Z"
_HUBS = 0.7
"""A feature is an end with a chance of its rank to the power of minus this: of 131,072 features and 250,000
edges the largest hub has some 4,000."""


@dataclass(frozen=True)
class World:
    """What is loaded and asked.

    Parameters
    ----------
    graphs
        One a layer.
    links
        Frames, one for each pair of layers: ``source``, ``target`` (ids), ``kind``, ``run`` and properties.
    """

    graphs: list[LayerGraph]
    links: list[pl.DataFrame]


def world(layers: int, n_features: int, edges: int, links: int) -> World:
    """Make a stack with about so many edges in all, and so many links in all."""
    rng = np.random.default_rng(0)
    graphs = [_graph(layer, n_features, edges // layers, rng) for layer in range(layers)]
    pairs = max(1, layers - 1)
    return World(graphs, [_links(layer, n_features, links // pairs, rng) for layer in range(layers - 1)])


def _graph(layer: int, n: int, edges: int, rng: np.random.Generator) -> LayerGraph:
    source, target = _pairs(n, edges, rng, ordered=True)
    degree = np.bincount(np.concatenate([source, target]), minlength=n)
    site = Site("bench", f"{layer}-sae", layer, f"blocks.{layer}.hook_resid_pre")
    table = pl.DataFrame([(1, len(source), 0.0, 0.0)], schema=dict(REPLICATE_COLUMNS), orient="row")
    return LayerGraph(
        site=site,
        run=Run(f"{layer:012x}", "layer", "calibrated", 0.1, 0, {}, "none", {}, _CREATED),
        n_features=n,
        n_tokens=1_000_000,
        n_replicates=30,
        features=_features(n, degree, rng),
        edges=_edges(source, target, rng),
        replicate_table=table,
        contexts=_contexts(n, rng),
        r_star=1,
        certificate={},
        left_out={},
    )


def _pairs(n: int, count: int, rng: np.random.Generator, *, ordered: bool) -> tuple[np.ndarray, np.ndarray]:
    """Draw distinct pairs of features; of `ordered` ones the first is the lower."""
    chance = (1.0 + rng.permutation(n)) ** -_HUBS
    chance /= chance.sum()
    one, other = rng.choice(n, (2, 2 * count), p=chance)
    if ordered:
        apart = one != other
        one, other = np.minimum(one, other)[apart], np.maximum(one, other)[apart]
    key = np.unique(one.astype(np.int64) * n + other)
    key = np.sort(rng.choice(key, min(count, len(key)), replace=False))
    return (key // n).astype(np.int32), (key % n).astype(np.int32)


def _features(n: int, degree: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
    words = [[{"token": f" w{i + k}", "share": 0.5 / (k + 1)} for k in range(5)] for i in range(n)]
    return pl.DataFrame(
        {
            "index": np.arange(n),
            "frequency": rng.uniform(0, 0.01, n),
            "mean_activation": rng.uniform(0.1, 4, n),
            "max_activation": rng.uniform(4, 9, n),
            "activations": rng.integers(1, 5000, n),
            "degree": degree,
            "replicates": np.full(n, 30),
            "label": [f"w{i} · w{i + 1} · w{i + 2}" for i in range(n)],
            "top_tokens": words,
        },
        schema=dict(FEATURE_COLUMNS),
    )


def _edges(source: np.ndarray, target: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
    m = len(source)
    partial = rng.normal(0, 0.3, m).clip(-1, 1)
    return pl.DataFrame(
        {
            "source": source,
            "target": target,
            "weight": partial,
            "replicates": rng.integers(2, 31, m),
            "null_replicates": rng.integers(0, 2, m),
            "q_shuffle": rng.uniform(0, 0.2, m),
            "partial_correlation": partial,
            "standard_error": rng.uniform(0, 0.1, m),
            "q_value": rng.uniform(0, 0.1, m),
            "correlation": rng.uniform(-1, 1, m),
            "decoder_cosine": rng.uniform(-1, 1, m),
            "coactivation": rng.integers(1, 900, m),
            "kept": np.ones(m, bool),
        },
        schema=dict(EDGE_COLUMNS),
    )


def _contexts(n: int, rng: np.random.Generator) -> pl.DataFrame:
    feature = np.repeat(np.arange(n), 3)
    return pl.DataFrame(
        {
            "feature": feature,
            "rank": np.tile(np.arange(3), n),
            "value": rng.uniform(1, 9, 3 * n),
            "left": ["and so the three of them went down to the"] * (3 * n),
            "token": [f" w{i}" for i in feature],
            "right": [" where nobody had been for years"] * (3 * n),
        },
        schema=dict(CONTEXT_COLUMNS),
    )


def _links(layer: int, n: int, count: int, rng: np.random.Generator) -> pl.DataFrame:
    source, target = _pairs(n, count, rng, ordered=False)
    m = len(source)
    return pl.DataFrame(
        {
            "source": [f"bench/{layer}-sae/{i}" for i in source],
            "target": [f"bench/{layer + 1}-sae/{i}" for i in target],
            "kind": rng.choice(["CARRIES", "DRIVES"], m),
            "run": [f"links-{layer}"] * m,
            "weight": rng.uniform(0, 1, m),
            "partial_correlation": rng.uniform(0, 1, m),
            "q_value": rng.uniform(0, 0.1, m),
            "decoder_cosine": rng.uniform(-1, 1, m),
            "virtual_weight": rng.normal(0, 1, m),
            "carried_share": rng.uniform(0, 1, m),
        }
    )
