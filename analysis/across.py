"""The screen of links: which features of an earlier layer fire with a feature of a later one.

The features of both layers stand side by side, the earlier layer's first, at the same tokens. Counts, means,
tails and dispersion are those of ``analysis.excess``; the pairs are those of one feature of either layer, and
Benjamini-Hochberg goes over all ``F_lower F_upper`` of them. The K of least p are the candidates of each
feature of the later layer; a feature of the earlier one has none here.

What takes part in a rule only by preventing it (``j`` fires where ``a`` does, unless ``b`` does) shows in no
count of all meetings: of two features that seldom fire hardly any are to be expected. It shows at the tokens
of ``a``. So once the ``a`` that a feature ``j`` is regressed on are known, the tokens at which ``a``, ``b``
and ``j`` fire are compared with a Poisson count of mean

    N_ab N_aj / n_a

for all ``b`` of the earlier layer; those that meet ``j`` too seldom there become candidates of ``j``.
"""

from functools import partial

import numba
import numpy as np

from analysis.activations import Bool, Float32, Float64, Int32, Int64
from analysis.bursts import dispersion
from analysis.excess import (
    Partners,
    UInt32,
    by_count,
    judge_partners,
    note_evidence,
    partners_of,
    screened,
)
from analysis.firings import Firings
from analysis.kernel import kernel, parallel_kernel
from analysis.pairs import Lists, offer_to, rows_of_labels
from analysis.poisson import log_at_most
from analysis.screen import Candidates, no_candidates


def screen_across(
    firings: Firings,
    lower: int,
    loading: Float64,
    lasting: Float32,
    part: Bool,
    q: float = 0.1,
    k: int = 64,
    crowd: float = 0.0,
) -> Candidates:
    """Screen all pairs of a feature of the earlier layer and one of the later.

    Parameters
    ----------
    firings
        Firing states of both layers, F features, those of the earlier layer first.
    lower
        How many these are.
    loading : shape (F,)
        Loadings on the activity of the token.
    lasting : shape (F, LAGS + SPANS)
        Autocorrelations of the states.
    part : shape (F,)
        Which features take part.
    q
        Level of Benjamini-Hochberg, in (0, 1).
    k
        Most candidates of a feature.
    crowd
        Share of the tokens that are crowded; 0 where activity is log-normal.

    Returns
    -------
    The candidates, of all F features; ``correlation`` holds the signed evidence of the pairs, ``threshold``
    the least that passes.
    """
    earlier = by_count(firings, np.flatnonzero(part[:lower]))
    later = (lower + np.flatnonzero(part[lower:])).astype(np.int32)
    if not len(earlier) or not len(later):
        return no_candidates(firings.n_features, k)
    rows = rows_of_labels(firings.start, firings.token, earlier, firings.n_tokens)
    partners = partners_of(firings, earlier, loading, lasting, crowd)
    walk = partial(_screen, firings.start, firings.token, *rows, later, loading, partners)
    pairs = lower * (firings.n_features - lower)
    return screened(walk, later, firings.n_features, pairs, q, k)


def inhibitors_of(
    firings: Firings, lower: int, lasting: Float32, start: Int64, member: Int64, enough: float
) -> tuple[Int32, Int32]:
    """Find features of the earlier layer that keep one of the later from firing where another member fires.

    Parameters
    ----------
    firings, lower
        Firing states of both layers, and the number of features of the earlier one, which come first.
    lasting : shape (F, LAGS + SPANS)
        Autocorrelations of the states.
    start : shape (F + 1,)
        ``member[start[j]:start[j + 1]]``, earlier features, are what ``j`` of the later ones is regressed on.
    member : shape (members,)
    enough
        Least ``-log p`` of a pair.

    Returns
    -------
    The later feature and the earlier one of each pair, ascending, each pair once.
    """
    child = np.repeat(np.arange(firings.n_features, dtype=np.int64), np.diff(start))
    order = np.lexsort((child, member))
    begin = np.searchsorted(member[order], np.arange(lower + 1)).astype(np.int64)
    name = np.flatnonzero(firings.count[:lower] > 0).astype(np.int32)
    row_start, row = rows_of_labels(firings.start, firings.token, name, firings.n_tokens)
    arguments = (
        *(firings.start, firings.token, row_start, row, name),
        *(lasting, begin, child[order], enough, 4 * numba.get_num_threads()),
    )
    # The pairs found are first counted, then listed.
    number = _inhibitors(*arguments, np.zeros(lower + 1, np.int64), np.zeros((2, 0), np.int32))
    place = np.concatenate([np.zeros(1, np.int64), np.cumsum(number)])
    pairs = np.empty((2, place[-1]), np.int32)
    if place[-1] > 0:
        _inhibitors(*arguments, place, pairs)
    keys = np.unique(pairs[0].astype(np.int64) * lower + pairs[1])
    return (keys // lower).astype(np.int32), (keys % lower).astype(np.int32)


@kernel
def _count_rows(tokens: Int32, row_start: Int64, row: UInt32, total: Int32, touched: UInt32) -> int:
    """Count in `total` how many of the tokens each label fires at; lists those labels in `touched`."""
    found = np.uint64(0)
    for t in tokens:
        for place in range(np.uint64(row_start[t]), np.uint64(row_start[t + 1])):
            b = row[place]
            before = total[b]
            touched[found] = b
            found += np.uint64(before == 0)
            total[b] = before + 1
    return int(found)


@parallel_kernel
def _screen(
    start: Int64,
    token: Int32,
    row_start: Int64,
    row: UInt32,
    own: Int32,
    loading: Float64,
    partners: Partners,
    floor: float,
    scale: float,
    lists: Lists,
    histograms: Int64,
) -> None:
    m = len(partners.name)
    blocks = len(lists.size)
    for block in numba.prange(blocks):
        total = np.zeros(m, np.int32)
        touched = np.empty(m + 1, np.uint32)
        others = np.empty(m, np.uint32)
        scores = np.empty(m)
        for a in range(block, len(own), blocks):
            i = own[a]
            tokens = token[start[i] : start[i + 1]]
            fires_with = _count_rows(tokens, row_start, row, total, touched)
            found = judge_partners(
                len(tokens) / partners.n,
                loading[i],
                partners.lasting[i],
                0,
                touched[:fires_with],
                total,
                partners,
                floor,
                others,
                scores,
            )
            note_evidence(scores[:found], scale, histograms[block])
            for place in range(found):
                offer_to(a, partners.name[others[place]], scores[place], lists, block)
            for place in range(fires_with):
                total[touched[place]] = 0


@parallel_kernel
def _inhibitors(
    start: Int64,
    token: Int32,
    row_start: Int64,
    row: UInt32,
    name: Int32,
    lasting: Float32,
    begin: Int64,
    child: Int64,
    enough: float,
    blocks: int,
    place: Int64,
    pairs: Int32,
) -> Int64:
    """Count the pairs found at each earlier feature; listed from its `place` on if `pairs` has room."""
    lower = len(begin) - 1
    number = np.zeros(lower, np.int64)
    n, m = len(row_start) - 1, len(name)
    for block in numba.prange(blocks):
        fires = np.zeros(n, np.bool_)
        total, met = np.zeros(m, np.int32), np.zeros(m, np.int32)
        touched, also = np.empty(m + 1, np.uint32), np.empty(m + 1, np.uint32)
        for a in range(block, lower, blocks):
            if begin[a] == begin[a + 1]:
                continue
            tokens = token[start[a] : start[a + 1]]
            found = _count_rows(tokens, row_start, row, total, touched)
            for t in tokens:
                fires[t] = True
            for entry in range(begin[a], begin[a + 1]):
                j = child[entry]
                both = token[start[j] : start[j + 1]]
                both = both[fires[both]]
                share = len(both) / len(tokens)
                again = _count_rows(both, row_start, row, met, also)
                for b in touched[:found]:
                    mean = share * total[b]
                    # The whole tail is at least P(0) = exp(-mean).
                    if name[b] == a or mean <= enough or met[b] >= mean:
                        continue
                    phi = dispersion(lasting[name[b]], lasting[j])
                    if -log_at_most(met[b] / phi, mean / phi) < enough:
                        continue
                    if pairs.shape[1] > 0:
                        pairs[0, place[a] + number[a]] = j
                        pairs[1, place[a] + number[a]] = name[b]
                    number[a] += 1
                for b in also[:again]:
                    met[b] = 0
            for t in tokens:
                fires[t] = False
            for b in touched[:found]:
                total[b] = 0
    return number
