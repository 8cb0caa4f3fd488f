"""The matched null: each feature's values permuted over the tokens, on its own.

A permutation of a column that is mostly zeros is a draw of as many distinct tokens, in random order, to carry
its values. Every feature has a generator of its own, seeded from the seed, the trial and the feature, so the
draw does not depend on the number of threads or on the other features.
"""

import numba
import numpy as np
from numpy.typing import NDArray

from analysis.activations import Columns, Float32, Int32, Int64
from analysis.kernel import kernel, parallel_kernel
from analysis.splitmix import below, entropy_of, stream_of, untaken

UInt32 = NDArray[np.uint32]
UInt64 = NDArray[np.uint64]


def shuffled(columns: Columns, seed: int, replicate: int, stream: int) -> Columns:
    """Permute every feature over the tokens; tokens ascend within each again.

    Parameters
    ----------
    columns
        One replicate by feature.
    seed, replicate, stream
        What seeds the permutations; equal numbers give equal permutations.
    """
    entropy = entropy_of(seed, replicate, stream)
    token, value = _permute(columns.start, columns.value, columns.n_tokens, entropy, numba.get_num_threads())
    _sort(columns.start, token, value, columns.n_tokens, numba.get_num_threads())
    return Columns(columns.start, token, value, columns.n_tokens)


@parallel_kernel
def _permute(
    start: Int64, value: Float32, n_tokens: int, entropy: np.uint64, blocks: int
) -> tuple[Int32, Float32]:
    """Draw tokens for every feature's values; values are shuffled too where most tokens fire."""
    n_features = len(start) - 1
    token = np.empty(len(value), np.int32)
    moved = value.copy()
    for block in numba.prange(blocks):
        taken_by = np.full(n_tokens, -1, np.int32)
        for i in range(block, n_features, blocks):
            state = stream_of(entropy, i)
            fires = start[i + 1] - start[i]
            places = token[start[i] : start[i + 1]]
            if 2 * fires <= n_tokens:
                for draw in range(fires):
                    state, t = untaken(state, n_tokens, i, taken_by)
                    taken_by[t] = i
                    places[draw] = t
                continue
            state = place_silence(i, n_tokens, state, taken_by, places)
            for last in range(fires - 1, 0, -1):
                state, other = below(state, last + 1)
                a, b = start[i] + last, start[i] + other
                moved[a], moved[b] = moved[b], moved[a]
    return token, moved


@kernel
def place_silence(i: int, n: int, state: np.uint64, taken_by: Int32, places: Int32) -> np.uint64:
    """Draw the tokens at which a feature that mostly fires stays silent; the others are its `places`.

    Rejection needs most tokens free, so silence is what is drawn. Returns the generator's state.
    """
    for _ in range(n - len(places)):
        state, t = untaken(state, n, i, taken_by)
        taken_by[t] = i
    place = 0
    for t in range(n):
        if taken_by[t] != i:
            places[place] = t
            place += 1
    return state


@kernel
def _spread(token: Int32, bits: UInt32, n_tokens: int, place: Int64, words: UInt64) -> None:
    """Put token and value of each entry, in one word, into as many bins as there are entries, bin by bin.

    The tokens are drawn evenly, so a bin holds one or two and what is left to sort are neighbours.
    """
    bins = len(token) / n_tokens
    place[: len(token) + 2] = 0
    for t in token:
        place[np.uint64(t * bins) + np.uint64(1)] += 1
    for b in range(len(token)):
        place[b + 1] += place[b]
    for entry in range(len(token)):
        own = np.uint64(token[entry] * bins)
        words[place[own]] = (np.uint64(token[entry]) << np.uint64(32)) | np.uint64(bits[entry])
        place[own] += 1


@parallel_kernel
def _sort(start: Int64, token: Int32, value: Float32, n_tokens: int, blocks: int) -> None:
    """Bring the tokens of each feature into order, their values with them."""
    n_features = len(start) - 1
    bits = value.view(np.uint32)
    most = np.diff(start).max() if n_features else 0
    for block in numba.prange(blocks):
        place = np.empty(most + 2, np.int64)
        words = np.empty(most, np.uint64)
        for i in range(block, n_features, blocks):
            first, size = start[i], start[i + 1] - start[i]
            _spread(token[first : first + size], bits[first : first + size], n_tokens, place, words)
            for entry in range(1, size):
                word = words[entry]
                before = entry - 1
                while before >= 0 and words[before] > word:
                    words[before + 1] = words[before]
                    before -= 1
                words[before + 1] = word
            for entry in range(size):
                token[first + entry] = np.int32(words[entry] >> np.uint64(32))
                bits[first + entry] = np.uint32(words[entry] & np.uint64(0xFFFFFFFF))
