"""How far two divisions of the same things agree: their adjusted mutual information.

With ``I`` the mutual information of two divisions, ``H`` the entropy of each and ``E`` the mean of ``I`` over
all pairs of divisions with the same sizes of groups (Vinh, Epps and Bailey, 2010)::

    AMI = (I - E) / ((H1 + H2) / 2 - E)

1 where they are the same, 0 as far as chance goes. ``E`` depends on the sizes of the groups only, so groups
of one size are reckoned once, and hundreds of thousands of features take about a second.
"""

import itertools
from collections.abc import Sequence

import numpy as np
from scipy.special import gammaln

from analysis.activations import Float64, Int32, Int64
from analysis.kernel import kernel

Labels = Int32 | Int64


def adjusted_mutual_information(one: Labels, other: Labels) -> float:
    """Return the adjusted mutual information of two divisions, labels of 0 or more, shape (n,) each."""
    n = len(one)
    first, second = np.unique(one, return_inverse=True)[1], np.unique(other, return_inverse=True)[1]
    size, size_other = np.bincount(first), np.bincount(second)
    if n == 0 or len(size) == len(size_other) == 1:
        return 1.0
    pairs, both = np.unique(first * len(size_other) + second, return_counts=True)
    if len(pairs) == len(size) == len(size_other):
        return 1.0
    product = size[pairs // len(size_other)].astype(np.float64) * size_other[pairs % len(size_other)]
    information = float((both / n * np.log(n * both / product)).sum())
    groups, count = np.unique(size, return_counts=True)
    groups_other, count_other = np.unique(size_other, return_counts=True)
    expected = _expected(groups, count, groups_other, count_other, n, gammaln(np.arange(n + 1) + 1.0))
    mean = (_entropy(size, n) + _entropy(size_other, n)) / 2
    return (information - expected) / (mean - expected)


def mean_agreement(divisions: Sequence[Labels]) -> float:
    """Return the mean over all pairs of divisions, NaN for a single one."""
    pairs = itertools.combinations(divisions, 2)
    found = [adjusted_mutual_information(one, other) for one, other in pairs]
    return float(np.mean(found)) if found else np.nan


def _entropy(size: Int64, n: int) -> float:
    share = size / n
    return float(-(share * np.log(share)).sum())


@kernel
def _expected(
    size: Int64, count: Int64, size_other: Int64, count_other: Int64, n: int, log_factorial: Float64
) -> float:
    """Mean of the mutual information by the hypergeometric law of what two groups have in common."""
    total = 0.0
    for i in range(len(size)):
        a = size[i]
        for j in range(len(size_other)):
            b = size_other[j]
            margins = (
                log_factorial[a]
                + log_factorial[b]
                + log_factorial[n - a]
                + log_factorial[n - b]
                - log_factorial[n]
            )
            mean = 0.0
            for both in range(max(1, a + b - n), min(a, b) + 1):
                cells = (
                    log_factorial[both]
                    + log_factorial[a - both]
                    + log_factorial[b - both]
                    + log_factorial[n - a - b + both]
                )
                mean += both / n * np.log(n * both / (a * b)) * np.exp(margins - cells)
            total += count[i] * count_other[j] * mean
    return total
