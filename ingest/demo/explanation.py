"""Which third feature accounts for two features firing together.

Of features that have nothing to do with each other, ``n_i n_j / n`` tokens are expected at which both fire.
If they meet only because both follow ``k``, they have nothing to do with each other where ``k`` fires, nor
where it does not, and what is expected is::

    n_ik n_jk / n_k  +  (n_i - n_ik) (n_j - n_jk) / (n - n_k)
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from analysis.activations import Float64

_ACCOUNTED = 0.8
"""Share of what is beyond chance that a third feature must account for to be named."""


@dataclass(frozen=True)
class Explained:
    """A pair of features, and the third that accounts for it.

    Parameters
    ----------
    source, target, third
        The features.
    weight
        What the published procedure gives the pair.
    beyond_chance
        How many times as often as by chance both fire.
    beyond_third
        How many times as often as expected given whether the third fires.
    """

    source: int
    target: int
    third: int
    weight: float
    beyond_chance: float
    beyond_third: float


def explained(rejected: pl.DataFrame, kept: pl.DataFrame, both: Float64, tokens: int) -> list[Explained]:
    """Find the pairs that one third feature accounts for, strongest first.

    Parameters
    ----------
    rejected
        Edges to explain; only those of positive weight are.
    kept
        Edges of the graph in which the third feature must be a neighbour of both.
    both : shape (F, F)
        Tokens at which two features fire, firings on the diagonal.
    tokens
        Number of all tokens.
    """
    linked = np.zeros(both.shape, np.bool_)
    linked[kept["source"].to_numpy(), kept["target"].to_numpy()] = True
    linked |= linked.T
    found = []
    for row in rejected.filter(pl.col("weight") > 0).sort("weight", descending=True).iter_rows(named=True):
        i, j = row["source"], row["target"]
        thirds = np.flatnonzero(linked[i] & linked[j])
        chance = both[i, i] * both[j, j] / tokens
        if not len(thirds) or both[i, j] <= chance:
            continue
        expected = _expected(both, tokens, i, j, thirds)
        best = int(np.argmax(expected))
        if expected[best] - chance >= _ACCOUNTED * (both[i, j] - chance):
            times = both[i, j] / chance, both[i, j] / expected[best]
            found.append(Explained(i, j, int(thirds[best]), row["weight"], *map(float, times)))
    return found


def _expected(
    both: Float64, tokens: int, i: int, j: int, thirds: "np.ndarray[tuple[int], np.dtype[np.intp]]"
) -> Float64:
    """Tokens at which both are expected to fire, given whether each of `thirds` does."""
    of_i, of_j, of_third = both[i, thirds], both[j, thirds], both[thirds, thirds]
    rest = (both[i, i] - of_i) * (both[j, j] - of_j) / np.maximum(tokens - of_third, 1)
    return np.asarray(of_i * of_j / of_third + rest, np.float64)
