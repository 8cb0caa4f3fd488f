"""The LASSO path of one response on a few candidates, from second moments alone.

::

    min_b  1/(2n) ||y - X b||^2 + lam ||b||_1      =      1/2 b'G b - c'b + lam ||b||_1 + const

with ``G = X'X / n`` and ``c = X'y / n`` of centred columns. Cyclic coordinate descent on the gradient
``g = c - G b``, warm started down the path, sweeping the active set between full sweeps (Friedman, Hastie and
Tibshirani 2010). The certificate of a solution is its KKT residual: how far the gradient is from

    g_j = lam sign(b_j)  where b_j != 0,      |g_j| <= lam  elsewhere.
"""

import numpy as np

from analysis.activations import Float64
from analysis.kernel import kernel

TOLERANCE = 1e-8
"""Largest change of a coefficient, in standard deviations of the response, at which a sweep is the last."""

MAX_SWEEPS = 10_000
"""Sweeps for one penalty before a node counts as not converged; near-duplicates need thousands."""

LEAST_VARIANCE = 1e-12
"""A candidate whose remaining variance is below this is constant (in a fold, say) and gets no coefficient."""


@kernel
def penalties(largest: float, smallest_ratio: float, count: int) -> Float64:
    """Return `count` penalties, log-spaced from `largest` down to `smallest_ratio` times it."""
    path = np.empty(count)
    for step in range(count):
        path[step] = largest * smallest_ratio ** (step / (count - 1.0))
    return path


@kernel
def _sweep(
    gram: Float64, beta: Float64, gradient: Float64, penalty: float, size: int, active_only: bool
) -> float:
    """Update every coordinate (or the active ones) once; returns the largest change."""
    largest = 0.0
    for j in range(size):
        if (active_only and beta[j] == 0.0) or gram[j, j] < LEAST_VARIANCE:
            continue
        pull = gradient[j] + gram[j, j] * beta[j]
        new = 0.0
        if pull > penalty:
            new = (pull - penalty) / gram[j, j]
        elif pull < -penalty:
            new = (pull + penalty) / gram[j, j]
        change = new - beta[j]
        if change != 0.0:
            beta[j] = new
            row = gram[j]
            for other in range(size):
                gradient[other] -= change * row[other]
            largest = max(largest, abs(change))
    return largest


@kernel
def descend(gram: Float64, beta: Float64, gradient: Float64, penalty: float, size: int) -> tuple[int, bool]:
    """Minimise at one `penalty` from the warm start `beta`, with ``gradient = c - G beta``; both are updated.

    Returns
    -------
    Number of sweeps, and whether the last full sweep changed nothing above the tolerance.
    """
    sweeps = 0
    while sweeps < MAX_SWEEPS:
        sweeps += 1
        if _sweep(gram, beta, gradient, penalty, size, False) < TOLERANCE:
            return sweeps, True
        while sweeps < MAX_SWEEPS:
            sweeps += 1
            if _sweep(gram, beta, gradient, penalty, size, True) < TOLERANCE:
                break
    return sweeps, False


@kernel
def kkt_residual(gram: Float64, moment: Float64, beta: Float64, penalty: float, size: int) -> float:
    """Largest violation of the optimality conditions at `beta`, the gradient computed afresh."""
    # Row by row, G being symmetric: all gradients grow side by side.
    gradients = moment[:size].copy()
    for other in range(size):
        row = gram[other]
        b = beta[other]
        for j in range(size):
            gradients[j] -= row[j] * b
    worst = 0.0
    for j in range(size):
        if gram[j, j] < LEAST_VARIANCE:
            continue
        gradient = gradients[j]
        if beta[j] > 0.0:
            worst = max(worst, abs(gradient - penalty))
        elif beta[j] < 0.0:
            worst = max(worst, abs(gradient + penalty))
        else:
            worst = max(worst, abs(gradient) - penalty)
    return worst


@kernel
def lasso_path(
    gram: Float64, moment: Float64, path: Float64, size: int
) -> tuple[Float64, Float64, int, bool]:
    """Solve at every penalty of `path`, falling, warm started.

    Parameters
    ----------
    gram : shape (>= size, >= size)
        ``G``; only the leading `size` rows and columns are read.
    moment : shape (>= size,)
        ``c``.
    path : shape (steps,)
        Penalties, falling.
    size
        Number of candidates.

    Returns
    -------
    Coefficients (steps, size), their gradients (steps, size), sweeps in all, whether all steps converged.
    """
    betas = np.zeros((len(path), size))
    gradients = np.zeros((len(path), size))
    beta = np.zeros(size)
    gradient = moment[:size].copy()
    sweeps = 0
    converged = True
    for step in range(len(path)):
        taken, good = descend(gram, beta, gradient, path[step], size)
        sweeps += taken
        converged = converged and good
        betas[step] = beta
        gradients[step] = gradient
    return betas, gradients, sweeps, converged
