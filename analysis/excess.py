"""The calibrated screen: which features fire together more, or less, than their activity explains.

``N_ij`` counts the tokens at which both fire. Features that depend on each other through nothing but how busy
a token is have (``analysis.loadings``)

    N_ij ~ Poisson(m_ij)        m_ij = n_i n_j / n  exp(l_i l_j)

and the p of a pair is twice the smaller of the two exact tails (an excess of features that fire often, whose
count varies less, is taken with that variance), of the count and the mean divided by the
pair's dispersion where tokens are alike (``analysis.bursts``): both directions, so that features which
exclude each other are seen where the counts are large enough to show it. Benjamini-Hochberg over all F (F -
1) / 2 pairs; of those that pass, the K of least p are each feature's candidates. A pair with p above `MOST`
never passes, which touches nothing while fewer than one pair in ten of all is rejected at level 0.1.

The evidence of a pair is ``-log p``, signed as the excess. As in ``analysis.screen`` the threshold comes from
a histogram of it: counts in integers, rounded against the pair by at most a bin, 1/4096 of the evidence at
which a single pair would pass by Bonferroni.

Each pair is visited once. Labels go by count, rare features first; the labels of a token lie in falling
order, so that what fires with ``a`` and comes later is the beginning of the token's row.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from analysis.activations import Bool, Float32, Float64, Int32, Int64
from analysis.bursts import dispersion
from analysis.firings import Firings
from analysis.kernel import kernel, parallel_kernel
from analysis.loadings import factor_of
from analysis.pairs import Lists, empty_lists, merge_lists, offer_pairs, rows_of_labels
from analysis.poisson import evidence
from analysis.screen import BINS, Candidates, no_candidates, passing

UInt32 = NDArray[np.uint32]

MOST = 0.01
"""Largest p of a pair that can pass."""

_FEWEST = 1.9
"""Standard deviations that a p of `MOST` needs at least, whatever the mean."""

_NEARLY_POISSON = 0.9
"""Variance over mean from which on the table of small counts serves, with `_ROOM` for what it lacks of 1."""

_ROOM = 0.8

_SMALL = 64
"""Counts below this are compared with a table before their tail is computed."""


class Partners(NamedTuple):
    """Features that others are paired with, by label: those that fire seldom first.

    Parameters
    ----------
    name : shape (m,)
        Feature of each label.
    fires : shape (m,), ascending
        Tokens at which it fires.
    loading : shape (m,)
        Its loading on the activity of the token.
    least_loading, most_loading
        The ends of these.
    lasting : shape (F, LAGS + SPANS)
        Autocorrelations of all features, by name.
    crowd
        Share of the tokens that are crowded; 0 where activity is log-normal.
    n
        Tokens in all.
    largest : shape (_SMALL,)
        Largest mean at which each small count can pass.
    """

    name: Int32
    fires: Float64
    loading: Float64
    least_loading: float
    most_loading: float
    lasting: Float32
    crowd: float
    n: int
    largest: Float64


def partners_of(firings: Firings, name: Int32, loading: Float64, lasting: Float32, crowd: float) -> Partners:
    """Gather what is asked of the features `name`, which ascend by count; `loading` is that of all."""
    own = loading[name]
    return Partners(
        name,
        firings.count[name].astype(np.float64),
        own,
        float(own.min(initial=np.inf)),
        float(own.max(initial=-np.inf)),
        lasting,
        crowd,
        firings.n_tokens,
        _largest_means(MOST),
    )


def screen_excess(
    firings: Firings,
    loading: Float64,
    lasting: Float32,
    part: Bool,
    q: float = 0.1,
    k: int = 64,
    crowd: float = 0.0,
) -> Candidates:
    """Screen all pairs of features that take part.

    Parameters
    ----------
    firings
        Firing states, of one replicate or of several.
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
    The candidates; ``correlation`` holds the signed evidence of the pairs, ``threshold`` the least that
    passes.
    """
    name = by_count(firings, np.flatnonzero(part))
    if len(name) < 2:
        return no_candidates(firings.n_features, k)
    rows = rows_of_labels(firings.start, firings.token, name, firings.n_tokens)
    partners = partners_of(firings, name, loading, lasting, crowd)
    walk = partial(_screen, firings.start, firings.token, *rows, partners)
    return screened(walk, name, firings.n_features, firings.pairs, q, k)


def by_count(firings: Firings, feature: Int64) -> Int32:
    """Return features in the order of their labels: those that fire seldom first."""
    return feature[np.argsort(firings.count[feature], kind="stable")].astype(np.int32)


def screened(
    walk: Callable[[float, float, Lists, Int64], None],
    name: Int32,
    n_features: int,
    pairs: int,
    q: float,
    k: int,
) -> Candidates:
    """Let a walk over the pairs fill lists, and keep of them what passes.

    Parameters
    ----------
    walk
        Given the least evidence that is noted, the bins of a histogram to a unit of it, lists and histograms,
        both one a thread: offers the lists every pair with as much evidence, and counts it.
    name : shape (m,)
        Features that have a list.
    n_features
        How many features there are.
    pairs
        How many pairs were screened.
    q, k
        As of `screen_excess`.
    """
    floor, ceiling = -math.log(min(q, MOST)), -math.log(q / max(pairs, 1))
    blocks = numba.get_num_threads()
    lists = empty_lists(blocks, len(name), k, floor)
    histograms = np.zeros((blocks, BINS + 1), np.int64)
    walk(floor, BINS / ceiling, lists, histograms)
    feature, found = merge_lists(lists, name, n_features)
    p = np.exp(-ceiling * np.arange(BINS + 1) / BINS)
    return passing(feature, found, histograms.sum(axis=0), p, ceiling, pairs, q)


def _largest_means(p: float) -> Float64:
    """For each small count the largest mean at which its two-sided p is at most `p`, bisected from above."""
    largest = np.zeros(_SMALL)
    for count in range(1, _SMALL):
        low, high = 0.0, float(count)
        for _ in range(60):
            middle = (low + high) / 2
            if evidence(float(count), middle) >= -math.log(p):
                low = middle
            else:
                high = middle
        largest[count] = high
    return largest


@kernel
def _count_together(
    tokens: Int32, a: int, row_start: Int64, row: UInt32, total: Int32, touched: UInt32
) -> int:
    """Count in `total` the tokens that `a` shares with every later label; lists those in `touched`."""
    found = np.uint64(0)
    for t in tokens:
        place = np.uint64(row_start[t])
        # The row holds `a` itself, so the walk ends within it.
        while row[place] > a:
            b = row[place]
            before = total[b]
            touched[found] = b
            found += np.uint64(before == 0)
            total[b] = before + 1
            place += np.uint64(1)
    return int(found)


@kernel
def _may_pass(count: int, least_mean: float, most_mean: float, spread: float, largest: Float64) -> bool:
    """Rule out, without a tail, most of the pairs whose p is above the largest that can pass.

    `least_mean` and `most_mean` enclose the mean of the pair, `spread` is its variance over it.
    """
    if most_mean - count > _FEWEST * math.sqrt(most_mean):
        return True
    if count < len(largest) and spread > _NEARLY_POISSON:
        return bool(least_mean <= largest[count] / _ROOM)
    return count - least_mean > _FEWEST * math.sqrt(least_mean * spread)


@kernel
def _judged(count: float, mean: float, spread: float, rho_a: Float32, rho_b: Float32, floor: float) -> float:
    """Evidence of a pair; its dispersion is looked up only where it matters, since it can but lessen it.

    Of features that fire often the count varies less than a Poisson count: `spread` is its variance over the
    mean. As in ``analysis.conditional``, an excess and the variance together are compared with a Poisson
    count; too few firings with a Poisson count as they are, which the lack of room below 0 makes the better
    of the two.
    """
    if count > mean:
        count, mean = count - mean * (1.0 - spread), mean * spread
    score = evidence(count, mean)
    if abs(score) < floor:
        return score
    phi = dispersion(rho_a, rho_b)
    return evidence(count / phi, mean / phi)


@kernel
def _noted(b: int, score: float, floor: float, others: UInt32, scores: Float64, found: int) -> int:
    """Append a pair if its evidence is worth it; returns how many there are."""
    if abs(score) >= floor:
        others[found] = b
        scores[found] = score
        found += 1
    return found


@kernel
def judge_partners(
    share: float,
    loading: float,
    rho: Float32,
    first: int,
    touched: UInt32,
    total: Int32,
    partners: Partners,
    floor: float,
    others: UInt32,
    scores: Float64,
) -> int:
    """List the partners, from label `first` on, that a feature shows evidence of at least `floor` with.

    Parameters
    ----------
    share, loading, rho
        Share of the tokens at which the feature fires, its loading and its autocorrelations.
    first
        Least label of a partner.
    touched : shape (found,)
        Labels that fire with it.
    total : shape (m,)
        Tokens at which it fires with each label.
    partners, floor
        The labels, and the least evidence.
    others, scores : shape (m,)
        Overwritten with the labels found and their evidence.

    Returns
    -------
    How many are found.
    """
    ends = loading * partners.least_loading, loading * partners.most_loading
    low, high = factor_of(min(ends), partners.crowd), factor_of(max(ends), partners.crowd)
    found = 0
    for b in touched:
        mean = share * partners.fires[b]
        spread = (1.0 - share) * (1.0 - partners.fires[b] / partners.n)
        if _may_pass(total[b], mean * low, mean * high, spread, partners.largest):
            mean *= factor_of(loading * partners.loading[b], partners.crowd)
            rho_b = partners.lasting[partners.name[b]]
            score = _judged(float(total[b]), mean, spread, rho, rho_b, floor)
            found = _noted(b, score, floor, others, scores, found)
    # Of the pairs that never fire together only those with a large mean can pass: P(0) = exp(-mean).
    for b in range(len(partners.fires) - 1, first - 1, -1):
        mean = share * partners.fires[b]
        if mean * high < floor:
            break
        if total[b] == 0:
            mean *= factor_of(loading * partners.loading[b], partners.crowd)
            score = _judged(0.0, mean, 1.0, rho, partners.lasting[partners.name[b]], floor)
            found = _noted(b, score, floor, others, scores, found)
    return found


@parallel_kernel
def _screen(
    start: Int64,
    token: Int32,
    row_start: Int64,
    row: UInt32,
    partners: Partners,
    floor: float,
    scale: float,
    lists: Lists,
    histograms: Int64,
) -> None:
    name = partners.name
    m = len(name)
    blocks = len(lists.size)
    for block in numba.prange(blocks):
        total = np.zeros(m, np.int32)
        touched = np.empty(m + 1, np.uint32)
        others = np.empty(m, np.uint32)
        scores = np.empty(m)
        for a in range(block, m, blocks):
            tokens = token[start[name[a]] : start[name[a] + 1]]
            fires_with = _count_together(tokens, a, row_start, row, total, touched)
            found = judge_partners(
                partners.fires[a] / partners.n,
                partners.loading[a],
                partners.lasting[name[a]],
                a + 1,
                touched[:fires_with],
                total,
                partners,
                floor,
                others,
                scores,
            )
            note_evidence(scores[:found], scale, histograms[block])
            offer_pairs(a, others[:found], scores[:found], name, lists, block)
            for place in range(fires_with):
                total[touched[place]] = 0


@kernel
def note_evidence(scores: Float64, scale: float, histogram: Int64) -> None:
    """Count pairs by their evidence, `scale` bins a unit."""
    for score in scores:
        histogram[int(min(float(BINS), abs(score) * scale))] += 1
