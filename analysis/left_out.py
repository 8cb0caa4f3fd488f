"""A logistic regression with one member left out, found from the regression with it.

A member ``j`` has columns in its own rows only. There the likelihood is taken as it is, and so it is in the
row of no member; in all others, where leaving ``j`` out changes nothing directly, it is taken as its
quadratic about the full fit. The gradient of the whole is 0 at the full fit. So with ``x_r`` the rows without
the columns of ``j``, ``n_r`` their tokens, ``H`` the full information, ``d = theta - theta_full`` and
``w = p (1 - p)``

    gradient = -H d + sum_r n_r (p_r - p_r(theta) + w_r x_r'd) x_r      r the rows of j, and that of no member

whatever the feature that is regressed did. Newton's method on this walks over those rows alone.
"""

import math

import numpy as np

from analysis.activations import Float64, Int32
from analysis.cholesky import factorise
from analysis.design import Design, add_gradient, add_information, chance, log_odds
from analysis.kernel import kernel
from analysis.logistic import SHRINKING, newton_step

_MOST_STEPS = 40
_CLOSE = 0.1
"""Way, in log odds, from where the information was taken, over which it serves."""


@kernel
def leave_out(
    dropped: int,
    rows: Int32,
    design: Design,
    p: Float64,
    theta: Float64,
    information: Float64,
    tolerance: float,
    without: Float64,
) -> bool:
    """Leave one member out of a fit.

    Parameters
    ----------
    dropped
        Which member.
    rows : shape (k,)
        The rows in which it fires, and before them row 0.
    design
        Rows of the members.
    p : shape (rows,)
        Probability in each row, by the full fit.
    theta : shape (columns,)
        The full fit; on return the fit without the member, whose coefficients are 0.
    information : shape (columns, columns)
        Lower triangle of the information of the full fit; on return the Cholesky factor of that without the
        member, whose own rows are those of the identity.
    tolerance
        Largest decrement of the last step, in standard errors.
    without : shape (k,)
        Probability in each of `rows`, by the fit without the member, on return.

    Returns
    -------
    Whether it converged.
    """
    size = len(theta)
    first, last = design.column[dropped], design.column[dropped + 1]
    _clear(first, last, information)
    whole = _both_halves(information)
    factorise(information, size)
    theta[first:last] = 0.0
    full = theta.copy()
    before = np.empty(len(rows))
    for r in range(len(rows)):
        before[r] = log_odds(design, rows[r], full)
    taken_at = np.full(size, np.inf)
    step = np.zeros(size)
    value_before = -np.inf
    decrement_before = np.inf
    anew = False
    converged = False
    for number in range(_MOST_STEPS):
        gradient = np.empty(size)
        value = _climb(rows, design, p, theta, full, before, whole, gradient, without)
        gradient[first:last] = 0.0
        if value < value_before - 1e-9 * abs(value_before):
            step /= 2
            theta -= step
            anew = True
            continue
        value_before = value
        if anew:
            _set_factor(first, last, rows, design, p, without, whole, information)
            taken_at[:] = theta
        step = gradient
        decrement = newton_step(information, step)
        anew = number < 1 or decrement > SHRINKING * decrement_before
        decrement_before = decrement
        theta += step
        if decrement < tolerance:
            converged = True
            break
    for r in range(len(rows)):
        without[r] = chance(log_odds(design, rows[r], theta))
    if not np.abs(theta - taken_at).max() < _CLOSE:
        _set_factor(first, last, rows, design, p, without, whole, information)
    return converged


@kernel
def _climb(
    rows: Int32,
    design: Design,
    p: Float64,
    theta: Float64,
    full: Float64,
    before: Float64,
    whole: Float64,
    gradient: Float64,
    without: Float64,
) -> float:
    """Set the gradient at `theta`, and the probability in each of `rows`; returns how likely it is."""
    value = 0.0
    away = theta - full
    for a in range(len(theta)):
        gradient[a] = -(whole[a] * away).sum()
        value += away[a] * gradient[a] / 2
    for r in range(len(rows)):
        row = rows[r]
        eta = log_odds(design, row, theta)
        further = eta - before[r]
        without[r] = chance(eta)
        bent = p[row] * (1.0 - p[row]) * further
        value += design.tokens[row] * (further * (p[row] + bent / 2) - _silence(eta))
        add_gradient(design, row, design.tokens[row] * (p[row] - without[r] + bent), gradient)
    return value


@kernel
def _silence(eta: float) -> float:
    """Return ``-log(1 - p)`` at log odds `eta`, however large."""
    return max(0.0, eta) + math.log1p(math.exp(-abs(eta)))


@kernel
def _set_factor(
    first: int,
    last: int,
    rows: Int32,
    design: Design,
    p: Float64,
    without: Float64,
    whole: Float64,
    factor: Float64,
) -> None:
    """Set `factor` to that of the information where `rows` have the probability `without` instead of `p`."""
    factor[:] = whole
    for r in range(len(rows)):
        row = rows[r]
        more = without[r] * (1.0 - without[r]) - p[row] * (1.0 - p[row])
        add_information(design, row, design.tokens[row] * more, factor)
    _clear(first, last, factor)
    factorise(factor, len(factor))


@kernel
def _both_halves(lower: Float64) -> Float64:
    whole = lower.copy()
    for a in range(len(lower)):
        for b in range(a):
            whole[b, a] = whole[a, b]
    return whole


@kernel
def _clear(first: int, last: int, information: Float64) -> None:
    """Set the rows and columns of the member left out to those of the identity."""
    information[first:last, :] = 0.0
    information[:, first:last] = 0.0
    for c in range(first, last):
        information[c, c] = 1.0
