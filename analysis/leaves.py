"""Parts of a pattern within which a regression is right up to a constant: the leaves of a tree of levels.

A feature may fire where two others are both strong, or where one is stronger than the other: no sum of what
each says foretells that, and the tokens of one pattern hold all of its cases. So they are split, by the level
of one member after another, wherever the log odds of the regression are off by more on one side than on the
other (Breiman et al. 1984, with the regression for an offset). Let ``p`` be the chances of the rows, shifted
until they foretell as many firings as there are, ``U`` the firings below a cut less those foretold, ``V`` and
``W`` the variances below and above. Then

    U^2 (1 / V + 1 / W)

is a chi-square of one degree of freedom if one shift serves both sides. The cut at which it is largest is
made if it exceeds `CUT`, and each side is looked at in turn.
"""

import math

import numpy as np

from analysis.activations import Float32, Float64, Int64
from analysis.cells import CUT
from analysis.design import chance
from analysis.kernel import kernel
from analysis.steps import LEAST_VARIANCE

_MOST_STEPS = 20
_CLOSE = 1e-6
_FAR = 40.0
"""Log odds of what never happens."""


@kernel
def grow(
    level: Float32, eta: Float64, tokens: Float64, fires: Float64, leaf: Int64
) -> tuple[Float64, Float64]:
    """Split rows into leaves.

    Parameters
    ----------
    level : shape (rows, members)
        How strongly each member fires.
    eta : shape (rows,)
        Log odds by the regression.
    tokens, fires : shape (rows,)
        Tokens, and those at which the feature that is regressed fires.
    leaf : shape (rows,)
        Leaf of each row on return.

    Returns
    -------
    What to add to the log odds in each leaf, and the variance that all firings of the leaf then have.
    """
    order = np.arange(len(eta))
    waiting = [(0, len(eta))]
    p = np.empty(len(eta))
    shift, known = np.empty(len(eta)), np.empty(len(eta))
    leaves = 0
    while len(waiting) > 0:
        first, last = waiting.pop()
        rows = order[first:last]
        by, variance = _shift_of(eta[rows], tokens[rows], fires[rows].sum())
        total = 0.0
        for k in rows:
            p[k] = chance(eta[k] + by)
            total += tokens[k] * p[k] * (1.0 - p[k])
        cut = _split(level, tokens, fires, p, total, rows) if total >= 2.0 * LEAST_VARIANCE else 0
        if cut > 0:
            waiting.append((first, first + cut))
            waiting.append((first + cut, last))
            continue
        leaf[rows] = leaves
        shift[leaves], known[leaves] = by, variance
        leaves += 1
    return shift[:leaves], known[:leaves]


@kernel
def _split(level: Float32, tokens: Float64, fires: Float64, p: Float64, total: float, rows: Int64) -> int:
    """Sort `rows` by the member whose levels tell them apart best; returns how many are below the cut."""
    best, cut, by = CUT, 0, -1
    for member in range(level.shape[1]):
        away, variance = 0.0, 0.0
        order = np.argsort(level[rows, member])
        for k in range(len(rows) - 1):
            row = rows[order[k]]
            away += fires[row] - tokens[row] * p[row]
            variance += tokens[row] * p[row] * (1.0 - p[row])
            if level[row, member] == level[rows[order[k + 1]], member]:
                continue
            if min(variance, total - variance) < LEAST_VARIANCE:
                continue
            told = away * away * (1.0 / variance + 1.0 / (total - variance))
            if told > best:
                best, cut, by = told, k + 1, member
    if cut > 0:
        rows[:] = rows[np.argsort(level[rows, by])]
    return cut


@kernel
def _shift_of(eta: Float64, tokens: Float64, fires: float) -> tuple[float, float]:
    """Find what to add to log odds so that they foretell `fires`; and the variance that these then have."""
    if fires == 0.0 or fires == tokens.sum():
        return math.copysign(_FAR, fires - 0.5), math.inf
    shift, known = 0.0, 0.0
    for _ in range(_MOST_STEPS):
        foretold, known = 0.0, 0.0
        for k in range(len(eta)):
            p = chance(eta[k] + shift)
            foretold += tokens[k] * p
            known += tokens[k] * p * (1.0 - p)
        step = min(1.0, max(-1.0, (fires - foretold) / max(known, 1e-6)))
        shift += step
        if abs(step) < _CLOSE:
            break
    return shift, known
