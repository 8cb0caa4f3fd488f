"""All pairs of features that fire together, each visited once: what every screen stands on.

The features that take part are relabelled ``0 .. m - 1`` and their activations kept both ways round: by
feature, and by token with labels ascending. A visit is a token at which ``a`` and a later ``b > a`` both
fire; for each entry of ``a`` these visits are one contiguous piece of the token's row, and where it lies is
stored with the entry. A screen walks over ``a``, adds up what it wants of all ``b`` at once, and keeps the
best partners of both ends in lists of its thread's own, which are merged at the end.

::

    crossed = cross(columns, name)
    for a:                                                                 (spread over the threads)
        fires_with = sum_products(a, crossed, total, touched, 0)           total[b] = sum_t x_ta x_tb
        for b in touched[:fires_with]: offer_to(a, b, score, ...); offer_to(b, a, score, ...); total[b] = 0
    merge_lists(lists, name, F)
"""

from typing import NamedTuple

import numba
import numpy as np

from analysis.activations import Columns, Float32, Float64, Int32, Int64
from analysis.kernel import kernel, parallel_kernel
from analysis.top_k import offer, sort_best_first


class Crossed(NamedTuple):
    """Some features of one replicate, relabelled, by feature and by token; kernels take it whole.

    Parameters
    ----------
    start : shape (m + 1,)
        Entries ``start[a]:start[a + 1]`` belong to label ``a``, tokens ascending.
    value : shape (nonzero,), > 0
        Activation at each entry.
    after, end : shape (nonzero,)
        For each entry, ``row_feature[after:end]`` are the labels above its own that fire at its token.
    row_feature, row_value : shape (nonzero,)
        Labels and activations by token, labels ascending within a token.
    """

    start: Int64
    value: Float32
    after: Int32
    end: Int32
    row_feature: Int32
    row_value: Float32


class Lists(NamedTuple):
    """Best partners of each label, one set of lists a thread (a *block*).

    Parameters
    ----------
    score : shape (blocks, m, K)
        Heaps by |score|, the worst on top; see ``analysis.top_k``.
    partner : shape (blocks, m, K)
        Names (not labels) of the partners.
    size : shape (blocks, m)
        Partners in each list.
    least : shape (blocks, m)
        Least |score| that each list would take.
    """

    score: Float64
    partner: Int32
    size: Int32
    least: Float64


def cross(columns: Columns, name: Int32) -> Crossed:
    """Select and relabel features; label ``a`` is feature ``name[a]``.

    Parameters
    ----------
    columns
        One replicate by feature, fewer than 2**31 entries.
    name : shape (m,)
        Features that take part, in the order of their labels.
    """
    return Crossed(*_cross(columns.start, columns.token, columns.value, name, columns.n_tokens))


def empty_lists(blocks: int, m: int, k: int, least: float) -> Lists:
    """Return lists without partners, which take a score from |`least`| on."""
    return Lists(
        np.zeros((blocks, m, k)),
        np.full((blocks, m, k), -1, np.int32),
        np.zeros((blocks, m), np.int32),
        np.full((blocks, m), least),
    )


@kernel
def _cross(
    start: Int64, token: Int32, value: Float32, name: Int32, n_tokens: int
) -> tuple[Int64, Float32, Int32, Int32, Int32, Float32]:
    chosen = np.zeros(len(name) + 1, np.int64)
    row_start = np.zeros(n_tokens + 1, np.int64)
    for a in range(len(name)):
        i = name[a]
        chosen[a + 1] = chosen[a] + start[i + 1] - start[i]
        for entry in range(start[i], start[i + 1]):
            row_start[token[entry] + 1] += 1
    for t in range(n_tokens):
        row_start[t + 1] += row_start[t]
    values = np.empty(chosen[-1], np.float32)
    after = np.empty(chosen[-1], np.int32)
    end = np.empty(chosen[-1], np.int32)
    row_feature = np.empty(chosen[-1], np.int32)
    row_value = np.empty(chosen[-1], np.float32)
    place = row_start[:-1].copy()
    for a in range(len(name)):
        i = name[a]
        for entry in range(start[i + 1] - start[i]):
            t = token[start[i] + entry]
            x = value[start[i] + entry]
            row_feature[place[t]] = a
            row_value[place[t]] = x
            place[t] += 1
            values[chosen[a] + entry] = x
            after[chosen[a] + entry] = place[t]
            end[chosen[a] + entry] = row_start[t + 1]
    return chosen, values, after, end, row_feature, row_value


@kernel
def sum_products(a: int, crossed: Crossed, total: Float64, touched: Int32, known: int) -> int:
    """Add ``x_ta x_tb`` to ``total[b]`` for every ``b > a`` that fires with ``a``, over the tokens in order.

    Parameters
    ----------
    a
        Label.
    crossed
        The activations.
    total : shape (m,)
        Running sums; a sum that is exactly 0 has not been touched.
    touched : shape (m + 1,)
        The labels touched so far, in no order; one place is scratch.
    known
        How many there are of them already: 0, or what an earlier call with the same `a` returned (for another
        replicate, say).

    Returns
    -------
    How many there are now.
    """
    for entry in range(crossed.start[a], crossed.start[a + 1]):
        x = np.float64(crossed.value[entry])
        for place in range(crossed.after[entry], crossed.end[entry]):
            b = crossed.row_feature[place]
            before = total[b]
            # Written always and kept if new: a branch on what cannot be foretold would cost more.
            touched[known] = b
            known += before == 0.0
            total[b] = before + x * crossed.row_value[place]
    return known


@kernel
def count_together(a: int, crossed: Crossed, total: Int32, touched: Int32, known: int) -> int:
    """Add to ``total[b]`` the tokens at which ``a`` and ``b`` fire, for every later ``b`` that does so.

    As ``sum_products``, with counts, shape (m,), for sums.
    """
    for entry in range(crossed.start[a], crossed.start[a + 1]):
        for place in range(crossed.after[entry], crossed.end[entry]):
            b = crossed.row_feature[place]
            before = total[b]
            touched[known] = b
            known += before == 0
            total[b] = before + 1
    return known


@kernel
def offer_to(a: int, partner: int, score: float, lists: Lists, block: int) -> None:
    """Offer the feature named `partner` to the list of label `a` that `block` keeps."""
    if abs(score) >= lists.least[block, a]:
        size = offer(lists.score[block, a], lists.partner[block, a], lists.size[block, a], score, partner)
        lists.size[block, a] = size
        if size == lists.score.shape[2]:
            lists.least[block, a] = abs(lists.score[block, a, 0])


@parallel_kernel
def merge_lists(lists: Lists, name: Int32, n_features: int) -> tuple[Int32, Float64]:
    """Merge the lists of all blocks and give every label its feature's name again.

    Returns
    -------
    Partners, best first and -1 behind the last, and their scores, 0 behind the last; both (n_features, K).
    """
    blocks, m, k = lists.score.shape
    partner = np.full((n_features, k), -1, np.int32)
    score = np.zeros((n_features, k))
    for a in numba.prange(m):
        i = name[a]
        size = 0
        for block in range(blocks):
            for place in range(lists.size[block, a]):
                size = offer(
                    score[i], partner[i], size, lists.score[block, a, place], lists.partner[block, a, place]
                )
        sort_best_first(score[i], partner[i], size)
    return partner, score
