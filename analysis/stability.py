"""Which edges are stable over replicates, against matched shuffles.

With ``c(e)`` the number of replicates in which edge ``e`` appears and ``M`` streams of null trials::

    Obs(r)  = edges with c >= r
    Null(r) = the same count over the R null trials of a stream, averaged over the M streams
    FDR(r)  = min(1, Null(r) / Obs(r))      0 where Obs(r) is 0; then a running minimum from r = 1
    r*      = least r with FDR(r) <= alpha  None when there is none, and then nothing is kept
    q_shuffle(e) = FDR(c(e))

Source: the post "Preliminary Results on Building Graphs from SAEs", whose own table is the arithmetic check.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from analysis.activations import Float64, Int32, Int64
from analysis.edges import Edges
from analysis.layer_graph import REPLICATE_COLUMNS


@dataclass(frozen=True)
class EdgeCounts:
    """Edges seen in any of some trials.

    Parameters
    ----------
    source, target : shape (edges,)
        Ascending by source, then target.
    count : shape (edges,)
        Trials that have the edge.
    weight, correlation : shape (edges,)
        Means over the trials that have it.
    """

    source: Int32
    target: Int32
    count: Int32
    weight: Float64
    correlation: Float64


def count_edges(trials: Sequence[Edges], n_features: int) -> EdgeCounts:
    """Count in how many of `trials` each edge appears, and average what they say of it."""
    keys = np.concatenate([edge_keys(t.source, t.target, n_features) for t in trials] or [_NO_KEYS])
    unique, inverse, count = np.unique(keys, return_inverse=True, return_counts=True)

    def mean_of(parts: list[Float64]) -> Float64:
        values = np.concatenate(parts or [np.empty(0)])
        return np.bincount(inverse, weights=values, minlength=len(unique)) / np.maximum(count, 1)

    return EdgeCounts(
        (unique // n_features).astype(np.int32),
        (unique % n_features).astype(np.int32),
        count.astype(np.int32),
        mean_of([t.weight for t in trials]),
        mean_of([t.correlation for t in trials]),
    )


_NO_KEYS = np.empty(0, np.int64)


def edge_keys(source: Int32, target: Int32, n_features: int) -> Int64:
    """One number an edge, ascending as (source, target) does."""
    return source.astype(np.int64) * n_features + target


def at_least(count: Int32, replicates: int) -> Int64:
    """Count the edges with ``count >= r`` for ``r = 1 .. replicates``, shape (replicates,)."""
    exactly = np.bincount(count, minlength=replicates + 1)
    return np.asarray(np.cumsum(exactly[::-1])[::-1][1 : replicates + 1], np.int64)


def replicate_table(observed: Int64, null: Float64) -> pl.DataFrame:
    """Tabulate ``Obs``, ``Null`` and the monotone ``FDR`` for ``r = 1 .. R``.

    Parameters
    ----------
    observed, null : shape (R,)
        ``Obs(r)`` and ``Null(r)``.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(observed > 0, np.minimum(1.0, null / observed), 0.0)
    return pl.DataFrame(
        {
            "replicates": np.arange(1, len(observed) + 1, dtype=np.int32),
            "observed": observed.astype(np.int64),
            "null": null.astype(np.float64),
            "fdr": np.minimum.accumulate(ratio),
        },
        schema=dict(REPLICATE_COLUMNS),
    )


def least_stable(table: pl.DataFrame, alpha: float) -> int | None:
    """Return ``r*``: the least number of replicates with FDR at most `alpha`, or None."""
    passing = table.filter(pl.col("fdr") <= alpha)["replicates"]
    return None if passing.is_empty() else int(passing[0])
