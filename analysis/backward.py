"""Backward elimination: what of a LASSO's choice is worth its price once it is no longer shrunk.

A LASSO that is shrunk enough to be sparse makes up for the shrinkage with members that say little. The chosen
ones are fitted again by least squares from second moments, and the one whose loss raises the criterion

    EBIC = n log(RSS / n) + df log n + 2 gamma df log(F - 1)

least is removed, as long as EBIC falls. Removing one updates inverse and coefficients in ``O(df^2)``.
"""

import math

import numpy as np

from analysis.activations import Float64
from analysis.cholesky import factorise, solve
from analysis.kernel import kernel
from analysis.tuning import LEAST_RSS


@kernel
def eliminate(gram: Float64, moment: Float64, beta: Float64, n: int, price: float) -> None:
    """Refit the members with coefficients, and remove those that are not worth their price.

    Parameters
    ----------
    gram : shape (>= size, >= size)
        Correlations of the candidates.
    moment : shape (size,)
        Correlations of the response with them.
    beta : shape (size,)
        The LASSO's coefficients; overwritten with those of least squares, 0 for members removed.
    n
        Tokens.
    price
        What EBIC charges for a member.
    """
    member = np.flatnonzero(beta)
    size = len(member)
    inverse = np.zeros((size, size))
    factor = np.empty((size, size))
    for a in range(size):
        for b in range(size):
            factor[a, b] = gram[member[a], member[b]]
        inverse[a, a] = 1.0
    factorise(factor, size)
    for a in range(size):
        solve(factor, inverse[a], size)
    fitted = np.zeros(size)
    rss = 1.0
    for a in range(size):
        for b in range(size):
            fitted[a] += inverse[a, b] * moment[member[b]]
        rss -= fitted[a] * moment[member[a]]
    there = np.ones(size, np.bool_)
    for _ in range(size):
        worst, least = -1, np.inf
        for a in range(size):
            if there[a] and fitted[a] ** 2 / inverse[a, a] < least:
                worst, least = a, fitted[a] ** 2 / inverse[a, a]
        rss = max(rss, LEAST_RSS)
        if n * math.log((rss + least) / rss) >= price:
            break
        row = inverse[worst].copy()
        share = fitted[worst] / row[worst]
        for a in range(size):
            if there[a]:
                fitted[a] -= share * row[a]
                for b in range(size):
                    inverse[a, b] -= row[a] * row[b] / row[worst]
        there[worst] = False
        rss += least
    beta[:] = 0.0
    for a in range(size):
        if there[a]:
            beta[member[a]] = fitted[a]
