"""All pairs of features that fire together, each visited once: what every screen stands on.

The features that take part are relabelled ``0 .. m - 1`` and their activations kept both ways round: by
feature, and by token with labels ascending. A visit is a token at which ``a`` and a later ``b > a`` both
fire; for each entry of ``a`` these visits are one contiguous piece of the token's row, and where it lies is
stored with the entry. A screen walks over ``a``, adds up what it wants of all ``b`` at once, and keeps the
best partners of both ends in lists of its thread's own, which are merged at the end.

::

    crossed = cross(columns, name)
    lists = empty_lists(threads, m, K, floor)
    for a:                                                                 (spread over the threads)
        found = sum_products(a, crossed, total, touched, 0)                total[b] = sum_t x_ta x_tb
        others, scores = what is worth keeping of touched[:found]; total[touched[:found]] = 0
        offer_pairs(a, others, scores, name, lists, thread)
    merge_lists(lists, name, F)

What costs time is not the additions but what surrounds them, so rows are asked for before they are read, no
branch depends on whether a pair is new, and lists have slack (``analysis.top_k``). Kernels that call these
are cached with them inside: numba notices a change of the calling file only.
"""

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from analysis.activations import Columns, Float32, Float64, Int32, Int64
from analysis.kernel import kernel, parallel_kernel
from analysis.prefetch import prefetch
from analysis.top_k import keep_best, sort_best_first

UInt32 = NDArray[np.uint32]

ENTRY = np.dtype([("label", np.uint32), ("value", np.float32)])
"""One entry of a token's row. Side by side: one stream to read instead of two."""

ROOM = 2
"""Room of a list, in units of K; at most this many are held before all but the K best are thrown out."""

_AHEAD = 2
"""Entries of a feature by which the rows to be read are asked for beforehand."""

_LINE = 64 // ENTRY.itemsize
"""Entries of a row in a cache line."""


class Crossed(NamedTuple):
    """Some features of one replicate, relabelled, by feature and by token; kernels take it whole.

    Parameters
    ----------
    start : shape (m + 1,)
        Entries ``start[a]:start[a + 1]`` belong to label ``a``, tokens ascending.
    value : shape (nonzero,), > 0
        Activation at each entry.
    after, end : shape (nonzero,)
        For each entry, ``row[after:end]`` holds the labels above its own that fire at its token.
    row : shape (nonzero,), ``ENTRY``
        Labels and activations by token, labels ascending within a token.
    """

    start: Int64
    value: Float32
    after: UInt32
    end: UInt32
    row: NDArray[np.void]


class Lists(NamedTuple):
    """Best partners of each label, one set of lists a thread (a *block*).

    Parameters
    ----------
    score, partner : shape (blocks, m, ROOM K)
        Scores and names (not labels) of the partners, in no order.
    size : shape (blocks, m)
        Partners in each list.
    least : shape (blocks, m)
        Least |score| that each list would take.
    k
        How many of a list count in the end.
    """

    score: Float64
    partner: Int32
    size: Int32
    least: Float64
    k: int


def cross(columns: Columns, name: Int32) -> Crossed:
    """Select and relabel features; label ``a`` is feature ``name[a]``.

    Parameters
    ----------
    columns
        One replicate by feature, fewer than 2**32 entries.
    name : shape (m,)
        Features that take part, in the order of their labels.
    """
    row_start = row_start_of(columns.start, columns.token, name, columns.n_tokens)
    row = np.empty(row_start[-1], ENTRY)
    return Crossed(*_cross(columns.start, columns.token, columns.value, name, row_start, row))


def empty_lists(blocks: int, m: int, k: int, least: float) -> Lists:
    """Return lists without partners, which take a score from |`least`| on."""
    return Lists(
        np.empty((blocks, m, ROOM * k)),
        np.empty((blocks, m, ROOM * k), np.int32),
        np.zeros((blocks, m), np.int32),
        np.full((blocks, m), least),
        k,
    )


@kernel
def _cross(
    start: Int64, token: Int32, value: Float32, name: Int32, row_start: Int64, row: NDArray[np.void]
) -> tuple[Int64, Float32, UInt32, UInt32, NDArray[np.void]]:
    """Fill `row`; `row_start` says where each token's begins."""
    chosen = np.zeros(len(name) + 1, np.int64)
    for a in range(len(name)):
        chosen[a + 1] = chosen[a] + start[name[a] + 1] - start[name[a]]
    values = np.empty(chosen[-1], np.float32)
    after = np.empty(chosen[-1], np.uint32)
    end = np.empty(chosen[-1], np.uint32)
    place = row_start[:-1].copy()
    for a in range(len(name)):
        ahead = start[name[a]] - chosen[a]
        for entry in range(chosen[a], chosen[a + 1]):
            t = token[entry + ahead]
            x = value[entry + ahead]
            row[place[t]].label = a
            row[place[t]].value = x
            place[t] += 1
            values[entry] = x
            after[entry] = place[t]
            end[entry] = row_start[t + 1]
    return chosen, values, after, end, row


@kernel
def row_start_of(start: Int64, token: Int32, name: Int32, n_tokens: int) -> Int64:
    """Where the row of each token begins, of the features `name` alone, shape (n_tokens + 1,)."""
    row_start = np.zeros(n_tokens + 1, np.int64)
    for i in name:
        for t in token[start[i] : start[i + 1]]:
            row_start[t + 1] += 1
    for t in range(n_tokens):
        row_start[t + 1] += row_start[t]
    return row_start


@kernel
def rows_of_labels(start: Int64, token: Int32, name: Int32, n_tokens: int) -> tuple[Int64, UInt32]:
    """Labels that fire at each token, falling within each: the first of each row, and the rows."""
    row_start = row_start_of(start, token, name, n_tokens)
    row = np.empty(row_start[-1], np.uint32)
    place = row_start[:-1].copy()
    for a in range(len(name) - 1, -1, -1):
        i = name[a]
        for t in token[start[i] : start[i + 1]]:
            row[place[t]] = a
            place[t] += 1
    return row_start, row


@kernel
def ask_for_rows(entry: int, crossed: Crossed) -> None:
    """Prefetch the piece of a row that will be read a few entries later."""
    later = min(entry + _AHEAD, len(crossed.after) - 1)
    for place in range(crossed.after[later], crossed.end[later], _LINE):
        prefetch(crossed.row, place)


@kernel
def sum_products(a: int, crossed: Crossed, total: Float64, touched: UInt32, known: int) -> int:
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
    # Unsigned throughout: a signed place would be tested for counting from the end, at every visit.
    found = np.uint64(known)
    for entry in range(crossed.start[a], crossed.start[a + 1]):
        ask_for_rows(entry, crossed)
        x = np.float64(crossed.value[entry])
        for place in range(np.uint64(crossed.after[entry]), np.uint64(crossed.end[entry])):
            b = crossed.row[place].label
            before = total[b]
            # Written always and kept if new: a branch on what cannot be foretold would cost more.
            touched[found] = b
            found += np.uint64(before == 0.0)
            total[b] = before + x * crossed.row[place].value
    return int(found)


@kernel
def offer_to(a: int, partner: int, score: float, lists: Lists, block: int) -> None:
    """Offer the feature named `partner` to the list of label `a` that `block` keeps."""
    if abs(score) >= lists.least[block, a]:
        _append(a, partner, score, lists, block)


@kernel
def _append(a: int, partner: int, score: float, lists: Lists, block: int) -> None:
    size = lists.size[block, a]
    lists.score[block, a, size] = score
    lists.partner[block, a, size] = partner
    size += 1
    if size == lists.score.shape[2]:
        size = keep_best(lists.score[block, a], lists.partner[block, a], size, lists.k)
        lists.least[block, a] = abs(lists.score[block, a, size - 1])
    lists.size[block, a] = size


@kernel
def offer_pairs(a: int, others: UInt32, scores: Float64, name: Int32, lists: Lists, block: int) -> None:
    """Offer each pair of `a` and one of `others` to the lists of both its ends.

    Parameters
    ----------
    a
        Label.
    others, scores : shape (pairs,)
        Labels of the other ends, and the scores of the pairs.
    name : shape (m,)
        Name of each label.
    lists, block
        The lists, and whose of them.
    """
    least = lists.least[block]
    for place in range(len(others)):
        if abs(scores[place]) >= least[others[place]]:
            _append(others[place], name[a], scores[place], lists, block)
    for place in range(len(others)):
        if abs(scores[place]) >= least[a]:
            _append(a, name[others[place]], scores[place], lists, block)


@parallel_kernel
def merge_lists(lists: Lists, name: Int32, n_features: int) -> tuple[Int32, Float64]:
    """Merge the lists of all blocks and give every label its feature's name again.

    Returns
    -------
    Partners, best first and -1 behind the last, and their scores, 0 behind the last; both (n_features, K).
    """
    blocks, m = lists.size.shape
    k = lists.k
    partner = np.full((n_features, k), -1, np.int32)
    score = np.zeros((n_features, k))
    for a in numba.prange(m):
        found = lists.size[:, a].sum()
        all_scores = np.empty(found)
        all_partners = np.empty(found, np.int32)
        size = 0
        for block in range(blocks):
            more = lists.size[block, a]
            all_scores[size : size + more] = lists.score[block, a, :more]
            all_partners[size : size + more] = lists.partner[block, a, :more]
            size += more
        size = keep_best(all_scores, all_partners, size, k)
        sort_best_first(all_scores, all_partners, size)
        partner[name[a], :size] = all_partners[:size]
        score[name[a], :size] = all_scores[:size]
    return partner, score
