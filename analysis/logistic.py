"""Logistic regression of one feature's firing on a few others, on their index lists alone.

::

    logit P(i fires at t) = theta_0 + sum_j [j fires at t] (theta_j0 + theta_j1 z_tj + theta_j2 (z_tj^2 - 1))

with ``z`` the level of ``j`` at the token (``analysis.firings``): whether it fires, and how strongly. Among
features coupled pairwise this is the exact law of one given all others (an Ising model), and in a tree along
which magnitudes matter it is near it. Tokens at which none of the others fires are all alike and count as one
row with a weight. Newton's method with a ridge of a tenth of a token on all but the constant, so that what
never or always fires with ``i`` has a finite coefficient.
"""

import math
from typing import NamedTuple

import numpy as np

from analysis.activations import Float32, Float64, Int32, Int64
from analysis.cholesky import factorise, solve_lower, solve_upper
from analysis.firings import LEVELS, Int8
from analysis.kernel import kernel

BASIS = 3
"""Coefficients of each feature regressed on."""

RIDGE = 0.1
_LONGEST_STEP = 3.0
_MOST_STEPS = 40


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
    """

    start: Int64
    member: Int32
    level: Float32
    token: Int32


@kernel
def design_of(members: Int64, start: Int64, token: Int32, level: Int8, row_of: Int32) -> Design:
    """Gather the rows of `members`.

    Parameters
    ----------
    members
        Features regressed on.
    start, token, level
        Firings by feature.
    row_of : shape (n,), all -1
        Row of each token on return, -1 where none of the members fires.
    """
    entries = 0
    for j in members:
        entries += start[j + 1] - start[j]
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
    return Design(begin, member, z, tokens[:rows])


@kernel
def columns_at(design: Design, row: int, dropped: int, index: Int64, value: Float64) -> int:
    """Write the columns that are not 0 in a row, the constant first, ascending; returns how many."""
    index[0] = 0
    value[0] = 1.0
    found = 1
    for entry in range(design.start[row], design.start[row + 1]):
        a = design.member[entry]
        if a == dropped:
            continue
        z = np.float64(design.level[entry])
        index[found] = 1 + BASIS * a
        value[found] = 1.0
        index[found + 1] = 2 + BASIS * a
        value[found + 1] = z
        index[found + 2] = 3 + BASIS * a
        value[found + 2] = z * z - 1.0
        found += BASIS
    return found


@kernel
def chance(eta: float) -> float:
    """Return the logistic function, kept within 1e-12 of 0 and 1."""
    return min(1.0 - 1e-12, max(1e-12, 1.0 / (1.0 + math.exp(min(50.0, -eta)))))


@kernel
def _accumulate(
    design: Design,
    fires: Float32,
    silent: tuple[float, float],
    dropped: int,
    theta: Float64,
    gradient: Float64,
    information: Float64,
    p: Float64,
) -> float:
    """Set gradient, information (lower triangle) and fitted probabilities at `theta`.

    `silent` holds the tokens outside all rows, and how often the feature fires there. Returns the penalised
    log likelihood.
    """
    gradient[:] = 0.0
    information[:] = 0.0
    p_silent = chance(theta[0])
    likelihood = silent[1] * math.log(p_silent) + (silent[0] - silent[1]) * math.log(1.0 - p_silent)
    gradient[0] = silent[1] - silent[0] * p_silent
    information[0, 0] = silent[0] * p_silent * (1.0 - p_silent) + 1e-9
    index = np.empty(len(theta), np.int64)
    value = np.empty(len(theta))
    for row in range(len(design.token)):
        found = columns_at(design, row, dropped, index, value)
        eta = 0.0
        for c in range(found):
            eta += theta[index[c]] * value[c]
        p[row] = chance(eta)
        weight = p[row] * (1.0 - p[row])
        missed = fires[row] - p[row]
        likelihood += math.log(p[row]) if fires[row] > 0 else math.log(1.0 - p[row])
        for c in range(found):
            gradient[index[c]] += missed * value[c]
            weighted = weight * value[c]
            for other in range(c + 1):
                information[index[c], index[other]] += weighted * value[other]
    for c in range(1, len(theta)):
        likelihood -= RIDGE / 2 * float(theta[c]) ** 2
        gradient[c] -= RIDGE * theta[c]
        information[c, c] += RIDGE
    return likelihood


@kernel
def fit_logistic(
    design: Design,
    fires: Float32,
    silent: tuple[float, float],
    dropped: int,
    theta: Float64,
    tolerance: float,
    p: Float64,
    information: Float64,
) -> tuple[float, bool]:
    """Fit from the warm start `theta`, the member `dropped` (-1 for none) left out.

    Parameters
    ----------
    design, fires, silent
        Rows of the members; whether the feature fires in each; tokens elsewhere, and its firings there.
    dropped
        Member to leave out; its coefficients must be 0.
    theta : shape (1 + BASIS m,)
        Updated.
    tolerance
        Longest last step, in units of log odds.
    p : shape (rows,)
        Probability in each row, on return.
    information : shape (1 + BASIS m, 1 + BASIS m)
        Cholesky factor of the observed information, on return.

    Returns
    -------
    Probability at all other tokens, and whether it converged.
    """
    step = np.zeros(len(theta))
    before = -np.inf
    for _ in range(_MOST_STEPS):
        gradient = np.empty(len(theta))
        likelihood = _accumulate(design, fires, silent, dropped, theta, gradient, information, p)
        if likelihood < before - 1e-9 * abs(before):
            step /= 2
            theta -= step
            continue
        before = likelihood
        step = gradient
        factorise(information, len(theta))
        solve_lower(information, step, len(theta))
        solve_upper(information, step, len(theta))
        longest = np.abs(step).max()
        if longest < tolerance:
            return chance(theta[0]), True
        step *= min(1.0, _LONGEST_STEP / longest)
        theta += step
    return chance(theta[0]), False
