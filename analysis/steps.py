"""At which levels of a member the share of tokens at which another feature fires makes a step.

A feature that fires where a member's magnitude is above some limit is no quadratic function of its level, nor
of any other that a few smooth columns add up to. So the tokens of the member are regressed on its level alone
(``1, z, z^2 - 1``), and of all limits that could be a step the one is found whose score

    U^2 / V        U = sum of (fires - p), V its variance given the columns there are, both above the limit

is largest. It is a column from then on if the score exceeds `STEP`; and so on, up to `MOST_STEPS`.
"""

import math

import numpy as np

from analysis.activations import Float64, Int16
from analysis.cholesky import factorise, solve_lower
from analysis.design import GRADED_COLUMNS, chance
from analysis.firings import MOST_LEVEL, PLACES, strength_of
from analysis.kernel import kernel
from analysis.logistic import RIDGE, newton_step

STEP = 15.14
"""Least score of a step: chi-square, one degree of freedom, 1e-4, as the largest of many is taken."""

MOST_STEPS = 4
"""Steps of a member at most."""

LEAST_VARIANCE = 1.5
"""Least variance on either side of a limit, in firings: what is less is no count to go by."""

_MOST_ROUNDS = 50
_CLOSE = 1e-4


@kernel
def set_steps(tokens: Float64, fired: Float64, step: Int16) -> None:
    """Find the steps of one member.

    Parameters
    ----------
    tokens, fired : shape (PLACES,)
        Tokens of each level, and those at which the feature that is regressed fires.
    step : shape (MOST_STEPS,)
        First place above each step, ascending, on return; `PLACES` where there is none.
    """
    step[:] = PLACES
    place = np.flatnonzero(tokens > 0.0)
    column = np.zeros((len(place), GRADED_COLUMNS + MOST_STEPS))
    for k in range(len(place)):
        z = strength_of(np.int8(place[k] - MOST_LEVEL))
        column[k, 0], column[k, 1], column[k, 2] = 1.0, z, z * z - 1.0
    theta = np.zeros(GRADED_COLUMNS + MOST_STEPS)
    share = (fired.sum() + 0.5) / (tokens.sum() + 1.0)
    theta[0] = math.log(share / (1.0 - share))
    for number in range(MOST_STEPS):
        cut = _best_step(column, GRADED_COLUMNS + number, theta, tokens[place], fired[place])
        if cut == 0:
            break
        step[number] = place[cut]
        column[cut:, GRADED_COLUMNS + number] = 1.0
    step.sort()


@kernel
def _best_step(column: Float64, columns: int, theta: Float64, tokens: Float64, fired: Float64) -> int:
    """Regress on so many columns, from `theta` on; returns the row above the best step, 0 if none."""
    information = np.empty((columns, columns))
    gradient, step = np.empty(columns), np.zeros(columns)
    p = np.empty(len(tokens))
    before = -np.inf
    for _ in range(_MOST_ROUNDS):
        gradient[:] = 0.0
        information[:] = 0.0
        information[0, 0] = 1e-9
        value = 0.0
        for c in range(1, columns):
            value -= RIDGE / 2 * theta[c] ** 2
            gradient[c] = -RIDGE * theta[c]
            information[c, c] = RIDGE
        for k in range(len(tokens)):
            eta = 0.0
            for c in range(columns):
                eta += theta[c] * column[k, c]
            p[k] = chance(eta)
            value += fired[k] * math.log(p[k]) + (tokens[k] - fired[k]) * math.log(1.0 - p[k])
            missed, weight = fired[k] - tokens[k] * p[k], tokens[k] * p[k] * (1.0 - p[k])
            for c in range(columns):
                gradient[c] += missed * column[k, c]
                for d in range(c + 1):
                    information[c, d] += weight * column[k, c] * column[k, d]
        factorise(information, columns)
        if value < before - 1e-9 * abs(before):
            step /= 2
            theta[:columns] -= step
            continue
        before = value
        step[:] = gradient
        newton_step(information, step)
        theta[:columns] += step
        if np.abs(step).max() < _CLOSE:
            break
    whole = (tokens * p * (1.0 - p)).sum()
    best, cut = STEP, 0
    missed, variance = 0.0, 0.0
    cross = np.zeros(columns)
    told = np.empty(columns)
    for k in range(len(tokens) - 1, 0, -1):
        weight = tokens[k] * p[k] * (1.0 - p[k])
        missed += fired[k] - tokens[k] * p[k]
        variance += weight
        for c in range(columns):
            cross[c] += weight * column[k, c]
        if min(variance, whole - variance) < LEAST_VARIANCE:
            continue
        told[:] = cross
        solve_lower(information, told, columns)
        left = variance - (told * told).sum()
        if left > 1e-3 * variance and missed * missed > best * left:
            best, cut = missed * missed / left, k
    return cut
