"""Screening: which features are candidate neighbours of which.

Pearson correlation over all tokens, zeros included::

    r_ij = (sum_t x_ti x_tj / n - mu_i mu_j) / (sd_i sd_j)        z = atanh(r) sqrt(n - 3)

two-sided normal p, Benjamini-Hochberg at level q over all F (F - 1) / 2 pairs, and of the pairs that pass,
the K largest |r| of each feature. Pairs that never fire together count too: their sum is zero, so the margins
alone give ``r_ij = - (mu_i / sd_i)(mu_j / sd_j)``. Features that take no part count as tests that do not
reject.

All pairs share one ``n``, so p falls as |r| grows and Benjamini-Hochberg is one threshold on |r|. It is found
from a histogram of |r|: one pass, no list of pairs, and counts in integers whatever the number of threads.
The threshold is rounded up to a bin of the histogram, so at most fewer pairs pass, never more; a bin is
1/4096 of the |r| at which a single pair would pass by Bonferroni, under 0.002 standard deviations of z.

Source: the steps are those of the post "Preliminary Results on Building Graphs from SAEs"; q and K are our
reconstruction.
"""

from dataclasses import dataclass

import numba
import numpy as np
from scipy.special import ndtr, ndtri

from analysis.activations import Activations, Bool, Columns, Float32, Float64, Int32, Int64
from analysis.columns import Moments
from analysis.kernel import kernel, parallel_kernel
from analysis.top_k import offer, sort_best_first

BINS = 4096


@dataclass(frozen=True)
class Candidates:
    """Candidate neighbours of every feature.

    Parameters
    ----------
    feature : shape (F, K)
        Row ``i``: candidates of ``i`` by falling |r|, ties by index; -1 behind the last.
    correlation : shape (F, K)
        Their Pearson correlation with ``i``; 0 behind the last.
    threshold
        Least |r| that passes; infinite when nothing does.
    passed
        Number of pairs that pass.
    """

    feature: Int32
    correlation: Float64
    threshold: float
    passed: int


def screen(
    activations: Activations, columns: Columns, moments: Moments, part: Bool, q: float = 0.05, k: int = 64
) -> Candidates:
    """Screen all pairs of features that take part.

    Parameters
    ----------
    activations, columns, moments
        One replicate, by token, by feature, and its moments.
    part : shape (F,)
        Which features take part; each must have a deviation above 0.
    q
        Level of Benjamini-Hochberg, in (0, 1).
    k
        Most candidates of a feature.
    """
    n, n_features = activations.n_tokens, activations.n_features
    pairs = n_features * (n_features - 1) // 2
    if pairs == 0 or n < 4:
        return _nothing(n_features, k)
    floor = _r_of_p(q, n)
    ceiling = _r_of_p(q / pairs, n)
    ratio = np.zeros(n_features)
    ratio[part] = moments.mean[part] / moments.deviation[part]
    by_ratio = np.flatnonzero(part)[np.argsort(-ratio[part], kind="stable")].astype(np.int32)
    feature, correlation, histogram = _screen(
        activations.start,
        activations.feature,
        activations.value,
        columns.start,
        columns.token,
        columns.value,
        moments.mean,
        moments.deviation,
        ratio,
        by_ratio,
        part,
        n,
        k,
        floor,
        BINS / ceiling,
        4 * numba.get_num_threads(),
    )
    least_bin, passed = _least_bin(histogram, ceiling, pairs, n, q)
    below = np.minimum(BINS, np.abs(correlation) * (BINS / ceiling)).astype(np.int64) < least_bin
    feature[below] = -1
    correlation[below] = 0.0
    return Candidates(feature, correlation, least_bin * ceiling / BINS if passed else np.inf, passed)


def p_of_r(r: Float64, n: int) -> Float64:
    """Two-sided normal p of correlations `r` over `n` tokens by Fisher's z."""
    with np.errstate(divide="ignore"):
        z = np.arctanh(np.minimum(np.abs(r), 1.0)) * np.sqrt(n - 3)
    return np.asarray(2 * ndtr(-z), np.float64)


def _r_of_p(p: float, n: int) -> float:
    """Return the |r| whose two-sided p is `p`."""
    return float(np.tanh(-ndtri(p / 2) / np.sqrt(n - 3)))


def _least_bin(histogram: Int64, ceiling: float, pairs: int, n: int, q: float) -> tuple[int, int]:
    """Benjamini-Hochberg on the bin edges: the least edge with ``p(edge) <= q N(edge) / pairs``.

    Returns its number (one past the last bin when there is none) and ``N`` there. The last edge is where a
    single pair passes, by construction, so rounding must not undo that.
    """
    edges = ceiling * np.arange(BINS + 1) / BINS
    at_least = np.cumsum(histogram[::-1])[::-1]
    rejects = (p_of_r(edges, n) <= q * at_least / pairs * (1 + 1e-9)) & (at_least > 0)
    if not rejects.any():
        return BINS + 1, 0
    first = int(np.argmax(rejects))
    return first, int(at_least[first])


def _nothing(n_features: int, k: int) -> Candidates:
    return Candidates(np.full((n_features, k), -1, np.int32), np.zeros((n_features, k)), np.inf, 0)


@kernel
def _sum_products(
    i: int,
    row_start: Int64,
    row_feature: Int32,
    row_value: Float32,
    start: Int64,
    token: Int32,
    value: Float32,
    total: Float64,
    touched: Int32,
) -> int:
    """Add up ``x_ti x_tj`` in `total` for every ``j`` that fires with ``i``; lists them in `touched`."""
    fires_with = 0
    for entry in range(start[i], start[i + 1]):
        t = token[entry]
        x = np.float64(value[entry])
        for other in range(row_start[t], row_start[t + 1]):
            j = row_feature[other]
            if total[j] == 0.0:
                touched[fires_with] = j
                fires_with += 1
            total[j] += x * row_value[other]
    return fires_with


@parallel_kernel
def _screen(
    row_start: Int64,
    row_feature: Int32,
    row_value: Float32,
    start: Int64,
    token: Int32,
    value: Float32,
    mean: Float64,
    deviation: Float64,
    ratio: Float64,
    by_ratio: Int32,
    part: Bool,
    n: int,
    k: int,
    floor: float,
    scale: float,
    blocks: int,
) -> tuple[Int32, Float64, Int64]:
    """Correlate every feature with all others; see the module for what comes back.

    Feature ``i`` is worked by one thread in one fixed order, whichever thread that is. Each pair is visited
    from both ends and counted from the lower one.
    """
    n_features = len(start) - 1
    best_j = np.full((n_features, k), -1, np.int32)
    best_r = np.zeros((n_features, k))
    histograms = np.zeros((blocks, BINS + 1), np.int64)
    for block in numba.prange(blocks):
        total = np.zeros(n_features)
        touched = np.empty(n_features, np.int32)
        histogram = histograms[block]
        for i in range(block, n_features, blocks):
            if not part[i]:
                continue
            fires_with = _sum_products(
                i, row_start, row_feature, row_value, start, token, value, total, touched
            )
            size = 0
            for place in range(fires_with):
                j = touched[place]
                if part[j] and j != i:
                    r = (total[j] / n - mean[i] * mean[j]) / (deviation[i] * deviation[j])
                    if i < j:
                        histogram[min(BINS, np.int64(abs(r) * scale))] += 1
                    if abs(r) >= floor:
                        size = offer(best_r[i], best_j[i], size, r, j)
            # Of the pairs that never fire together only those with a product above the floor can pass.
            for j in by_ratio:
                r = -ratio[i] * ratio[j]
                if -r < floor:
                    break
                if total[j] == 0.0:
                    if i < j:
                        histogram[min(BINS, np.int64(abs(r) * scale))] += 1
                    size = offer(best_r[i], best_j[i], size, r, j)
            for place in range(fires_with):
                total[touched[place]] = 0.0
            sort_best_first(best_r[i], best_j[i], size)
    histogram = np.zeros(BINS + 1, np.int64)
    for block in range(blocks):
        histogram += histograms[block]
    return best_j, best_r, histogram
