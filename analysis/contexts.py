"""Where a feature fires hardest: its strongest firings, each from another sequence."""

from dataclasses import dataclass

import numba
import numpy as np

from analysis.activations import Columns, Float32, Int32, Int64
from analysis.kernel import parallel_kernel


@dataclass(frozen=True)
class Firings:
    """The strongest firings of each feature, best first, from different sequences.

    Parameters
    ----------
    value : shape (F, top)
        Activation; 0 behind the last.
    sequence : shape (F, top)
        Sequence it came from; -1 behind the last.
    token : shape (F, top)
        Token it came from, within the replicate; -1 behind the last.
    """

    value: Float32
    sequence: Int64
    token: Int32


def strongest(columns: Columns, sequence: Int32, top: int) -> Firings:
    """Find the `top` strongest firings of each feature, at most one a sequence.

    Parameters
    ----------
    columns
        One replicate by feature.
    sequence : shape (n,)
        Sequence of each token.
    top
        Firings wanted of each feature.
    """
    return Firings(*_strongest(columns.start, columns.token, columns.value, sequence, top))


@parallel_kernel
def _strongest(
    start: Int64, token: Int32, value: Float32, sequence: Int32, top: int
) -> tuple[Float32, Int64, Int32]:
    """Insert every firing in a short sorted list; equal values keep the earlier token."""
    n_features = len(start) - 1
    best = np.zeros((n_features, top), np.float32)
    origin = np.full((n_features, top), -1, np.int64)
    where = np.full((n_features, top), -1, np.int32)
    for i in numba.prange(n_features):
        for place in range(start[i], start[i + 1]):
            x, t = value[place], token[place]
            if x <= best[i, top - 1]:
                continue
            last = top - 1
            for a in range(top):
                if origin[i, a] == sequence[t]:
                    last = a
                    break
            if x <= best[i, last]:
                continue
            while last > 0 and best[i, last - 1] < x:
                best[i, last] = best[i, last - 1]
                origin[i, last] = origin[i, last - 1]
                where[i, last] = where[i, last - 1]
                last -= 1
            best[i, last], origin[i, last], where[i, last] = x, sequence[t], t
    return best, origin, where
