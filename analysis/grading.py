"""Which members of a neighbourhood count by how strongly they fire, and which should be members for that.

Of a member ``j`` of the neighbourhood of ``i`` the levels (``analysis.firings``) at the tokens at which both
fire are as good as drawn from all of its levels if they say nothing of ``i``. So the sums of the levels and
of their squares there are compared with what such a draw would give, variances and all, which makes a
chi-square of two degrees of freedom. A member whose levels say nothing needs no columns for them, and a
regression without them has fewer rows.

What is asked is whether the levels of ``j`` tell of ``i`` at all, not beside the other members: a member that
tells only through another is graded without need, which costs time and nothing else.
"""

import math

import numba
import numpy as np

from analysis.activations import Bool, Float64, Int32, Int64
from analysis.firings import Firings, Int8, strength_of
from analysis.kernel import kernel, parallel_kernel

MOST_GRADED = 16
"""Members of a neighbourhood that count by their levels at most, those whose levels tell most."""

TELLING = -2.0 * math.log(0.05)
"""Chi-square of two degrees of freedom that one in twenty members whose levels say nothing reaches."""


def graded_of(firings: Firings, start: Int64, member: Int64) -> Bool:
    """Say which members count by their levels, shape (members,).

    Parameters
    ----------
    firings
        Firing states and levels.
    start : shape (F + 1,)
        ``member[start[i]:start[i + 1]]`` is the neighbourhood of ``i``.
    member : shape (members,)
    """
    told = levels_told(firings, start, member)
    feature = np.repeat(np.arange(len(start) - 1), np.diff(start))
    order = np.lexsort((member, -told, feature))
    rank = np.empty(len(member), np.int64)
    rank[order] = np.arange(len(member)) - start[feature]
    return np.asarray((told > TELLING) & (rank < MOST_GRADED), np.bool_)


def most_telling(firings: Firings, candidate: Int32) -> Int32:
    """Find the candidate of each feature whose levels tell most of it, shape (F,); -1 where none tells.

    The largest of ``k`` chi-squares tells if it is ``2 log k`` above `TELLING`.

    Parameters
    ----------
    firings
        Firing states and levels.
    candidate : shape (F, K)
        -1 where there is none; of the first F features, if there are more.
    """
    moments = _level_moments(firings.start, firings.level)
    blocks = 4 * numba.get_num_threads()
    return _most_telling(
        firings.start, firings.token, firings.level, firings.n_tokens, moments, candidate, blocks
    )


def levels_told(firings: Firings, start: Int64, member: Int64) -> Float64:
    """Chi-square of each member, shape (members,)."""
    blocks = 4 * numba.get_num_threads()
    moments = _level_moments(firings.start, firings.level)
    return _levels_told(
        firings.start, firings.token, firings.level, firings.n_tokens, moments, start, member, blocks
    )


@parallel_kernel
def _level_moments(start: Int64, level: Int8) -> Float64:
    """Means of the levels and of their squares, variances of both and their covariance, shape (F, 5)."""
    found = np.zeros((len(start) - 1, 5))
    for i in numba.prange(len(found)):
        fires = start[i + 1] - start[i]
        if fires > 0:
            z = np.empty(fires)
            for k in range(fires):
                z[k] = strength_of(level[start[i] + k])
            mean, square = z.mean(), (z * z).mean()
            found[i, 0], found[i, 1] = mean, square
            found[i, 2] = square - mean * mean
            found[i, 3] = (z**4).mean() - square * square
            found[i, 4] = (z**3).mean() - mean * square
    return found


@parallel_kernel
def _levels_told(
    start: Int64,
    token: Int32,
    level: Int8,
    n: int,
    moments: Float64,
    member_start: Int64,
    member: Int64,
    blocks: int,
) -> Float64:
    told = np.zeros(len(member))
    for block in numba.prange(blocks):
        fires = np.zeros(n, np.bool_)
        for i in range(block, len(member_start) - 1, blocks):
            if member_start[i] == member_start[i + 1]:
                continue
            tokens = token[start[i] : start[i + 1]]
            for t in tokens:
                fires[t] = True
            for place in range(member_start[i], member_start[i + 1]):
                j = member[place]
                told[place] = _told(start[j], start[j + 1], token, level, fires, moments[j])
            for t in tokens:
                fires[t] = False
    return told


@parallel_kernel
def _most_telling(
    start: Int64, token: Int32, level: Int8, n: int, moments: Float64, candidate: Int32, blocks: int
) -> Int32:
    found = np.full(len(candidate), -1, np.int32)
    for block in numba.prange(blocks):
        fires = np.zeros(n, np.bool_)
        for i in range(block, len(candidate), blocks):
            others = candidate[i][candidate[i] >= 0]
            if len(others) == 0:
                continue
            tokens = token[start[i] : start[i + 1]]
            for t in tokens:
                fires[t] = True
            most = TELLING + 2.0 * math.log(len(others))
            for j in others:
                told = _told(start[j], start[j + 1], token, level, fires, moments[j])
                if told > most or (told == most and j < found[i]):
                    most, found[i] = told, j
            for t in tokens:
                fires[t] = False
    return found


@kernel
def _told(first: int, last: int, token: Int32, level: Int8, fires: Bool, moments: Float64) -> float:
    """Chi-square of the levels of entries `first` to `last` at whose tokens another feature fires."""
    together, total, squares = 0, 0.0, 0.0
    for entry in range(first, last):
        if fires[token[entry]]:
            z = strength_of(level[entry])
            together += 1
            total += z
            squares += z * z
    count = last - first
    drawn = together * (count - together) / max(1.0, count - 1.0)
    if drawn == 0.0 or moments[2] < 1e-9:
        return 0.0
    away = total - together * moments[0]
    rest = squares - together * moments[1] - moments[4] / moments[2] * away
    left = moments[3] - moments[4] * moments[4] / moments[2]
    chi = away * away / (drawn * moments[2])
    # Of two levels the square says nothing that the level does not.
    return float(chi + rest * rest / (drawn * left) if left > 1e-9 * moments[3] else chi)
