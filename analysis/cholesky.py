"""Cholesky factors of small positive definite matrices, inside kernels."""

import numpy as np

from analysis.activations import Float64
from analysis.kernel import kernel

_LEAST_PIVOT = 1e-10
_LEAST_LEFT = 1e-3


@kernel
def factorise(matrix: Float64, size: int) -> None:
    """Overwrite the lower triangle of `matrix`, its leading `size` rows, with its factor ``L``, ``L L' = A``.

    Only the lower triangle is read. A pivot that rounding has taken to 0 is lifted to 1e-10.
    """
    for a in range(size):
        row = matrix[a]
        for b in range(a):
            value = row[b]
            for c in range(b):
                value -= row[c] * matrix[b, c]
            row[b] = value / matrix[b, b]
        pivot = row[a]
        for c in range(a):
            pivot -= row[c] * row[c]
        row[a] = np.sqrt(max(pivot, _LEAST_PIVOT))


@kernel
def solve_lower(factor: Float64, right: Float64, size: int) -> None:
    """Overwrite `right` with ``L^-1 right``."""
    for a in range(size):
        value = right[a]
        for c in range(a):
            value -= factor[a, c] * right[c]
        right[a] = value / factor[a, a]


@kernel
def solve_upper(factor: Float64, right: Float64, size: int) -> None:
    """Overwrite `right` with ``L'^-1 right``."""
    for a in range(size - 1, -1, -1):
        value = right[a]
        for c in range(a + 1, size):
            value -= factor[c, a] * right[c]
        right[a] = value / factor[a, a]


@kernel
def solve(factor: Float64, right: Float64, size: int) -> None:
    """Overwrite `right` with ``A^-1 right`` for ``A = L L'``."""
    solve_lower(factor, right, size)
    solve_upper(factor, right, size)


@kernel
def is_positive(matrix: Float64, size: int) -> bool:
    """Say whether each of some correlated variables keeps a thousandth of itself given those before it."""
    factor = matrix[:size, :size].copy()
    factorise(factor, size)
    least = 1.0
    for a in range(size):
        least = min(least, factor[a, a])
    return least * least > _LEAST_LEFT
