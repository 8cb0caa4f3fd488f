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

from analysis.activations import Bool, Columns, Float32, Float64, Int32, Int64
from analysis.columns import Moments, transpose
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


def screen(columns: Columns, moments: Moments, part: Bool, q: float = 0.05, k: int = 64) -> Candidates:
    """Screen all pairs of features that take part.

    Parameters
    ----------
    columns, moments
        One replicate by feature, and its moments.
    part : shape (F,)
        Which features take part; each must have a deviation above 0.
    q
        Level of Benjamini-Hochberg, in (0, 1).
    k
        Most candidates of a feature.
    """
    n, n_features = columns.n_tokens, columns.n_features
    pairs = n_features * (n_features - 1) // 2
    if pairs == 0 or n < 4:
        return _nothing(n_features, k)
    floor = _r_of_p(q, n)
    ceiling = _r_of_p(q / pairs, n)
    # Rare features first: their correlations are the large ones, so the lists fill with what stays in them.
    name = np.flatnonzero(part)[np.argsort(moments.count[part], kind="stable")].astype(np.int32)
    chosen = _select(columns.start, columns.token, columns.value, name)
    ratio = moments.mean[name] / moments.deviation[name]
    best, size, histogram = _screen(
        *transpose(*chosen, n),
        *chosen,
        1.0 / moments.deviation[name],
        ratio,
        np.argsort(-ratio, kind="stable").astype(np.int32),
        name,
        n,
        k,
        floor,
        BINS / ceiling,
        numba.get_num_threads(),
    )
    feature, correlation = _merge(best, size, name, n_features)
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
def _select(start: Int64, token: Int32, value: Float32, name: Int32) -> tuple[Int64, Int32, Float32]:
    """Return the columns `name`, in that order."""
    chosen = np.zeros(len(name) + 1, np.int64)
    for a in range(len(name)):
        chosen[a + 1] = chosen[a] + start[name[a] + 1] - start[name[a]]
    tokens = np.empty(chosen[-1], np.int32)
    values = np.empty(chosen[-1], np.float32)
    for a in range(len(name)):
        i = name[a]
        tokens[chosen[a] : chosen[a + 1]] = token[start[i] : start[i + 1]]
        values[chosen[a] : chosen[a + 1]] = value[start[i] : start[i + 1]]
    return chosen, tokens, values


@kernel
def _sum_products(
    a: int,
    row_start: Int64,
    row_feature: Int32,
    row_value: Float32,
    start: Int64,
    token: Int32,
    value: Float32,
    behind: Int64,
    total: Float64,
    touched: Int32,
) -> int:
    """Add up ``x_ta x_tb`` in `total` for every ``b > a`` that fires with ``a``; lists them in `touched`.

    `behind` holds for each token the place in its row behind all features handled so far; it only moves on.
    """
    fires_with = 0
    for entry in range(start[a], start[a + 1]):
        t = token[entry]
        x = np.float64(value[entry])
        place, end = behind[t], row_start[t + 1]
        while place < end and row_feature[place] <= a:
            place += 1
        behind[t] = place
        for other in range(place, end):
            b = row_feature[other]
            if total[b] == 0.0:
                touched[fires_with] = b
                fires_with += 1
            total[b] += x * row_value[other]
    return fires_with


@kernel
def _offer_to(
    a: int, b: int, r: float, name: Int32, best_r: Float64, best_j: Int32, size: Int32, least: Float64
) -> None:
    """Offer `b` to the list of `a`; ``least[a]`` is the least |r| that the list would take."""
    if abs(r) >= least[a]:
        size[a] = offer(best_r[a], best_j[a], size[a], r, name[b])
        if size[a] == best_r.shape[1]:
            least[a] = abs(best_r[a, 0])


@kernel
def _count(histogram: Int64, r: float, scale: float) -> None:
    histogram[int(min(float(BINS), abs(r) * scale))] += 1


@parallel_kernel
def _screen(
    row_start: Int64,
    row_feature: Int32,
    row_value: Float32,
    start: Int64,
    token: Int32,
    value: Float32,
    inverse: Float64,
    ratio: Float64,
    by_ratio: Int32,
    name: Int32,
    n: int,
    k: int,
    floor: float,
    scale: float,
    blocks: int,
) -> tuple[tuple[Float64, Int32], Int32, Int64]:
    """Correlate every pair once; see the module for what is kept.

    A pair is summed by one thread, over the tokens in order, and offered to both its ends in lists of that
    thread's own. The lists are merged afterwards: what the K best are does not depend on who saw which pair.
    """
    n_part = len(start) - 1
    best_r = np.zeros((blocks, n_part, k))
    best_j = np.full((blocks, n_part, k), -1, np.int32)
    sizes = np.zeros((blocks, n_part), np.int32)
    histograms = np.zeros((blocks, BINS + 1), np.int64)
    for block in numba.prange(blocks):
        total = np.zeros(n_part)
        touched = np.empty(n_part, np.int32)
        least = np.full(n_part, floor)
        behind = row_start[:-1].copy()
        for a in range(block, n_part, blocks):
            fires_with = _sum_products(
                a, row_start, row_feature, row_value, start, token, value, behind, total, touched
            )
            for place in range(fires_with):
                b = touched[place]
                r = total[b] / n * (inverse[a] * inverse[b]) - ratio[a] * ratio[b]
                _count(histograms[block], r, scale)
                if abs(r) >= floor:
                    _offer_to(a, b, r, name, best_r[block], best_j[block], sizes[block], least)
                    _offer_to(b, a, r, name, best_r[block], best_j[block], sizes[block], least)
            # Of the pairs that never fire together only those with a product above the floor can pass.
            for b in by_ratio:
                r = -ratio[a] * ratio[b]
                if -r < floor:
                    break
                if b > a and total[b] == 0.0:
                    _count(histograms[block], r, scale)
                    _offer_to(a, b, r, name, best_r[block], best_j[block], sizes[block], least)
                    _offer_to(b, a, r, name, best_r[block], best_j[block], sizes[block], least)
            for place in range(fires_with):
                total[touched[place]] = 0.0
    histogram = np.zeros(BINS + 1, np.int64)
    for block in range(blocks):
        histogram += histograms[block]
    return (best_r, best_j), sizes, histogram


@parallel_kernel
def _merge(best: tuple[Float64, Int32], sizes: Int32, name: Int32, n_features: int) -> tuple[Int32, Float64]:
    """Merge the lists of all threads, best first, and give every feature its own name again."""
    best_r, best_j = best
    blocks, n_part, k = best_r.shape
    feature = np.full((n_features, k), -1, np.int32)
    correlation = np.zeros((n_features, k))
    for a in numba.prange(n_part):
        i = name[a]
        size = 0
        for block in range(blocks):
            for place in range(sizes[block, a]):
                size = offer(
                    correlation[i], feature[i], size, best_r[block, a, place], best_j[block, a, place]
                )
        sort_best_first(correlation[i], feature[i], size)
    return feature, correlation
