"""Exact tails of the Poisson distribution, far out and for counts that are no whole numbers.

::

    P(N >= c) = P(c, m)            regularised lower incomplete gamma function
    P(N <= c) = Q(c + 1, m)        regularised upper one

Both are returned as logarithms, so that a tail of 1e-400 is still a number. For a count that is not whole the
same functions interpolate, which is what a count divided by its dispersion needs. The two are computed by the
series below ``m = c + 1`` and by Legendre's continued fraction above it (Abramowitz and Stegun 6.5.29,
6.5.31).
"""

import math

from analysis.kernel import kernel

_CLOSE = 1e-13
_TINY = 1e-290
_MOST_TERMS = 100_000


@kernel
def log_at_least(count: float, mean: float) -> float:
    """Return ``log P(N >= count)`` for N Poisson with `mean`; 0 for a count of 0 or less."""
    if count <= 0.0:
        return 0.0
    if mean <= 0.0:
        return -math.inf
    if mean < count + 1.0:
        return _log_series(count, mean)
    return _log_of_rest(_log_fraction(count, mean))


@kernel
def log_at_most(count: float, mean: float) -> float:
    """Return ``log P(N <= count)`` for N Poisson with `mean`; 0 for a mean of 0."""
    if count < 0.0:
        return -math.inf
    if mean <= 0.0:
        return 0.0
    if mean < count + 2.0:
        return _log_of_rest(_log_series(count + 1.0, mean))
    return _log_fraction(count + 1.0, mean)


@kernel
def evidence(count: float, mean: float) -> float:
    """Return ``-log p`` of the two-sided test that `count` is Poisson with `mean`, signed.

    p is twice the smaller tail, at most 1; the sign is that of the tail: above 0 where the count is large.
    """
    above = log_at_least(count, mean)
    below = log_at_most(count, mean)
    if above < below:
        return max(0.0, -above - math.log(2.0))
    return -max(0.0, -below - math.log(2.0))


@kernel
def _log_of_rest(log_p: float) -> float:
    """Return ``log(1 - exp(log_p))``."""
    if log_p >= 0.0:
        return -math.inf
    if log_p > -0.7:
        return math.log(-math.expm1(log_p))
    return math.log1p(-math.exp(log_p))


@kernel
def _log_series(a: float, x: float) -> float:
    """Log of the regularised lower incomplete gamma function at ``x < a + 1``."""
    term = 1.0
    total = 1.0
    for step in range(1, _MOST_TERMS):
        term *= x / (a + step)
        total += term
        if term < total * _CLOSE:
            break
    return a * math.log(x) - x - math.lgamma(a + 1.0) + math.log(total)


@kernel
def _log_fraction(a: float, x: float) -> float:
    """Log of the regularised upper incomplete gamma function at ``x >= a + 1`` (Lentz's method)."""
    b = x + 1.0 - a
    c = 1.0 / _TINY
    d = 1.0 / b
    fraction = d
    for step in range(1, _MOST_TERMS):
        an = -step * (step - a)
        b += 2.0
        d = an * d + b
        if abs(d) < _TINY:
            d = _TINY
        c = b + an / c
        if abs(c) < _TINY:
            c = _TINY
        d = 1.0 / d
        change = d * c
        fraction *= change
        if abs(change - 1.0) < _CLOSE:
            break
    return a * math.log(x) - x - math.lgamma(a) + math.log(fraction)
