"""How far each feature follows the activity of the token, a factor common to all features.

Tokens differ in how many features fire, and that alone makes features fire together. With a standard normal
activity ``u`` of the token and loadings ``l``, features that depend on nothing else fire at rates
proportional to ``exp(l_i u - l_i^2 / 2)``, and fire together at

    E N_ij = n_i n_j / n  exp(l_i l_j)

The loadings are found from moments, without a list of pairs. The features are dealt into groups; ``N_ig``
counts the firings of group ``g`` at the tokens of feature ``i``, and each ``l_i`` solves

    sum_g N_ig = sum_g n_i n_g / n  M_g(l_i)        M_g(l) = mean of exp(l l_j) over g, weighted by count

over the groups that are no outliers: a feature's real partners lie in few groups, and those stand out. A
loading known only roughly is drawn towards the mean of all by the ratio of its own variance to the spread of
the others (empirical Bayes), so where nothing is known of a feature it follows the activity like the rest.

Without such a factor the loadings are 0. Large hubs reach into most groups and look like one, so it must show
in pairs of single features too, of the most frequent or of less frequent ones: more of them must meet oftener
than chance than meet less often, by a margin. A pair does not count where some third feature, the hub or what
lies between the two in a tree, explains half of its excess or more: no single feature stands for an activity.
A quarter of the features following one raises a sixteenth of all pairs. The log-normal form is the one of
joint species distribution models, which know the problem as site effects; the product form is exact for it.

Where tokens are of two kinds, few of them crowded, and each feature has a rate of its own at either, features
fire together at ``n_i n_j / n (1 + l_i l_j)``, exactly. Both forms are fitted, and features dealt into blocks
of like loadings; crowded tokens are believed where their fit errs by less than half as much.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from analysis.activations import Bool, Float64, Int32, Int64
from analysis.firings import Firings
from analysis.kernel import kernel, parallel_kernel
from analysis.pairs import UInt32, rows_of_labels

MOST_GROUPS = 256
"""Groups that the features are dealt into, where each then has four features or more."""
_GRID: Float64 = np.linspace(-1.0, 3.0, 81)
LEAST_FACTOR = 0.01
"""Least factor of crowded tokens, whose loadings are known but roughly."""
_BLOCKS = 16
"""Blocks of features of like loadings, to tell forms of activity apart by."""
_WELL_KNOWN = 100.0
"""Meetings of two blocks from which on they are compared."""
_MUCH_BETTER = 0.5
"""Share of the error of the log-normal form that crowded tokens must not exceed."""
_ROUNDS = 12
_OUTLIER = 3.5
_LEAST_EXCESS = 0.01
"""Mean relative excess of co-firing below which there is no activity worth a factor."""

_FEW = 10.0
"""Mean meetings with a group below which their median says nothing."""

_ASKED = 64
"""Features of about one frequency whose pairs are asked whether they show the activity."""
_TIMES = 4
"""Lots of features that are asked, the most frequent first."""
_KNOWN = 10.0
"""Mean meetings of a pair from which on it is asked."""
_RAISED = 0.045
"""Least share of a lot's pairs that meet oftener than chance and than any third feature explains."""


class Following(NamedTuple):
    """How features follow the activity of the token.

    Parameters
    ----------
    loading : shape (F,)
        Loadings.
    crowd
        Share of the tokens that are crowded, where there are two kinds; 0 where activity is log-normal.
    """

    loading: Float64
    crowd: float


class _Form(NamedTuple):
    """A form of activity: loadings looked at, and the factor of each two of them."""

    grid: Float64
    factor: Float64


_LOG_NORMAL = _Form(_GRID, np.exp(np.outer(_GRID, _GRID)))
_STEPS: Float64 = np.linspace(-0.7, 3.0, 75)
_CROWD_GRID: Float64 = np.sign(_STEPS) * np.expm1(np.abs(_STEPS))
_CROWDED = _Form(_CROWD_GRID, np.maximum(LEAST_FACTOR, 1 + np.outer(_CROWD_GRID, _CROWD_GRID)))


@kernel
def factor_of(product: float, crowd: float) -> float:
    """Return by what activity multiplies the meetings of two features, by the product of their loadings."""
    return max(LEAST_FACTOR, 1.0 + product) if crowd > 0.0 else math.exp(product)


def following_of(firings: Firings) -> Following:
    """Estimate how every feature follows the activity."""
    none = Following(np.zeros(firings.n_features), 0.0)
    weight = firings.count.astype(np.float64)
    # Dealt out in the order of their counts, so that the groups fire about equally often.
    group = np.empty(firings.n_features, np.int32)
    group[np.argsort(-weight, kind="stable")] = _dealt(firings.n_features)
    found, expected = _group_counts(firings, group)
    ratio = np.where(expected > 0, found / np.maximum(expected, 1e-12), 1.0)
    typical = np.median(ratio, axis=1)
    excess = float(np.average(typical, weights=weight) - 1) if weight.sum() else 0.0
    if excess < _LEAST_EXCESS or not _many_pairs_meet(firings):
        return none
    first = (typical - 1) / np.sqrt(excess)
    unknown = expected.mean(axis=1) < _FEW
    first[unknown] = np.sqrt(np.log1p(excess))
    loading = _fitted(_LOG_NORMAL, first, group, weight, found, expected)
    if loading is None:
        return none
    first[unknown] = np.sqrt(excess)
    crowded = _fitted(_CROWDED, first, group, weight, found, expected)
    if crowded is not None:
        missed = _missed(firings, loading, [(_LOG_NORMAL, loading), (_CROWDED, crowded)])
        if missed[1] < _MUCH_BETTER * missed[0]:
            # No feature can be bound to crowded tokens more closely than to all of its firings being there.
            return Following(crowded, float(1 / (1 + crowded.max() ** 2)))
    return Following(loading, 0.0)


def _fitted(
    form: _Form, first: Float64, group: Int32, weight: Float64, found: Float64, expected: Float64
) -> Float64 | None:
    """Find the loadings of one form, shape (F,); None where hubs were taken for an activity."""
    loading = np.clip(first, form.grid[0], form.grid[-1])
    for _ in range(_ROUNDS):
        table = _mean_factor(form, loading, group, weight)
        inlier, spread = _inliers(form, loading, found, expected, table)
        # Where they were, nothing is left of it once their groups stand out.
        if np.where(inlier, found - (1 + _LEAST_EXCESS) * expected, 0.0).sum() < 0:
            return None
        loading = (loading + _solved(form, found, expected, table, inlier, spread)) / 2
    return np.asarray(loading, np.float64)


def _missed(firings: Firings, order: Float64, fits: Sequence[tuple[_Form, Float64]]) -> list[float]:
    """Mean square of the log by which features of like loadings meet otherwise than each fit says."""
    weight = firings.count.astype(np.float64)
    size = firings.n_features
    block = np.empty(size, np.int32)
    block[np.argsort(order, kind="stable")] = np.arange(size) * min(_BLOCKS, size) // size
    found, expected = _group_counts(firings, block)
    missed = []
    for form, loading in fits:
        table = _mean_factor(form, loading, block, weight)
        foretold = expected * table[_place(form, loading)]
        met, said = (_by_block(block, counts) for counts in (found, foretold))
        known = said > _WELL_KNOWN
        error = np.log(np.maximum(met[known], 1.0) / said[known])
        missed.append(float((error**2).mean()) if known.any() else 0.0)
    return missed


def _by_block(block: Int32, counts: Float64) -> Float64:
    """Add up the rows of each block."""
    return np.stack([counts[block == b].sum(axis=0) for b in range(int(block.max()) + 1)])


def _many_pairs_meet(firings: Firings) -> bool:
    """Say whether in some lot of features many pairs meet more often than chance, by two standard deviations.

    Features that fire at more than half of all tokens are not asked: they meet all others nearly always.
    Where fewer than a hundred pairs are known, nothing speaks against an activity.
    """
    often = np.flatnonzero((firings.count > 0) & (2 * firings.count <= firings.n_tokens))
    if len(often) < _ASKED:
        return False
    often = often[np.argsort(-firings.count[often], kind="stable")]
    # Pairs among these are known.
    known = int((firings.count[often].astype(np.float64) ** 2 >= _KNOWN * firings.n_tokens).sum())
    first = np.unique(np.linspace(0, max(0, known - _ASKED), _TIMES).astype(np.int64))
    return any(_raised_share(firings, often[begin : begin + _ASKED]) > _RAISED for begin in first)


def _raised_share(firings: Firings, name: Int64) -> float:
    """Share of the known pairs that meet unexplained, less that of those meeting too seldom; 1 if unknown."""
    count = firings.count.astype(np.float64)
    row_start, row = rows_of_labels(firings.start, firings.token, name.astype(np.int32), firings.n_tokens)
    met = _meetings_of(firings.start, firings.token, row_start, row, len(name))
    one, other = np.triu_indices(len(name), 1)
    together = met[one, name[other]]
    chance = count[name[one]] / firings.n_tokens * count[name[other]]
    known = chance >= _KNOWN
    if known.sum() < 100:
        return 1.0
    away = (together - chance) / np.sqrt(chance)
    raised = np.flatnonzero(known & (away > 2))
    told = _explained(met, count, firings.n_tokens, name, one[raised], other[raised])
    unexplained = together[raised] - told > (together - chance)[raised] / 2
    return float(unexplained.sum() - (away[known] < -2).sum()) / float(known.sum())


@parallel_kernel
def _explained(met: Int32, count: Float64, n: int, name: Int64, one: Int64, other: Int64) -> Float64:
    """Meetings of each pair that the best third feature foretells, the two independent given it."""
    told = np.zeros(len(one))
    for p in numba.prange(len(one)):
        a, b = one[p], other[p]
        i, j = name[a], name[b]
        for k in range(len(count)):
            if count[k] > 0.0 and k not in (i, j):
                with_k = met[a, k] * met[b, k] / count[k]
                without = (count[i] - met[a, k]) * (count[j] - met[b, k]) / max(1.0, n - count[k])
                told[p] = max(told[p], with_k + without)
    return told


@parallel_kernel
def _meetings_of(start: Int64, token: Int32, row_start: Int64, row: UInt32, names: int) -> Int32:
    """Tokens at which each of some features, labelled in the rows, fires with each of all, (names, F)."""
    met = np.zeros((names, len(start) - 1), np.int32)
    for b in numba.prange(len(start) - 1):
        for t in token[start[b] : start[b + 1]]:
            for a in row[row_start[t] : row_start[t + 1]]:
                met[a, b] += 1
    return met


def _dealt(n_features: int) -> Int32:
    """Group of each feature in order of counts: every run of all groups is dealt in a new random order."""
    rng = np.random.default_rng(0)
    groups = max(1, min(MOST_GROUPS, n_features // 4))
    rounds = -(-n_features // groups)
    return np.concatenate([rng.permutation(groups) for _ in range(rounds)])[:n_features].astype(np.int32)


def _group_counts(firings: Firings, group: Int32) -> tuple[Float64, Float64]:
    """``N_ig`` and its expectation at loadings of 0, a feature itself left out; both (F, groups)."""
    found = _meetings(firings.start, firings.token, firings.bounds, group)
    count = firings.count.astype(np.float64)
    total = np.bincount(group, weights=count)
    others = np.tile(total, (firings.n_features, 1))
    own = np.arange(firings.n_features), group
    others[own] = others[own] - count
    return found, count[:, np.newaxis] / firings.n_tokens * others


def _solved(
    form: _Form, found: Float64, expected: Float64, table: Float64, inlier: Bool, spread: Float64
) -> Float64:
    """Solve for each loading given all of them, and draw the uncertain ones to the mean."""
    target = np.where(inlier, found, 0.0).sum(axis=1)
    curve = np.where(inlier, expected, 0.0) @ table.T
    solved, slope = _crossing(form.grid, curve, target)
    variance = np.maximum(target, 1.0) * spread**2 / np.maximum(slope, 1e-9) ** 2
    return _drawn_in(solved, variance)


def _inliers(
    form: _Form, loading: Float64, found: Float64, expected: Float64, table: Float64
) -> tuple[Bool, Float64]:
    """Find the groups that meet each feature about as often as its loading says, shape (F, groups).

    Beside them how far the standardised meetings spread, shape (F,), at least 1.
    """
    fitted = expected * table[_place(form, loading)]
    z = (found - fitted) / np.sqrt(np.maximum(fitted, 1e-9))
    # About their median: of a loading that is still far off no group is met as it says.
    away = np.abs(z - np.median(z, axis=1, keepdims=True))
    spread = np.maximum(1.0, 1.4826 * np.median(away, axis=1))
    return (away < _OUTLIER * spread[:, np.newaxis]) & (expected > 0), spread


def _place(form: _Form, loading: Float64) -> Int64:
    """Find the places of loadings on the grid, each at the nearest."""
    return np.searchsorted((form.grid[1:] + form.grid[:-1]) / 2, loading)


def _mean_factor(form: _Form, loading: Float64, group: Int32, weight: Float64) -> Float64:
    """``M_g`` on the grid, shape (grid, groups)."""
    groups, size = int(group.max()) + 1, len(form.grid)
    place = group * size + _place(form, loading)
    mass = np.bincount(place, weights=weight, minlength=groups * size).reshape(groups, size)
    total = np.maximum(mass.sum(axis=1), 1e-9)
    return np.asarray(form.factor @ mass.T / total, np.float64)


def _crossing(grid: Float64, curve: Float64, target: Float64) -> tuple[Float64, Float64]:
    """Where each row of `curve` crosses its `target` on the grid, and its slope there."""
    low = np.clip((curve[:, 1:-1] < target[:, np.newaxis]).sum(axis=1), 0, len(grid) - 2)
    rows = np.arange(len(curve))
    slope = (curve[rows, low + 1] - curve[rows, low]) / np.diff(grid)[low]
    found = grid[low] + (target - curve[rows, low]) / np.where(np.abs(slope) > 1e-12, slope, np.inf)
    return np.clip(found, grid[0], grid[-1]), slope


def _drawn_in(loading: Float64, variance: Float64) -> Float64:
    """Shrink each loading to the mean by its variance against the spread of all (DerSimonian and Laird)."""
    precision = 1 / variance
    mean = np.average(loading, weights=precision)
    spread = (precision * (loading - mean) ** 2).sum() - (len(loading) - 1)
    spread /= precision.sum() - (precision**2).sum() / precision.sum()
    between = max(0.0, float(spread))
    for _ in range(20):
        share = 1 / (variance + between)
        mean = np.average(loading, weights=share)
        between = max(0.0, float(np.average((loading - mean) ** 2 - variance, weights=share)))
    return np.asarray(mean + (loading - mean) * between / (between + variance), np.float64)


def _meetings(start: Int64, token: Int32, bounds: Int64, group: Int32) -> Float64:
    """Count the firings of each group at the tokens of each feature, itself left out, shape (F, groups)."""
    found = np.zeros((len(start) - 1, int(group.max()) + 1), np.int64)
    place = start[:-1].copy()
    for begin, end in pairwise(bounds):
        at_token = _firing_groups(start, token, group, place, begin, end)
        _meet(start, token, at_token, place, begin, found)
    found[np.arange(len(group)), group] -= np.diff(start)
    return found.astype(np.float64)


@kernel
def _firing_groups(
    start: Int64, token: Int32, group: Int32, place: Int64, begin: int, end: int
) -> NDArray[np.uint16]:
    """Count the firings of each group at each of some tokens; `place` says where each feature's begin."""
    at_token = np.zeros((end - begin, group.max() + 1), np.uint16)
    for i in range(len(group)):
        entry = place[i]
        while entry < start[i + 1] and token[entry] < end:
            at_token[token[entry] - begin, group[i]] += 1
            entry += 1
    return at_token


@parallel_kernel
def _meet(
    start: Int64, token: Int32, at_token: NDArray[np.uint16], place: Int64, begin: int, found: Int64
) -> None:
    """Add the groups' firings at the tokens of each feature to `found`; `place` moves behind them."""
    for i in numba.prange(len(place)):
        entry = place[i]
        while entry < start[i + 1] and token[entry] - begin < len(at_token):
            row = at_token[token[entry] - begin]
            for g in range(len(row)):
                found[i, g] += row[g]
            entry += 1
        place[i] = entry
