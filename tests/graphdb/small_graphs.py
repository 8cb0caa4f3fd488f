"""Small layer graphs made by hand."""

import numpy as np
import polars as pl

from analysis.layer_graph import CONTEXT_COLUMNS, EDGE_COLUMNS, FEATURE_COLUMNS, REPLICATE_COLUMNS, LayerGraph
from analysis.run import Run
from analysis.site import Site


def planted(
    n_features: int = 12,
    edges: list[tuple[int, int, float]] | None = None,
    *,
    layer: int = 0,
    run: str = "aaaa00000001",
    created: str = "2026-01-01T00:00:00Z",
    model: str = "tiny",
    procedure: str = "published",
    seed: int = 0,
    words: bool = True,
    tokens: int = 1000,
    word: str = "w",
) -> LayerGraph:
    """Return a graph with the given (source, target, weight) edges, or a ring of them."""
    draw = np.random.default_rng(seed)
    if edges is None:
        edges = [(i, (i + 1), 0.1 * (i + 1)) for i in range(n_features - 1)]
    site = Site(
        model, f"{layer}-sae", layer, f"blocks.{layer}.hook_resid_pre", neuronpedia=f"{model}/{layer}-sae"
    )
    degree = np.bincount([i for s, t, _ in edges for i in (s, t)], minlength=n_features)
    return LayerGraph(
        site=site,
        run=Run(run, "layer", procedure, 0.1, 0, {"replicates": 4}, "in", {"python": "3"}, created),
        n_features=n_features,
        n_tokens=tokens,
        n_replicates=4,
        features=_features(n_features, degree, word if words else None, draw),
        edges=_edges(edges, draw),
        replicate_table=pl.DataFrame(
            {
                "replicates": [1, 2, 3],
                "observed": [40, 20, 8],
                "null": [30.0, 2.0, 0.0],
                "fdr": [0.75, 0.1, 0.0],
            },
            schema=dict(REPLICATE_COLUMNS),
        ),
        contexts=_contexts(n_features) if words else None,
        r_star=2,
        certificate={"kkt": 1e-9},
        left_out={"dead": 1},
    )


def _features(n: int, degree: np.ndarray, word: str | None, draw: np.random.Generator) -> pl.DataFrame:
    tokens = [
        [{"token": f" {word}{i}", "share": 0.75}, {"token": " x", "share": 0.25}] if word else None
        for i in range(n)
    ]
    mean = draw.uniform(0.1, 4, n)
    mean[-1] = np.nan
    return pl.DataFrame(
        {
            "index": range(n),
            "frequency": draw.uniform(0, 0.1, n),
            "mean_activation": mean,
            "max_activation": draw.uniform(4, 9, n),
            "activations": draw.integers(0, 500, n),
            "degree": degree,
            "replicates": [4] * n,
            "label": [f"{word}{i} · x" if word else None for i in range(n)],
            "top_tokens": tokens,
        },
        schema=dict(FEATURE_COLUMNS),
    )


def _edges(edges: list[tuple[int, int, float]], draw: np.random.Generator) -> pl.DataFrame:
    m = len(edges)
    replicates = draw.integers(2, 5, m)
    return pl.DataFrame(
        {
            "source": [s for s, _, _ in edges],
            "target": [t for _, t, _ in edges],
            "weight": [w for _, _, w in edges],
            "replicates": replicates,
            "null_replicates": draw.integers(0, 2, m),
            "q_shuffle": draw.uniform(0, 0.2, m),
            "partial_correlation": [float(np.tanh(w)) for _, _, w in edges],
            "standard_error": [None] * m,
            "q_value": [None] * m,
            "correlation": draw.uniform(-1, 1, m),
            "decoder_cosine": draw.uniform(-1, 1, m),
            "coactivation": draw.integers(1, 900, m),
            "kept": replicates >= 3,
        },
        schema=dict(EDGE_COLUMNS),
    )


def _contexts(n: int) -> pl.DataFrame:
    rows = [
        {
            "feature": i,
            "rank": r,
            "value": 9.0 - r,
            "left": "she said [that] her",
            "token": f" w{i}",
            "right": " was é",
        }
        for i in range(n)
        for r in range(3)
    ]
    return pl.DataFrame(rows, schema=dict(CONTEXT_COLUMNS))
