"""Which levels of a member a regression takes together, as one cell.

Levels are sixteenths of a standard deviation (``analysis.firings``), and a regression that told all of them
apart would leave hardly two tokens alike. It reads quarters. But a feature that fires where another's
magnitude is above some limit changes within the quarter through which the limit goes, and so do all others
that keep to the limit: there they would fire together for no reason the regression knows. So a quarter is cut
where the share of tokens at which the feature fires says so: where the log-likelihood of two shares, one for
the levels below and one for those above, exceeds that of one share by `CUT`; and each part again.
"""

import math

import numpy as np

from analysis.activations import Bool, Float64, Int32, Int64
from analysis.firings import Int8
from analysis.kernel import kernel

CUT = 6.635
"""Twice the gain in log-likelihood that is worth a cut: chi-square, one degree of freedom, 0.01."""

QUARTER = 4
"""Levels that a cell holds unless it is cut."""

_LEVELS = 256
"""Levels that eight bits can tell apart."""
_ZERO = 128
"""Where the table of levels holds level 0."""


@kernel
def whole_quarters() -> Int8:
    """Cell of each level where nothing is cut, shape (256,); entry ``128 + level`` is the cell's middle."""
    cell = np.empty(_LEVELS, np.int8)
    for first in range(2, _LEVELS + QUARTER, QUARTER):
        _name(max(0, first - QUARTER), min(_LEVELS, first), cell)
    return cell


@kernel
def cells_of(members: Int64, graded: Bool, start: Int64, token: Int32, level: Int8, fires: Int8) -> Int8:
    """Find the cells of the levels of each member.

    Parameters
    ----------
    members, graded : shape (members,)
        Features regressed on, and whether by their levels too.
    start, token, level
        Firings by feature.
    fires : shape (n,)
        1 where the feature that is regressed fires, 0 elsewhere.

    Returns
    -------
    Int8, shape (members, 256)
        Entry ``[a, 128 + level]`` is the middle level of the cell of that level.
    """
    quarters = whole_quarters()
    cell = np.empty((len(members), _LEVELS), np.int8)
    for a in range(len(members)):
        cell[a] = quarters
        if graded[a]:
            tokens, fired = np.zeros(_LEVELS), np.zeros(_LEVELS)
            for entry in range(start[members[a]], start[members[a] + 1]):
                at = np.int64(level[entry]) + _ZERO
                tokens[at] += 1.0
                fired[at] += fires[token[entry]]
            for first in range(2, _LEVELS + QUARTER, QUARTER):
                _cut(max(0, first - QUARTER), min(_LEVELS, first), tokens, fired, cell[a])
    return cell


@kernel
def _name(first: int, last: int, cell: Int8) -> None:
    """Make places `first` to `last` one cell."""
    cell[first:last] = np.int8((first + last) // 2 - _ZERO)


@kernel
def _cut(first: int, last: int, tokens: Float64, fired: Float64, cell: Int8) -> None:
    """Cut places `first` to `last` where that says most, as often as it says enough."""
    best, where = CUT, 0
    whole = _log_likelihood(fired[first:last].sum(), tokens[first:last].sum())
    for middle in range(first + 1, last):
        below = _log_likelihood(fired[first:middle].sum(), tokens[first:middle].sum())
        above = _log_likelihood(fired[middle:last].sum(), tokens[middle:last].sum())
        gain = 2.0 * (below + above - whole)
        if gain > best:
            best, where = gain, middle
    if where == 0:
        _name(first, last, cell)
    else:
        _cut(first, where, tokens, fired, cell)
        _cut(where, last, tokens, fired, cell)


@kernel
def _log_likelihood(fired: float, tokens: float) -> float:
    """Log-likelihood of `fired` firings at `tokens` tokens by their own share."""
    if fired in (0.0, tokens):
        return 0.0
    share = fired / tokens
    return fired * math.log(share) + (tokens - fired) * math.log(1.0 - share)
