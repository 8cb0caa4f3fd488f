"""Second moments of a handful of sparse columns, from their index lists alone.

A token at which ``m`` of the columns fire adds ``m (m + 1) / 2`` products. The columns are threaded into one
linked list a token, so the cost is the number of co-firings, and nothing has the length tokens x columns.
"""

import numpy as np

from analysis.activations import Float32, Float64, Int32, Int64
from analysis.kernel import kernel


@kernel
def sparse_products(
    start: Int64,
    token: Int32,
    value: Float32,
    deviation: Float64,
    chosen: Int32,
    fold: Int32,
    head: Int32,
    sums: Float64,
    squares: Float64,
) -> None:
    """Sum the chosen columns, scaled to deviation 1, and their products, over each fold of the tokens.

    Parameters
    ----------
    start, token, value
        Activations by feature.
    deviation : shape (F,)
        Population standard deviation of every feature, above 0 for the chosen ones.
    chosen : shape (m,)
        Features whose columns are wanted.
    fold : shape (n,)
        Fold of each token.
    head : shape (n,), all -1
        Scratch; -1 again on return.
    sums : shape (folds, >= m)
        Overwritten with the column sums.
    squares : shape (folds, >= m, >= m)
        Overwritten with the sums of products, symmetric.
    """
    entries = 0
    for i in chosen:
        entries += start[i + 1] - start[i]
    following = np.empty(entries, np.int32)
    column = np.empty(entries, np.int32)
    scaled = np.empty(entries, np.float64)
    sums[:] = 0.0
    squares[:] = 0.0
    entry = 0
    for a in range(len(chosen)):
        i = chosen[a]
        for place in range(start[i], start[i + 1]):
            t = token[place]
            part = fold[t]
            x = value[place] / deviation[i]
            sums[part, a] += x
            squares[part, a, a] += x * x
            before = head[t]
            while before >= 0:
                squares[part, a, column[before]] += x * scaled[before]
                before = following[before]
            column[entry] = a
            scaled[entry] = x
            following[entry] = head[t]
            head[t] = entry
            entry += 1
    for a in range(len(chosen)):
        i = chosen[a]
        for place in range(start[i], start[i + 1]):
            head[token[place]] = -1
        for b in range(a):
            for part in range(squares.shape[0]):
                squares[part, b, a] = squares[part, a, b]
