"""Which features fire at which tokens, of several replicates laid end to end.

What the calibrated procedure reads: firing states, and beside each a coarse level of how strongly. A state
takes four bytes and a level one, so thirty replicates of a large site fit in memory at once.

The level is the normal score of the activation among all of its feature's (van der Waerden 1952), in steps
that are a 127th of a standard deviation at the median and grow with the distance from it::

    z = quantile of the normal law at (rank - 1/2) / activations        ties at the mean of their ranks
    level = round(127 z / (1 + |z|))                                    within +-126

so that a feature's activations may have any scale, and any law: a few that are very large or very small move
no other's level. Which levels a regression tells apart: ``analysis.cells``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from analysis.activations import Columns, Float32, Float64, Int32, Int64
from analysis.errors import DataError
from analysis.kernel import kernel, parallel_kernel

Int8 = NDArray[np.int8]

MOST_LEVEL = 126
"""Largest level."""

PLACES = 2 * MOST_LEVEL + 1
"""Places of a table by level; that of level 0 is `MOST_LEVEL`."""

MOST_TOKENS = 2**31 - 1
"""Tokens that four bytes can number."""


@dataclass(frozen=True)
class Firings:
    """Firing states by feature.

    Parameters
    ----------
    start : shape (F + 1,)
        ``token[start[i]:start[i + 1]]`` are the tokens at which ``i`` fires, ascending.
    token : shape (nonzero,)
        Tokens, numbered through all replicates.
    level : shape (nonzero,)
        How strongly, see the module.
    bounds : shape (R + 1,)
        Tokens ``bounds[k]:bounds[k + 1]`` are those of replicate ``k``.
    """

    start: Int64
    token: Int32
    level: Int8
    bounds: Int64

    @property
    def n_features(self) -> int:
        """Number of features ``F``."""
        return len(self.start) - 1

    @property
    def n_tokens(self) -> int:
        """Number of tokens in all."""
        return int(self.bounds[-1])

    @property
    def pairs(self) -> int:
        """Number of pairs of features."""
        return self.n_features * (self.n_features - 1) // 2

    @property
    def count(self) -> Int64:
        """Tokens at which each feature fires, shape (F,)."""
        return np.diff(self.start)


def firings_of(replicates: Sequence[Columns]) -> Firings:
    """Lay replicates of one site end to end."""
    return lay_out(lambda k: replicates[k], len(replicates))


def lay_out(read: Callable[[int], Columns], replicates: int) -> Firings:
    """Lay replicates end to end, each read twice and never two of them held.

    Parameters
    ----------
    read
        Reads replicate ``k``.
    replicates
        How many there are.

    Raises
    ------
    DataError
        They hold more tokens in all than can be numbered.
    """
    tokens, count = [0], np.zeros(1, np.int64)
    for k in range(replicates):
        columns = read(k)
        tokens.append(columns.n_tokens)
        count = count + np.diff(columns.start)
    bounds = np.cumsum(tokens, dtype=np.int64)
    if bounds[-1] > MOST_TOKENS:
        raise DataError(
            f"{replicates} replicates hold {bounds[-1]:,} tokens; at most {MOST_TOKENS:,} can be "
            "laid end to end, use fewer replicates"
        )
    start = np.concatenate([np.zeros(1, np.int64), np.cumsum(count)])
    token = np.empty(start[-1], np.int32)
    value = np.empty(start[-1], np.float32)
    place = start[:-1].copy()
    for k in range(replicates):
        columns = read(k)
        _append(columns.start, columns.token, columns.value, bounds[k], place, token, value)
    return Firings(start, token, _levels(start, value, _ends_of_levels()), bounds)


def states_of(firings: Firings) -> Columns:
    """Return the states as activations of 1."""
    return Columns(firings.start, firings.token, np.ones(len(firings.token), np.float32), firings.n_tokens)


def _ends_of_levels() -> Float64:
    """Share of the normal law below the upper end of each level but the last, shape (2 MOST_LEVEL,)."""
    away = np.arange(-MOST_LEVEL, MOST_LEVEL) + 0.5
    share: Float64 = ndtr(away / (MOST_LEVEL + 1 - np.abs(away)))
    return share


@kernel
def level_of(z: float) -> np.int8:
    """Return the level of an activation whose normal score is `z`."""
    level = np.rint((MOST_LEVEL + 1) * z / (1.0 + abs(z)))
    return np.int8(min(MOST_LEVEL, max(-MOST_LEVEL, level)))


@kernel
def strength_of(level: np.int8) -> float:
    """Return the normal score that a level stands for."""
    away = float(level)
    return away / (MOST_LEVEL + 1 - abs(away))


@kernel
def _append(
    start: Int64, token: Int32, value: Float32, offset: int, place: Int64, tokens: Int32, values: Float32
) -> None:
    """Append one replicate to the lists of every feature; `place` moves to their ends."""
    for i in range(len(start) - 1):
        for entry in range(start[i], start[i + 1]):
            tokens[place[i]] = token[entry] + offset
            values[place[i]] = value[entry]
            place[i] += 1


@parallel_kernel
def _levels(start: Int64, value: Float32, limit: Float64) -> Int8:
    """Levels by rank; share ``limit[l]`` of the normal law lies below the end of level ``l - MOST_LEVEL``."""
    level = np.zeros(len(value), np.int8)
    for i in numba.prange(len(start) - 1):
        own = value[start[i] : start[i + 1]]
        order = np.argsort(own)
        at, first = 0, 0
        while first < len(own):
            last = first + 1
            while last < len(own) and own[order[last]] == own[order[first]]:
                last += 1
            below = 0.5 * (first + last) / len(own)
            while at < len(limit) and limit[at] <= below:
                at += 1
            for place in range(first, last):
                level[start[i] + order[place]] = at - MOST_LEVEL
            first = last
    return level
