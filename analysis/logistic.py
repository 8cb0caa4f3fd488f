"""Logistic regression of one feature's firing on a few others, on their index lists alone.

::

    logit P(i fires at t) = theta_0 + sum_j [j fires at t] (theta_j0 + theta_j1 z_tj + theta_j2 (z_tj^2 - 1))

with ``z`` the level of ``j`` at the token (``analysis.firings``): whether it fires and, for the members that
are *graded*, how strongly. Among features coupled pairwise this is the exact law of one given all others (an
Ising model), and in a tree along which magnitudes matter it is near it. Tokens at which none of the others
fires are all alike and count as one row with a weight.

Newton's method, its matrix kept from step to step while the steps shrink fast enough, halved where the
likelihood falls; a ridge of a tenth of a token on all but the constant, so that what never or always fires
with ``i`` has a finite coefficient.
"""

import math
from typing import NamedTuple

import numpy as np

from analysis.activations import Bool, Float32, Float64, Int32, Int64
from analysis.cholesky import factorise, solve
from analysis.firings import LEVELS, Int8
from analysis.kernel import kernel

GRADED_COLUMNS = 3
"""Columns of a graded member; another has one."""

RIDGE = 0.1
_LONGEST_STEP = 3.0
_MOST_STEPS = 60
SHRINKING = 0.4
"""Ratio of one step to the one before from which on the matrix is made anew."""


class Design(NamedTuple):
    """The tokens at which any of some features fires, by row.

    Parameters
    ----------
    start : shape (rows + 1,)
        Entries of each row: the columns that are not 0, ascending, without the constant.
    place, value : shape (entries,)
        Column and value.
    token : shape (rows,)
        Token of each row.
    column : shape (members + 1,)
        First column of each member; column 0 is the constant.
    """

    start: Int64
    place: Int32
    value: Float32
    token: Int32
    column: Int64


class Response(NamedTuple):
    """Firing of the feature that is regressed.

    Parameters
    ----------
    fires : shape (rows,)
        Whether it fires in each row, 0 or 1.
    silent_tokens, silent_fires
        Tokens outside all rows, and how often it fires there.
    """

    fires: Float32
    silent_tokens: float
    silent_fires: float


@kernel
def design_of(members: Int64, graded: Bool, start: Int64, token: Int32, level: Int8, row_of: Int32) -> Design:
    """Gather the rows of `members`.

    Parameters
    ----------
    members, graded : shape (members,)
        Features regressed on, and whether by their levels too.
    start, token, level
        Firings by feature.
    row_of : shape (n,), all -1
        Row of each token on return, -1 where none of the members fires.
    """
    column = np.ones(len(members) + 1, np.int64)
    for a in range(len(members)):
        column[a + 1] = column[a] + (GRADED_COLUMNS if graded[a] else 1)
    tokens, begin = _rows(members, column, start, token, row_of)
    place_of = begin[:-1].copy()
    index = np.empty(begin[-1], np.int32)
    value = np.empty(begin[-1], np.float32)
    for a in range(len(members)):
        for entry in range(start[members[a]], start[members[a] + 1]):
            row = row_of[token[entry]]
            put = place_of[row]
            index[put] = column[a]
            value[put] = 1.0
            if graded[a]:
                z = level[entry] / np.float32(LEVELS)
                index[put + 1] = column[a] + 1
                value[put + 1] = z
                index[put + 2] = column[a] + 2
                value[put + 2] = z * z - np.float32(1.0)
            place_of[row] += column[a + 1] - column[a]
    return Design(begin, index, value, tokens, column)


@kernel
def _rows(members: Int64, column: Int64, start: Int64, token: Int32, row_of: Int32) -> tuple[Int32, Int64]:
    """Give each row a number; returns the token of each, and where its entries begin."""
    firings = 0
    for j in members:
        firings += start[j + 1] - start[j]
    tokens = np.empty(firings, np.int32)
    entries = np.zeros(firings + 1, np.int64)
    rows = 0
    for a in range(len(members)):
        for t in token[start[members[a]] : start[members[a] + 1]]:
            if row_of[t] < 0:
                row_of[t] = rows
                tokens[rows] = t
                rows += 1
            entries[row_of[t] + 1] += column[a + 1] - column[a]
    for r in range(rows):
        entries[r + 1] += entries[r]
    return tokens[:rows].copy(), entries[: rows + 1].copy()


@kernel
def log_odds(design: Design, row: int, theta: Float64) -> float:
    """Log odds in a row; row -1 stands for the tokens outside all rows."""
    eta = theta[0]
    if row >= 0:
        for entry in range(design.start[row], design.start[row + 1]):
            eta += theta[design.place[entry]] * design.value[entry]
    return float(eta)


@kernel
def add_gradient(design: Design, row: int, missed: float, gradient: Float64) -> None:
    """Add a row, times `missed`, to `gradient`."""
    gradient[0] += missed
    if row >= 0:
        for entry in range(design.start[row], design.start[row + 1]):
            gradient[design.place[entry]] += missed * design.value[entry]


@kernel
def add_information(design: Design, row: int, weight: float, information: Float64) -> None:
    """Add the outer product of a row with itself, times `weight`, to the lower triangle of `information`."""
    first = design.start[row]
    information[0, 0] += weight
    for entry in range(first, design.start[row + 1]):
        into = information[design.place[entry]]
        weighted = weight * design.value[entry]
        into[0] += weighted
        for other in range(first, entry + 1):
            into[design.place[other]] += weighted * design.value[other]


@kernel
def chance(eta: float) -> float:
    """Return the logistic function, kept within 1e-12 of 0 and 1."""
    return min(1.0 - 1e-12, max(1e-12, 1.0 / (1.0 + math.exp(min(50.0, -eta)))))


@kernel
def add_alike(sign: float, tokens: float, fires: float, theta: Float64, gradient: Float64) -> float:
    """Add tokens at which no member fires, `fires` of which the feature fires at, times `sign` to `gradient`.

    Returns their log likelihood.
    """
    p = chance(theta[0])
    gradient[0] += sign * (fires - tokens * p)
    return fires * math.log(p) + (tokens - fires) * math.log(1.0 - p)


@kernel
def newton_step(factor: Float64, gradient: Float64) -> float:
    """Overwrite `gradient` with Newton's step, cut to the longest allowed; returns its length uncut."""
    solve(factor, gradient, len(gradient))
    longest = float(np.abs(gradient).max())
    gradient *= _LONGEST_STEP / max(longest, _LONGEST_STEP)
    return longest


@kernel
def _gradient(design: Design, response: Response, theta: Float64, gradient: Float64, p: Float64) -> float:
    """Set gradient and fitted probabilities at `theta`; returns the penalised log likelihood."""
    gradient[:] = 0.0
    likelihood = add_alike(1.0, response.silent_tokens, response.silent_fires, theta, gradient)
    for row in range(len(design.token)):
        p[row] = chance(log_odds(design, row, theta))
        likelihood += math.log(p[row] if response.fires[row] > 0 else 1.0 - p[row])
        add_gradient(design, row, response.fires[row] - p[row], gradient)
    for c in range(1, len(theta)):
        likelihood -= RIDGE / 2 * float(theta[c]) ** 2
        gradient[c] -= RIDGE * theta[c]
    return likelihood


@kernel
def _set_information(
    design: Design, response: Response, theta: Float64, p: Float64, information: Float64
) -> None:
    """Set the lower triangle of `information` to that observed at `theta`, whose fit is `p`."""
    p_silent = chance(theta[0])
    information[:] = 0.0
    information[0, 0] = response.silent_tokens * p_silent * (1.0 - p_silent) + 1e-9
    for row in range(len(design.token)):
        add_information(design, row, p[row] * (1.0 - p[row]), information)
    for c in range(1, len(theta)):
        information[c, c] += RIDGE


@kernel
def fit_logistic(
    design: Design, response: Response, theta: Float64, tolerance: float, p: Float64, information: Float64
) -> bool:
    """Fit from the warm start `theta`.

    Parameters
    ----------
    design, response
        Rows of the members, and the feature regressed on them.
    theta : shape (columns,)
        Updated.
    tolerance
        Longest last step, in units of log odds.
    p : shape (rows,)
        Probability in each row, on return.
    information : shape (columns, columns)
        Lower triangle of the observed information with the ridge, on return.

    Returns
    -------
    Whether it converged.
    """
    step = np.zeros(len(theta))
    factor = np.empty((len(theta), len(theta)))
    before = -np.inf
    longest_before = np.inf
    converged = False
    anew = True
    for number in range(_MOST_STEPS):
        gradient = np.empty(len(theta))
        likelihood = _gradient(design, response, theta, gradient, p)
        if likelihood < before - 1e-9 * abs(before):
            step /= 2
            theta -= step
            anew = True
            continue
        before = likelihood
        if anew:
            _set_information(design, response, theta, p, factor)
            factorise(factor, len(theta))
        step = gradient
        longest = newton_step(factor, step)
        anew = number < 1 or longest > SHRINKING * longest_before
        longest_before = longest
        theta += step
        if longest < tolerance:
            converged = True
            break
    for row in range(len(p)):
        p[row] = chance(log_odds(design, row, theta))
    _set_information(design, response, theta, p, information)
    return converged
