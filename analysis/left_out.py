"""A logistic regression with one member left out, found from the regression with it.

A member ``j`` has columns at its own tokens only. At those tokens the likelihood is taken as it is, and so it
is at the many tokens where no member fires; at all others, where leaving ``j`` out changes nothing directly,
it is taken as its quadratic about the full fit::

    max over theta without j    sum_t l_t(theta) + g'd - d'Hd / 2        d = theta - theta_full
                                (t: j fires, or none does)

with ``g`` and ``H`` the gradient and information of the other tokens and the ridge at the full fit: the whole
gradient is 0 there, so ``g`` is that of the tokens of the sum with its sign changed, and ``H`` the full
information less theirs. Newton's method on this walks over the tokens of ``j`` alone.
"""

import math

import numpy as np

from analysis.activations import Float64, Int32
from analysis.cholesky import factorise
from analysis.firings import Int8
from analysis.kernel import kernel
from analysis.logistic import (
    SHRINKING,
    Design,
    add_alike,
    add_gradient,
    add_information,
    chance,
    log_odds,
    newton_step,
)

_MOST_STEPS = 40
_CLOSE = 0.1
"""Step, in log odds, from which on the information found before it serves after it."""


@kernel
def leave_out(
    dropped: int,
    tokens: Int32,
    design: Design,
    row_of: Int32,
    state: Int8,
    silent: tuple[float, float],
    theta: Float64,
    information: Float64,
    tolerance: float,
) -> bool:
    """Leave one member out of a fit.

    Parameters
    ----------
    dropped
        Which member.
    tokens : shape (firings,)
        Tokens at which it fires.
    design, row_of, state
        Rows of the members, row of each token, and whether the regressed feature fires there.
    silent
        Tokens outside all rows, and how often the feature fires there.
    theta : shape (columns,)
        The full fit; on return the fit without the member, whose coefficients are 0.
    information : shape (columns, columns)
        Lower triangle of the information of the full fit; on return the Cholesky factor of that without the
        member, whose own rows are those of the identity.
    tolerance
        Longest last step, in units of log odds.

    Returns
    -------
    Whether it converged.
    """
    size = len(theta)
    full = theta.copy()
    first, last = design.column[dropped], design.column[dropped + 1]
    pull, rest = _elsewhere(dropped, tokens, design, row_of, state, silent, full, information)
    theta[first:last] = 0.0
    away = np.empty(size)
    step = np.zeros(size)
    before = -np.inf
    longest_before = np.inf
    anew = True
    close = False
    converged = False
    for number in range(_MOST_STEPS):
        gradient = pull.copy()
        away[:] = theta - full
        away[first:last] = 0.0
        value = _pull_back(rest, pull, away, gradient)
        if anew:
            information[:] = rest
        value += _add_tokens(
            1.0, last - first, tokens, design, row_of, state, theta, gradient, information, anew
        )
        value += _add_silent(1.0, silent, theta, gradient, information, anew)
        gradient[first:last] = 0.0
        if value < before - 1e-9 * abs(before):
            step /= 2
            theta -= step
            anew = True
            continue
        before = value
        if anew:
            _clear(first, last, gradient, information)
            factorise(information, size)
        step = gradient
        longest = newton_step(information, step)
        if anew:
            close = longest < _CLOSE
        anew = number < 1 or longest > SHRINKING * longest_before
        longest_before = longest
        theta += step
        if longest < tolerance:
            converged = True
            break
    if not close:
        information[:] = rest
        _add_tokens(1.0, last - first, tokens, design, row_of, state, theta, pull, information, True)
        _add_silent(1.0, silent, theta, pull, information, True)
        _clear(first, last, pull, information)
        factorise(information, size)
    return converged


@kernel
def _elsewhere(
    dropped: int,
    tokens: Int32,
    design: Design,
    row_of: Int32,
    state: Int8,
    silent: tuple[float, float],
    full: Float64,
    information: Float64,
) -> tuple[Float64, Float64]:
    """Return gradient and information, both halves, of all tokens that are taken as a quadratic."""
    pull = np.zeros(len(full))
    rest = information.copy()
    # Not alike at the full fit, which has coefficients for the member: a width that no row has.
    _add_tokens(-1.0, -1, tokens, design, row_of, state, full, pull, rest, True)
    _add_silent(-1.0, silent, full, pull, rest, True)
    _clear(design.column[dropped], design.column[dropped + 1], pull, rest)
    for a in range(len(full)):
        for b in range(a):
            rest[b, a] = rest[a, b]
    return pull, rest


@kernel
def _pull_back(rest: Float64, pull: Float64, away: Float64, gradient: Float64) -> float:
    """Take the slope of the quadratic at `away` from `gradient`; returns its value there."""
    value = 0.0
    for a in range(len(away)):
        pulled = (rest[a] * away).sum()
        value += away[a] * (pull[a] - pulled / 2)
        gradient[a] -= pulled
    return value


@kernel
def _add_silent(
    sign: float,
    silent: tuple[float, float],
    theta: Float64,
    gradient: Float64,
    information: Float64,
    with_information: bool,
) -> float:
    """Add what the tokens without any member give, times `sign`; returns their log likelihood."""
    if with_information:
        p = chance(theta[0])
        information[0, 0] += sign * silent[0] * p * (1.0 - p)
    return add_alike(sign, silent[0], silent[1], theta, gradient)


@kernel
def _add_tokens(
    sign: float,
    width: int,
    tokens: Int32,
    design: Design,
    row_of: Int32,
    state: Int8,
    theta: Float64,
    gradient: Float64,
    information: Float64,
    with_information: bool,
) -> float:
    """Add gradient and information (lower triangle) of some tokens at `theta`, times `sign`.

    Rows of `width` entries are those of the member alone; where `theta` is 0 for it they are all alike.
    Returns the log likelihood.
    """
    likelihood = 0.0
    alone = 0.0
    alone_fires = 0.0
    for t in tokens:
        row = row_of[t]
        if design.start[row + 1] - design.start[row] == width:
            alone += 1.0
            alone_fires += state[t]
            continue
        p = chance(log_odds(design, row, theta))
        likelihood += math.log(p if state[t] > 0 else 1.0 - p)
        add_gradient(design, row, sign * (state[t] - p), gradient)
        if with_information:
            add_information(design, row, sign * p * (1.0 - p), information)
    if alone > 0.0:
        likelihood += _add_silent(sign, (alone, alone_fires), theta, gradient, information, with_information)
    return likelihood


@kernel
def _clear(first: int, last: int, gradient: Float64, information: Float64) -> None:
    """Set the rows of the member left out to those of the identity, and its gradient to 0."""
    gradient[first:last] = 0.0
    information[first:last, :] = 0.0
    information[:, first:last] = 0.0
    for c in range(first, last):
        information[c, c] = 1.0
