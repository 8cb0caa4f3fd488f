"""Which levels of a member a regression takes together, as one cell.

A regression that told all levels (``analysis.firings``) apart would leave hardly two tokens alike. It reads
quarters of a standard deviation. But a feature that fires where another's magnitude is above some limit
changes within the quarter through which the limit goes, and so do all others that keep to the limit: there
they would fire together for no reason the regression knows. So a quarter is cut where the share of tokens at
which the feature fires says so: where the log-likelihood of two shares, one for the levels below and one for
those above, exceeds that of one share by half of `CUT`; and each part again. It is cut too at every step of
the feature's (``analysis.steps``), which is a column of the regression.
"""

import math

import numpy as np

from analysis.activations import Bool, Float64, Int16, Int32, Int64
from analysis.firings import MOST_LEVEL, PLACES, Int8, strength_of
from analysis.kernel import kernel
from analysis.steps import MOST_STEPS, set_steps

CUT = 10.83
"""Twice the gain in log-likelihood that is worth a cut: chi-square, one degree of freedom, 0.001."""

_CELLS = 4.0
"""Cells to a standard deviation where nothing is cut; farther out, where levels are no finer, each is one."""


@kernel
def cells_of(
    members: Int64, graded: Bool, start: Int64, token: Int32, level: Int8, fires: Int8
) -> tuple[Int8, Int16]:
    """Find the cells of the levels of each member, and the steps between them.

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
    cell : Int8, shape (members, PLACES)
        Entry ``[a, MOST_LEVEL + level]`` is the middle level of the cell of that level; all 0 for a member
        that is not graded.
    step : Int16, shape (members, MOST_STEPS)
        First place above each step, ascending; `PLACES` where there is none.
    """
    cell = np.zeros((len(members), PLACES), np.int8)
    step = np.full((len(members), MOST_STEPS), PLACES, np.int16)
    for a in range(len(members)):
        if not graded[a]:
            continue
        tokens, fired = np.zeros(PLACES), np.zeros(PLACES)
        for entry in range(start[members[a]], start[members[a] + 1]):
            place = np.int64(level[entry]) + MOST_LEVEL
            tokens[place] += 1.0
            fired[place] += fires[token[entry]]
        set_steps(tokens, fired, step[a])
        first, passed = 0, 0
        while first < PLACES:
            last = first + 1
            while passed < MOST_STEPS and step[a, passed] < last:
                passed += 1
            limit = step[a, passed] if passed < MOST_STEPS else PLACES
            while last < limit and _quarter(last) == _quarter(first):
                last += 1
            _cut(first, last, tokens, fired, cell[a])
            first = last
    return cell, step


@kernel
def _quarter(place: int) -> float:
    return float(np.rint(_CELLS * strength_of(np.int8(place - MOST_LEVEL))))


@kernel
def _cut(first: int, last: int, tokens: Float64, fired: Float64, cell: Int8) -> None:
    """Cut places `first` to `last` where that says most, as often as it says enough."""
    all_tokens, all_fired = tokens[first:last].sum(), fired[first:last].sum()
    best, where = _log_likelihood(all_fired, all_tokens) + CUT / 2, 0
    below, below_fired = 0.0, 0.0
    for middle in range(first + 1, last):
        below += tokens[middle - 1]
        below_fired += fired[middle - 1]
        told = _log_likelihood(below_fired, below)
        told += _log_likelihood(all_fired - below_fired, all_tokens - below)
        if told > best:
            best, where = told, middle
    if where == 0:
        cell[first:last] = np.int8((first + last) // 2 - MOST_LEVEL)
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
