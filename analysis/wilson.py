"""Wilson's interval of a rate: ``k`` hits of ``n``.

    (k + z^2/2 +- z sqrt(k (n - k) / n + z^2/4)) / (n + z^2)

It stays within 0 and 1 and says something of 0 hits too (Wilson, J. Am. Stat. Assoc. 22, 1927).
"""

import math

_Z = 1.959963984540054
"""Of the normal distribution, so that 95 % lie within."""


def wilson(hits: int, of: int) -> tuple[float, float]:
    """Return the 95 % interval of a rate; nan and nan of nothing."""
    if not of:
        return math.nan, math.nan
    middle = hits + _Z**2 / 2
    reach = _Z * math.sqrt(hits * (of - hits) / of + _Z**2 / 4)
    low, high = ((middle + side * reach) / (of + _Z**2) for side in (-1, 1))
    return max(0.0, low), min(1.0, high)
