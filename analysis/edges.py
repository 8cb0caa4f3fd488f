"""Edges of one trial: features that chose each other (AND rule).

An edge ``{i, j}`` needs ``b_ij`` and ``b_ji`` both non-zero and of one sign; its weight is
``sign * sqrt(|b_ij b_ji|)``. Opposite signs are no edge, and are counted.
"""

from dataclasses import dataclass

import numpy as np

from analysis.activations import Float64, Int32
from analysis.kernel import kernel


@dataclass(frozen=True)
class Edges:
    """Edges of one trial, ascending by source, then target.

    Parameters
    ----------
    source, target : shape (edges,)
        ``source < target``.
    weight, correlation : shape (edges,)
        Signed geometric mean of the two coefficients, and the marginal correlation.
    opposed
        Pairs that chose each other with opposite signs; no edges.
    """

    source: Int32
    target: Int32
    weight: Float64
    correlation: Float64
    opposed: int


def mutual_edges(candidate: Int32, correlation: Float64, coefficient: Float64) -> Edges:
    """Keep the pairs chosen from both ends.

    Parameters
    ----------
    candidate, correlation, coefficient : shape (F, K)
        Candidates of each feature (-1 behind the last), their correlations and coefficients.
    """
    source, target, weight, marginal, opposed = _mutual(candidate, correlation, coefficient)
    order = np.lexsort((target, source))
    return Edges(source[order], target[order], weight[order], marginal[order], opposed)


@kernel
def _mutual(
    candidate: Int32, correlation: Float64, coefficient: Float64
) -> tuple[Int32, Int32, Float64, Float64, int]:
    n_features, k = candidate.shape
    most = np.count_nonzero(coefficient)
    source = np.empty(most, np.int32)
    target = np.empty(most, np.int32)
    weight = np.empty(most)
    marginal = np.empty(most)
    edges = 0
    opposed = 0
    for i in range(n_features):
        for a in range(k):
            j = candidate[i, a]
            if j <= i or coefficient[i, a] == 0.0:
                continue
            for b in range(k):
                if candidate[j, b] != i or coefficient[j, b] == 0.0:
                    continue
                product = coefficient[i, a] * coefficient[j, b]
                if product < 0.0:
                    opposed += 1
                    continue
                source[edges] = i
                target[edges] = j
                weight[edges] = np.sign(coefficient[i, a]) * np.sqrt(product)
                marginal[edges] = correlation[i, a]
                edges += 1
    return source[:edges], target[:edges], weight[:edges], marginal[:edges], opposed
