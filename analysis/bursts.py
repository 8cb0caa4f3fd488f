"""How long a feature keeps firing: tokens of a text are alike, so a count of them is worth fewer draws.

For features that depend on nothing of each other but last from token to token, the variance of the number of
tokens at which both fire is that of a Poisson count times (Bartlett 1935)

    phi_ij = 1 + 2 sum_{k>=1} rho_i(k) rho_j(k)

with the autocorrelations ``rho`` of their firing states within a replicate. A tail is then taken at the count
and the mean divided by ``phi``, never below 1: as many clumps of tokens rather than tokens.

Lags up to `LAGS` are counted one by one. Features of a subject last as long as documents do, so beyond, up to
2,048 tokens, lags are taken together in spans, each twice as long as the one before.
"""

import math

import numba
import numpy as np

from analysis.activations import Float32, Int32, Int64
from analysis.firings import Firings
from analysis.kernel import kernel, parallel_kernel

LAGS = 64
"""Lags that are counted one by one."""

SPANS = 5
"""Spans of lags beyond; span ``s`` are the lags above ``LAGS 2^s``, up to twice as many."""


def autocorrelations(firings: Firings) -> Float32:
    """Autocorrelation of every feature's states, shape (F, LAGS + SPANS); 0 for silent ones.

    First at lags 1 to `LAGS`; then the mean over each span, times the root of its length, so that the
    products of two features sum to what all lags add.
    """
    return _autocorrelations(firings.start, firings.token, firings.bounds)


@parallel_kernel
def _autocorrelations(start: Int64, token: Int32, bounds: Int64) -> Float32:
    n = bounds[-1]
    found = np.zeros((len(start) - 1, LAGS + SPANS), np.float32)
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
        together, exposed = _within_spans(token[start[i] : start[i + 1]], bounds)
        for s in range(SPANS):
            if exposed[s] > 0:
                away = (together[s] / exposed[s] - rate) / (1.0 - rate)
                found[i, LAGS + s] = away * math.sqrt(LAGS * 2**s)
    return found


@kernel
def _within_spans(tokens: Int32, bounds: Int64) -> tuple[Int64, Int64]:
    """Pairs of firings whose lag is in each span; and tokens of the replicate that are as far behind."""
    together = np.zeros(SPANS, np.int64)
    exposed = np.zeros(SPANS, np.int64)
    beyond = np.zeros(SPANS + 1, np.int64)
    replicate = 0
    for t in tokens:
        while t >= bounds[replicate + 1]:
            replicate += 1
        end = bounds[replicate + 1]
        for edge in range(SPANS + 1):
            # The first firing past this edge, or past the replicate.
            farthest = min(t + LAGS * 2**edge, end - 1)
            while beyond[edge] < len(tokens) and tokens[beyond[edge]] <= farthest:
                beyond[edge] += 1
            if edge > 0:
                together[edge - 1] += beyond[edge] - beyond[edge - 1]
                exposed[edge - 1] += farthest - min(t + LAGS * 2 ** (edge - 1), end - 1)
    return together, exposed


@kernel
def dispersion(rho_i: Float32, rho_j: Float32) -> float:
    """Return ``phi`` of two features, at least 1."""
    total = np.float32(0.0)
    for k in range(len(rho_i)):
        total += rho_i[k] * rho_j[k]
    return max(1.0, 1.0 + 2.0 * float(total))
