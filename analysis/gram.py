"""Second moments of a handful of sparse columns, from their index lists alone.

A token at which ``m`` of the columns fire adds ``m (m + 1) / 2`` products. The columns are threaded into one
linked list a token, so the cost is the number of co-firings, and nothing has the length tokens x columns.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.activations import Float32, Float64, Int32, Int64
from analysis.kernel import kernel

UInt32 = NDArray[np.uint32]


class Links(NamedTuple):
    """Scratch of ``sparse_products``: for each token, the entries of the columns that fire there, linked.

    An entry's number is counted on from one call to the next, so that what an earlier call has left in `head`
    is told by its small number and need not be wiped out.

    Parameters
    ----------
    head : shape (n,)
        Number of the latest entry at each token.
    entry : shape (most entries of a call, 2)
        Column of each entry, and the number of the one before it at its token.
    scaled : shape (most entries of a call,)
        Value of each entry over the deviation of its feature.
    used : shape (1,)
        Numbers given so far.
    """

    head: UInt32
    entry: UInt32
    scaled: Float64
    used: Int64


@kernel
def make_links(n: int, most: int) -> Links:
    """Make scratch for `n` tokens and columns of `most` entries together."""
    return Links(np.zeros(n, np.uint32), np.empty((most, 2), np.uint32), np.empty(most), np.ones(1, np.int64))


@kernel
def _first_number(links: Links) -> int:
    """Return the number of the first entry; all in `head` are smaller."""
    if links.used[0] + len(links.scaled) >= 2**32:
        links.head[:] = 0
        links.used[0] = 1
    return int(links.used[0])


@kernel
def sparse_products(
    start: Int64,
    token: Int32,
    value: Float32,
    deviation: Float64,
    chosen: Int32,
    edge: Int64,
    links: Links,
    sums: Float64,
    squares: Float64,
) -> None:
    """Sum the chosen columns, scaled to deviation 1, and their products, over each fold of the tokens.

    Parameters
    ----------
    start, token, value
        Activations by feature, tokens ascending.
    deviation : shape (F,)
        Population standard deviation of every feature, above 0 for the chosen ones.
    chosen : shape (m,)
        Features whose columns are wanted.
    edge : shape (folds + 1,)
        Fold ``f`` has the tokens ``edge[f] .. edge[f + 1] - 1``.
    links
        Scratch.
    sums : shape (folds, >= m)
        Overwritten with the column sums.
    squares : shape (folds, >= m, >= m)
        Overwritten with the sums of products, symmetric.
    """
    sums[:] = 0.0
    squares[:] = 0.0
    first = np.uint32(_first_number(links))
    entry = np.uint32(0)
    for a in range(len(chosen)):
        i = chosen[a]
        scale = deviation[i]
        fold = 0
        row = squares[0, a]
        # Its own sums in registers: through memory each addition would wait for the one before to be stored.
        total = 0.0
        square = 0.0
        for place in range(np.uint64(start[i]), np.uint64(start[i + 1])):
            t = np.uint32(token[place])
            if t >= edge[fold + 1]:
                sums[fold, a] = total
                squares[fold, a, a] = square
                while t >= edge[fold + 1]:
                    fold += 1
                row = squares[fold, a]
                total = 0.0
                square = 0.0
            x = value[place] / scale
            total += x
            square += x * x
            before = links.head[t]
            links.head[t] = first + entry
            links.entry[entry, 0] = a
            links.entry[entry, 1] = before
            links.scaled[entry] = x
            entry += np.uint32(1)
            while before >= first:
                other = np.uint32(before - first)
                row[links.entry[other, 0]] += x * links.scaled[other]
                before = links.entry[other, 1]
        sums[fold, a] = total
        squares[fold, a, a] = square
    links.used[0] = first + entry
    for a in range(len(chosen)):
        for b in range(a):
            for fold in range(squares.shape[0]):
                squares[fold, b, a] = squares[fold, a, b]
