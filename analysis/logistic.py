"""Logistic regression of one feature's firing on a few others, on rows of alike tokens.

::

    logit P(i fires at t) = eta_t        linear in which members fire at t, and how strongly (analysis.design)

Among features coupled pairwise this is the exact law of one given all others (an Ising model), and in a tree
along which magnitudes matter it is near it.

Newton's method from a weighted least squares fit to each row's own log odds; its matrix kept from step to
step while the steps shrink fast enough, the step halved where the likelihood falls; a ridge of a tenth of a
token on all but the constant, so that what never or always fires with ``i`` has a finite coefficient.

A step's length is Newton's decrement ``sqrt(g' H^-1 g)``: by how many standard errors the farthest
combination of coefficients is off, and so the most that a score test can be off by, in its own.
"""

import math

import numpy as np

from analysis.activations import Float64, Int32
from analysis.cholesky import factorise, solve
from analysis.design import Design, add_gradient, add_information, chance, log_odds
from analysis.kernel import kernel

RIDGE = 0.1
_LONGEST_STEP = 3.0
_MOST_STEPS = 60
SHRINKING = 0.4
"""Ratio of one step to the one before from which on the matrix is made anew."""


@kernel
def fires_of(tokens: Int32, row_of: Int32, rows: int) -> Float64:
    """Count the tokens of each of `rows` rows at which a feature that fires at `tokens` does."""
    fires = np.zeros(rows)
    for t in tokens:
        fires[row_of[t]] += 1.0
    return fires


@kernel
def newton_step(factor: Float64, gradient: Float64) -> float:
    """Overwrite `gradient` with Newton's step, cut to the longest allowed; returns the decrement uncut."""
    slope = gradient.copy()
    solve(factor, gradient, len(gradient))
    decrement = math.sqrt(max(0.0, (slope * gradient).sum()))
    gradient *= _LONGEST_STEP / max(np.abs(gradient).max(), _LONGEST_STEP)
    return decrement


@kernel
def fit_logistic(
    design: Design, fires: Float64, tolerance: float, theta: Float64, p: Float64, information: Float64
) -> bool:
    """Fit one feature.

    Parameters
    ----------
    design
        Rows of the members.
    fires : shape (rows,)
        Tokens of each row at which the feature that is regressed fires.
    tolerance
        Largest decrement of the last step, in standard errors.
    theta : shape (columns,)
        Coefficients, on return.
    p : shape (rows,)
        Probability in each row, on return.
    information : shape (columns, columns)
        Lower triangle of the observed information with the ridge, on return.

    Returns
    -------
    Whether it converged.
    """
    factor = np.empty((len(theta), len(theta)))
    _set_start(design, fires, theta, p, factor)
    step = np.zeros(len(theta))
    before = -np.inf
    decrement_before = np.inf
    converged = False
    anew = True
    for _ in range(_MOST_STEPS):
        gradient = np.empty(len(theta))
        likelihood = _gradient(design, fires, theta, gradient, p)
        if likelihood < before - 1e-9 * abs(before):
            step /= 2
            theta -= step
            anew = True
            continue
        before = likelihood
        if anew:
            _set_information(design, p, factor)
            factorise(factor, len(theta))
        step = gradient
        decrement = newton_step(factor, step)
        anew = decrement > SHRINKING * decrement_before
        decrement_before = decrement
        theta += step
        if decrement < tolerance:
            converged = True
            break
    for row in range(len(p)):
        p[row] = chance(log_odds(design, row, theta))
    _set_information(design, p, information)
    return converged


@kernel
def _set_start(design: Design, fires: Float64, theta: Float64, p: Float64, factor: Float64) -> None:
    """Fit each row's log odds, one token of the mean rate added to it, by weighted least squares."""
    mean = (fires.sum() + 0.5) / (design.tokens.sum() + 1.0)
    theta[:] = 0.0
    for row in range(len(fires)):
        tokens = design.tokens[row]
        p[row] = (fires[row] + mean) / (tokens + 1.0)
        if tokens > 0.0:
            weight = tokens * p[row] * (1.0 - p[row])
            add_gradient(design, row, weight * math.log(p[row] / (1.0 - p[row])), theta)
    _set_information(design, p, factor)
    factorise(factor, len(theta))
    solve(factor, theta, len(theta))


@kernel
def _gradient(design: Design, fires: Float64, theta: Float64, gradient: Float64, p: Float64) -> float:
    """Set gradient and fitted probabilities at `theta`; returns the penalised log likelihood."""
    gradient[:] = 0.0
    likelihood = 0.0
    for row in range(len(fires)):
        tokens = design.tokens[row]
        if tokens > 0.0:
            p[row] = chance(log_odds(design, row, theta))
            if fires[row] > 0.0:
                likelihood += fires[row] * math.log(p[row])
            if fires[row] < tokens:
                likelihood += (tokens - fires[row]) * math.log(1.0 - p[row])
            add_gradient(design, row, fires[row] - tokens * p[row], gradient)
    for c in range(1, len(theta)):
        likelihood -= RIDGE / 2 * float(theta[c]) ** 2
        gradient[c] -= RIDGE * theta[c]
    return likelihood


@kernel
def _set_information(design: Design, p: Float64, information: Float64) -> None:
    """Set the lower triangle of `information` to that of the fit `p`."""
    information[:] = 0.0
    information[0, 0] = 1e-9
    for row in range(len(p)):
        if design.tokens[row] > 0.0:
            add_information(design, row, design.tokens[row] * p[row] * (1.0 - p[row]), information)
    for c in range(1, len(information)):
        information[c, c] += RIDGE
