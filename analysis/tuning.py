"""Which penalty of a path: information criteria, or cross-validation.

::

    EBIC = n log(RSS / n) + df log n + 2 gamma df log(F - 1)

with the RSS at the LASSO coefficients, ``df`` their number, ``gamma = 0.5`` (Chen and Chen 2008; Foygel and
Drton 2010); BIC is ``gamma = 0``. Cross-validation takes the least mean squared error over contiguous folds.
"""

import numpy as np

from analysis.activations import Float64
from analysis.kernel import kernel
from analysis.lasso import lasso_path

LEAST_RSS = 1e-12
"""Floor of RSS / n, the response having variance 1: a perfect fit has no logarithm."""


@kernel
def best_by_criterion(
    betas: Float64, gradients: Float64, moment: Float64, n: int, gamma: float, log_others: float
) -> int:
    """Step with the least EBIC (BIC for gamma 0); the sparser one of equals.

    The response has variance 1 and ``G b = c - g``, so ``RSS / n = 1 - b'(c + g)``.
    """
    best = 0
    least = np.inf
    for step in range(len(betas)):
        rss = 1.0
        df = 0
        for j in range(betas.shape[1]):
            if betas[step, j] != 0.0:
                df += 1
                rss -= betas[step, j] * (moment[j] + gradients[step, j])
        score = n * np.log(max(rss, LEAST_RSS)) + df * (np.log(n) + 2.0 * gamma * log_others)
        if score < least:
            least = score
            best = step
    return best


@kernel
def best_by_folds(
    sums: Float64, squares: Float64, tokens: Float64, path: Float64, size: int
) -> tuple[int, bool]:
    """Step with the least mean squared error, averaged over the folds; the sparser one of equals.

    Parameters
    ----------
    sums : shape (folds, size + 1)
        Sum of each standardised column over each fold; the response is the last.
    squares : shape (folds, size + 1, size + 1)
        Sums of products over each fold.
    tokens : shape (folds,)
        Tokens of each fold.
    path : shape (steps,)
        Penalties, falling.
    size
        Number of candidates.

    Returns
    -------
    The step, and whether the paths of all folds converged.
    """
    error = np.zeros(len(path))
    converged = True
    for fold in range(len(tokens)):
        train = tokens.sum() - tokens[fold]
        mean = np.zeros(size + 1)
        inside = np.zeros((size + 1, size + 1))
        outside = np.zeros((size + 1, size + 1))
        for a in range(size + 1):
            mean[a] = (sums[:, a].sum() - sums[fold, a]) / train
        for a in range(size + 1):
            for b in range(size + 1):
                about = mean[a] * mean[b]
                inside[a, b] = (squares[:, a, b].sum() - squares[fold, a, b]) / train - about
                cross = sums[fold, a] * mean[b] + sums[fold, b] * mean[a]
                outside[a, b] = (squares[fold, a, b] - cross) / tokens[fold] + about
        betas, _, _, good = lasso_path(inside, inside[size].copy(), path, size)
        converged = converged and good
        for step in range(len(path)):
            miss = outside[size, size]
            for a in range(size):
                if betas[step, a] != 0.0:
                    miss -= 2.0 * betas[step, a] * outside[size, a]
                    for b in range(size):
                        miss += betas[step, a] * betas[step, b] * outside[a, b]
            error[step] += miss
    return int(np.argmin(error)), converged
