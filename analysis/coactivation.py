"""For given pairs of features, the tokens at which both fire."""

import numba
import numpy as np

from analysis.activations import Columns, Int32, Int64
from analysis.kernel import parallel_kernel


def coactivation(columns: Columns, source: Int32, target: Int32) -> Int64:
    """Count, for each pair, the tokens at which both fire, shape (pairs,)."""
    return _coactivation(columns.start, columns.token, source, target)


@parallel_kernel
def _coactivation(start: Int64, token: Int32, source: Int32, target: Int32) -> Int64:
    """Merge the two ascending token lists of each pair."""
    both = np.zeros(len(source), np.int64)
    for pair in numba.prange(len(source)):
        a, a_end = start[source[pair]], start[source[pair] + 1]
        b, b_end = start[target[pair]], start[target[pair] + 1]
        found = 0
        while a < a_end and b < b_end:
            if token[a] == token[b]:
                found += 1
                a += 1
                b += 1
            elif token[a] < token[b]:
                a += 1
            else:
                b += 1
        both[pair] = found
    return both
