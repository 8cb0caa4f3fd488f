"""A logistic regression with one member left out, found from the regression with it.

A member ``j`` has columns at its own tokens only. Everywhere else leaving it out changes nothing directly, and
the likelihood of those tokens is taken as its quadratic about the full fit; at the tokens of ``j`` it is exact::

    max over theta without j    sum_{t: j fires} l_t(theta) + g'd - d'Hd / 2        d = theta - theta_full

with ``g`` and ``H`` the gradient and information of all other tokens and the ridge at the full fit. The whole
gradient is 0 there, so ``g`` is that of the tokens of ``j`` with its sign changed, and ``H`` the full information
less theirs. Newton's method on this walks over the tokens of ``j`` alone.
"""

import numpy as np

from analysis.activations import Float64, Int32
from analysis.cholesky import factorise, solve_lower, solve_upper
from analysis.firings import Int8
from analysis.kernel import kernel
from analysis.logistic import LONGEST_STEP, Design, chance, columns_at

_MOST_STEPS = 40


@kernel
def leave_out(
    dropped: int,
    tokens: Int32,
    design: Design,
    row_of: Int32,
    state: Int8,
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
    first, last = design.column[dropped], design.column[dropped + 1]
    full = theta.copy()
    pull = np.zeros(size)
    _add_tokens(-1.0, -1, tokens, design, row_of, state, full, pull, information)
    information[first:last, :] = 0.0
    information[:, first:last] = 0.0
    pull[first:last] = 0.0
    theta[first:last] = 0.0
    rest = information.copy()
    # The other half is read when the quadratic pulls back.
    for a in range(size):
        for b in range(a):
            rest[b, a] = rest[a, b]
    for c in range(first, last):
        rest[c, c] = 1.0
    away = np.empty(size)
    for _ in range(_MOST_STEPS):
        gradient = pull.copy()
        away[:] = theta - full
        away[first:last] = 0.0
        for a in range(size):
            gradient[a] -= (rest[a] * away).sum()
        information[:] = rest
        _add_tokens(1.0, dropped, tokens, design, row_of, state, theta, gradient, information)
        factorise(information, size)
        solve_lower(information, gradient, size)
        solve_upper(information, gradient, size)
        longest = np.abs(gradient).max()
        if longest < tolerance:
            return True
        theta += gradient * min(1.0, LONGEST_STEP / longest)
    return False


@kernel
def _add_tokens(
    sign: float,
    dropped: int,
    tokens: Int32,
    design: Design,
    row_of: Int32,
    state: Int8,
    theta: Float64,
    gradient: Float64,
    information: Float64,
) -> None:
    """Add gradient and information of some tokens at `theta`, times `sign`; lower triangle only."""
    index = np.empty(len(theta), np.int64)
    value = np.empty(len(theta))
    alone = 0.0
    alone_fires = 0.0
    for t in tokens:
        found = columns_at(design, row_of[t], dropped, index, value)
        if found == 1:
            # Nothing else fires: all such tokens are alike.
            alone += 1.0
            alone_fires += state[t]
            continue
        eta = 0.0
        for c in range(found):
            eta += theta[index[c]] * value[c]
        p = chance(eta)
        missed = sign * (state[t] - p)
        weight = sign * p * (1.0 - p)
        for c in range(found):
            gradient[index[c]] += missed * value[c]
            weighted = weight * value[c]
            into = information[index[c]]
            for other in range(c + 1):
                into[index[other]] += weighted * value[other]
    p = chance(theta[0])
    gradient[0] += sign * (alone_fires - alone * p)
    information[0, 0] += sign * alone * p * (1.0 - p)
