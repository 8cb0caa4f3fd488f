"""Which features fire at which tokens, of several replicates laid end to end.

What the calibrated procedure reads: firing states, and beside each a coarse level of how strongly. A state
takes four bytes and a level one, so thirty replicates of a large site fit in memory at once.

The level is the logarithm of the activation, standardised within its feature, in steps that are a 127th of a
standard deviation at the mean and grow with the distance from it::

    z = (log x - mean_i) / sd_i         level = round(127 z / (1 + |z|))            within +-126

Which of them a regression tells apart: ``analysis.cells``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.activations import Columns, Float32, Int32, Int64
from analysis.errors import DataError
from analysis.kernel import kernel

Int8 = NDArray[np.int8]

MOST_LEVEL = 126
"""Largest level."""

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
    return Firings(start, token, _levels(start, value), bounds)


def states_of(firings: Firings) -> Columns:
    """Return the states as activations of 1."""
    return Columns(firings.start, firings.token, np.ones(len(firings.token), np.float32), firings.n_tokens)


@kernel
def level_of(z: float) -> np.int8:
    """Return the level of an activation whose logarithm is `z` standard deviations above the mean."""
    level = np.rint((MOST_LEVEL + 1) * z / (1.0 + abs(z)))
    return np.int8(min(MOST_LEVEL, max(-MOST_LEVEL, level)))


@kernel
def strength_of(level: np.int8) -> float:
    """Return the standard deviations above the mean that a level stands for."""
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


@kernel
def _levels(start: Int64, value: Float32) -> Int8:
    level = np.zeros(len(value), np.int8)
    for i in range(len(start) - 1):
        fires = start[i + 1] - start[i]
        if fires < 2:
            continue
        logs = np.log(value[start[i] : start[i + 1]].astype(np.float64))
        mean = logs.mean()
        deviation = np.sqrt(((logs - mean) ** 2).mean())
        if deviation < 1e-6:
            continue
        for entry in range(fires):
            level[start[i] + entry] = level_of((logs[entry] - mean) / deviation)
    return level
