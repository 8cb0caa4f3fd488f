"""Logistic regression of one feature's firing on a few others, on their index lists alone.

::

    logit P(i fires at t) = theta_0 + sum_j [j fires at t] (theta_j0 + theta_j1 z_tj + theta_j2 (z_tj^2 - 1))

with ``z`` the level of ``j`` at the token (``analysis.firings``): whether it fires and, for the members that are
*graded*, how strongly. Among features coupled pairwise this is the exact law of one given all others (an Ising
model), and in a tree along which magnitudes matter it is near it. Tokens at which none of the others fires are
all alike and count as one row with a weight.

Newton's method, its matrix kept from step to step while the steps shrink fast enough, halved where the
likelihood falls; a ridge of a tenth of a token on all but the constant, so that what never or always fires with
``i`` has a finite coefficient.
"""

import math
from typing import NamedTuple

import numpy as np

from analysis.activations import Bool, Float32, Float64, Int32, Int64
from analysis.cholesky import factorise, solve_lower, solve_upper
from analysis.firings import LEVELS, Int8
from analysis.kernel import kernel

GRADED_COLUMNS = 3
"""Columns of a graded member; another has one."""

RIDGE = 0.1
LONGEST_STEP = 3.0
_MOST_STEPS = 60
_SHRINKING = 0.2
"""Ratio of one step to the one before from which on the matrix is made anew."""


class Design(NamedTuple):
    """The tokens at which any of some features fires.

    Parameters
    ----------
    start : shape (rows + 1,)
        Entries of each row.
    member : shape (entries,)
        Which of the features fires there, ascending within a row.
    level : shape (entries,)
        ``z`` of it.
    token : shape (rows,)
        Token of each row.
    column : shape (members + 1,)
        First column of each member; column 0 is the constant.
    """

    start: Int64
    member: Int32
    level: Float32
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
    entries = 0
    column = np.ones(len(members) + 1, np.int64)
    for a in range(len(members)):
        entries += start[members[a] + 1] - start[members[a]]
        column[a + 1] = column[a] + (GRADED_COLUMNS if graded[a] else 1)
    row = np.empty(entries, np.int32)
    tokens = np.empty(entries, np.int32)
    rows = 0
    entry = 0
    for j in members:
        for place in range(start[j], start[j + 1]):
            t = token[place]
            if row_of[t] < 0:
                row_of[t] = rows
                tokens[rows] = t
                rows += 1
            row[entry] = row_of[t]
            entry += 1
    begin = np.zeros(rows + 1, np.int64)
    for entry in range(entries):
        begin[row[entry] + 1] += 1
    for r in range(rows):
        begin[r + 1] += begin[r]
    place_of = begin[:-1].copy()
    member = np.empty(entries, np.int32)
    z = np.empty(entries, np.float32)
    entry = 0
    for a in range(len(members)):
        for place in range(start[members[a]], start[members[a] + 1]):
            put = place_of[row[entry]]
            member[put] = a
            z[put] = level[place] / np.float32(LEVELS)
            place_of[row[entry]] += 1
            entry += 1
    return Design(begin, member, z, tokens[:rows], column)


@kernel
def columns_at(design: Design, row: int, dropped: int, index: Int64, value: Float64) -> int:
    """Write the columns that are not 0 in a row, the constant first, ascending; returns how many.

    In row -1, which stands for the tokens outside all rows, there is the constant alone; a member `dropped` has
    no columns.
    """
    index[0] = 0
    value[0] = 1.0
    found = 1
    if row < 0:
        return found
    for entry in range(design.start[row], design.start[row + 1]):
        a = design.member[entry]
        if a == dropped:
            continue
        first = design.column[a]
        index[found] = first
        value[found] = 1.0
        found += 1
        if design.column[a + 1] - first > 1:
            z = np.float64(design.level[entry])
            index[found] = first + 1
            value[found] = z
            index[found + 1] = first + 2
            value[found + 1] = z * z - 1.0
            found += 2
    return found


@kernel
def chance(eta: float) -> float:
    """Return the logistic function, kept within 1e-12 of 0 and 1."""
    return min(1.0 - 1e-12, max(1e-12, 1.0 / (1.0 + math.exp(min(50.0, -eta)))))


@kernel
def _gradient(design: Design, response: Response, theta: Float64, gradient: Float64, p: Float64) -> float:
    """Set gradient and fitted probabilities at `theta`; returns the penalised log likelihood."""
    silent = response.silent_tokens, response.silent_fires
    p_silent = chance(theta[0])
    gradient[:] = 0.0
    gradient[0] = silent[1] - silent[0] * p_silent
    likelihood = silent[1] * math.log(p_silent) + (silent[0] - silent[1]) * math.log(1.0 - p_silent)
    index = np.empty(len(theta), np.int64)
    value = np.empty(len(theta))
    for row in range(len(design.token)):
        found = columns_at(design, row, -1, index, value)
        eta = 0.0
        for c in range(found):
            eta += theta[index[c]] * value[c]
        p[row] = chance(eta)
        fires = response.fires[row] > 0
        likelihood += math.log(p[row] if fires else 1.0 - p[row])
        missed = response.fires[row] - p[row]
        for c in range(found):
            gradient[index[c]] += missed * value[c]
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
    index = np.empty(len(theta), np.int64)
    value = np.empty(len(theta))
    for row in range(len(design.token)):
        found = columns_at(design, row, -1, index, value)
        weight = p[row] * (1.0 - p[row])
        for c in range(found):
            weighted = weight * value[c]
            into = information[index[c]]
            for other in range(c + 1):
                into[index[other]] += weighted * value[other]
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
        solve_lower(factor, step, len(theta))
        solve_upper(factor, step, len(theta))
        longest = np.abs(step).max()
        if longest < tolerance:
            converged = True
            break
        anew = number < 1 or longest > _SHRINKING * longest_before
        longest_before = longest
        step *= min(1.0, LONGEST_STEP / longest)
        theta += step
    _set_information(design, response, theta, p, information)
    return converged
