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
1/4096 of the |r| at which a single pair would pass by Bonferroni, under 0.002 standard deviations of z. Only
pairs at |r| of a single test's level are counted at all: p <= q N / pairs <= q keeps the threshold above it.

Source: the steps are those of the post "Preliminary Results on Building Graphs from SAEs"; q and K are our
reconstruction.
"""

from dataclasses import dataclass

import numba
import numpy as np
from scipy.special import ndtr, ndtri

from analysis.activations import Bool, Columns, Float64, Int32, Int64
from analysis.columns import Moments
from analysis.kernel import kernel, parallel_kernel
from analysis.pairs import Crossed, Lists, UInt32, cross, empty_lists, merge_lists, offer_pairs, sum_products

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
        return no_candidates(n_features, k)
    floor = r_of_p(q, n)
    ceiling = r_of_p(q / pairs, n)
    # Rare features first: their correlations are the large ones, so the lists fill with what stays in them.
    ratio = moments.mean[part] / moments.deviation[part]
    order = np.argsort(ratio, kind="stable")
    name, ratio = np.flatnonzero(part)[order].astype(np.int32), ratio[order]
    lists = empty_lists(numba.get_num_threads(), len(name), k, floor)
    histogram = _screen(
        cross(columns, name),
        1.0 / moments.deviation[name],
        ratio,
        name,
        n,
        lists,
        floor,
        BINS / ceiling,
    )
    feature, correlation = merge_lists(lists, name, n_features)
    edges = ceiling * np.arange(BINS + 1) / BINS
    return passing(feature, correlation, histogram, p_of_r(edges, n), ceiling, pairs, q)


def p_of_r(r: Float64, n: int) -> Float64:
    """Two-sided normal p of correlations `r` over `n` tokens by Fisher's z."""
    with np.errstate(divide="ignore"):
        z = np.arctanh(np.minimum(np.abs(r), 1.0)) * np.sqrt(n - 3)
    return np.asarray(2 * ndtr(-z), np.float64)


def r_of_p(p: float, n: int) -> float:
    """Return the |r| whose two-sided p is `p`."""
    return float(np.tanh(-ndtri(p / 2) / np.sqrt(n - 3)))


def least_bin(histogram: Int64, p: Float64, pairs: int, q: float) -> tuple[int, int]:
    """Benjamini-Hochberg on the edges of a histogram's bins: the least with ``p <= q N / pairs``.

    Parameters
    ----------
    histogram : shape (BINS + 1,)
        Pairs by the strength of their evidence; the last bin holds all beyond its edge.
    p : shape (BINS + 1,), falling
        p of a pair at the lower edge of each bin.
    pairs, q
        Number of tests, and the level.

    Returns
    -------
    Number of the bin (one past the last when there is none), and ``N``, the pairs from it on. The last edge
    is where a single pair passes, by construction, so rounding must not undo that.
    """
    at_least = np.cumsum(histogram[::-1])[::-1]
    rejects = (p <= q * at_least / pairs * (1 + 1e-9)) & (at_least > 0)
    if not rejects.any():
        return BINS + 1, 0
    first = int(np.argmax(rejects))
    return first, int(at_least[first])


def passing(
    feature: Int32, score: Float64, histogram: Int64, p: Float64, ceiling: float, pairs: int, q: float
) -> Candidates:
    """Return lists without what does not pass; `ceiling` is the |score| at the last edge."""
    least, passed = least_bin(histogram, p, pairs, q)
    below = np.minimum(BINS, np.abs(score) * (BINS / ceiling)).astype(np.int64) < least
    feature[below] = -1
    score[below] = 0.0
    return Candidates(feature, score, least * ceiling / BINS if passed else np.inf, passed)


def no_candidates(n_features: int, k: int) -> Candidates:
    """Return empty lists."""
    return Candidates(np.full((n_features, k), -1, np.int32), np.zeros((n_features, k)), np.inf, 0)


@kernel
def _count(histogram: Int64, correlation: Float64, scale: float) -> None:
    for r in correlation:
        histogram[np.uint64(min(float(BINS), abs(r) * scale))] += 1


@kernel
def _never_together(
    a: int, ratio: Float64, total: Float64, floor: float, kept: UInt32, correlation: Float64
) -> int:
    """List the later features that never fire with `a` and whose margins alone give |r| from `floor` on.

    The ratios ascend, so these are found from the last label down.
    """
    size = np.uint64(0)
    for b in range(len(ratio) - 1, a, -1):
        r = -ratio[a] * ratio[b]
        if -r < floor:
            break
        kept[size] = b
        correlation[size] = r
        size += np.uint64(total[b] == 0.0)
    return int(size)


@kernel
def _together(
    a: int,
    inverse: Float64,
    ratio: Float64,
    n: int,
    touched: UInt32,
    total: Float64,
    floor: float,
    kept: UInt32,
    correlation: Float64,
    size: int,
) -> int:
    """List the `touched` features with |r| from `floor` on behind the first `size`; their sums become 0."""
    end = np.uint64(size)
    for b in touched:
        r = total[b] / n * (inverse[a] * inverse[b]) - ratio[a] * ratio[b]
        total[b] = 0.0
        kept[end] = b
        correlation[end] = r
        end += np.uint64(abs(r) >= floor)
    return int(end)


@parallel_kernel
def _screen(
    crossed: Crossed,
    inverse: Float64,
    ratio: Float64,
    name: Int32,
    n: int,
    lists: Lists,
    floor: float,
    scale: float,
) -> Int64:
    """Correlate every pair once; see the module for what is kept. Returns the histogram.

    A pair is summed by one thread, over the tokens in order, and offered to both its ends in lists of that
    thread's own. The lists are merged afterwards: what the K best are does not depend on who saw which pair.
    """
    m = len(name)
    blocks = len(lists.size)
    histograms = np.zeros((blocks, BINS + 1), np.int64)
    for block in numba.prange(blocks):
        total = np.zeros(m)
        touched = np.empty(m + 1, np.uint32)
        kept = np.empty(m + 1, np.uint32)
        correlation = np.empty(m + 1)
        for a in range(block, m, blocks):
            found = sum_products(a, crossed, total, touched, 0)
            size = _never_together(a, ratio, total, floor, kept, correlation)
            size = _together(a, inverse, ratio, n, touched[:found], total, floor, kept, correlation, size)
            _count(histograms[block], correlation[:size], scale)
            offer_pairs(a, kept[:size], correlation[:size], name, lists, block)
    histogram = np.zeros(BINS + 1, np.int64)
    for block in range(blocks):
        histogram += histograms[block]
    return histogram
