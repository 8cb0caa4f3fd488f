"""How long a feature keeps firing: tokens of a text are alike, so a count of them is worth fewer draws.

For features that depend on nothing of each other but last from token to token, the variance of the number of
tokens at which both fire is that of a Poisson count times (Bartlett 1935)

    phi_ij = 1 + 2 sum_{k=1}^{LAGS} rho_i(k) rho_j(k)

with the autocorrelations ``rho`` of their firing states within a replicate. A tail is then taken at the count
and the mean divided by ``phi``, never below 1: as many clumps of tokens rather than tokens.
"""

import numba
import numpy as np

from analysis.activations import Float32, Int32, Int64
from analysis.firings import Firings
from analysis.kernel import kernel, parallel_kernel

LAGS = 64


def autocorrelations(firings: Firings) -> Float32:
    """Autocorrelation of every feature's states at lags 1 to `LAGS`, shape (F, LAGS); 0 for silent ones."""
    return _autocorrelations(firings.start, firings.token, firings.bounds)


@parallel_kernel
def _autocorrelations(start: Int64, token: Int32, bounds: Int64) -> Float32:
    n = bounds[-1]
    found = np.zeros((len(start) - 1, LAGS), np.float32)
    for i in numba.prange(len(start) - 1):
        fires = start[i + 1] - start[i]
        if fires in (0, n):
            continue
        together = np.zeros(LAGS, np.int64)
        replicate = 0
        for entry in range(start[i], start[i + 1]):
            while token[entry] >= bounds[replicate + 1]:
                replicate += 1
            later = entry + 1
            while later < start[i + 1]:
                lag = token[later] - token[entry]
                if lag > LAGS or token[later] >= bounds[replicate + 1]:
                    break
                together[lag - 1] += 1
                later += 1
        rate = fires / n
        for k in range(LAGS):
            found[i, k] = (together[k] / fires - rate) / (1.0 - rate)
    return found


@kernel
def dispersion(rho_i: Float32, rho_j: Float32) -> float:
    """Return ``phi`` of two features, at least 1."""
    total = np.float32(0.0)
    for k in range(LAGS):
        total += rho_i[k] * rho_j[k]
    return max(1.0, 1.0 + 2.0 * float(total))
