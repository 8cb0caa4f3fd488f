"""The null of the calibrated procedure: features that share nothing but the activity of the token.

Each feature's firings are placed anew, on their own, with what says nothing of other features kept:

- its count, in the replicate;
- its bursts: firings nearer to each other than chance would often bring them move as one, so that a
  feature that lasts from token to token still does;
- its loading: every token is given a standard normal activity ``u``, new in every draw, and a burst begins
  at a token with a probability in proportion to ``exp(l u)``. Where tokens are of two kinds, a share ``p`` of
  them is crowded, and a burst begins at one of those with probability ``p + l sqrt(p (1 - p))``.

Under the tilt ``exp(l u)`` the activity is normal about ``l``, so a token is drawn by drawing its activity
and taking the token of that rank; crowded tokens are those of highest rank.
"""

import math

import numba
import numpy as np

from analysis.activations import Columns, Float64, Int32, Int64
from analysis.bursts import LAGS
from analysis.kernel import kernel, parallel_kernel
from analysis.shuffle import place_silence
from analysis.splitmix import entropy_of, normal, stream_of, untaken

_NEAR = 0.05
"""Chance of an independent firing within the gap that still counts as one burst."""

_TRIES = 100


def redrawn(
    columns: Columns, loading: Float64, seed: int, replicate: int, stream: int, crowd: float = 0.0
) -> Columns:
    """Draw one replicate anew; each feature keeps its values, in an order without meaning.

    Parameters
    ----------
    columns
        One replicate by feature.
    loading : shape (F,)
        Loadings on the activity of the token.
    seed, replicate, stream
        What seeds the draw; equal numbers give equal draws.
    crowd
        Share of the tokens that are crowded; 0 where activity is log-normal.
    """
    entropy = entropy_of(seed, replicate, stream)
    by_activity = np.random.default_rng([seed, replicate, stream]).permutation(columns.n_tokens)
    token = _redraw(
        columns.start,
        columns.token,
        by_activity.astype(np.int32),
        loading,
        crowd,
        entropy,
        numba.get_num_threads(),
    )
    return Columns(columns.start, token, columns.value, columns.n_tokens)


@parallel_kernel
def _redraw(
    start: Int64,
    token: Int32,
    by_activity: Int32,
    loading: Float64,
    crowd: float,
    entropy: np.uint64,
    blocks: int,
) -> Int32:
    n = len(by_activity)
    drawn = np.empty(len(token), np.int32)
    for block in numba.prange(blocks):
        taken_by = np.full(n, -1, np.int32)
        for i in range(block, len(start) - 1, blocks):
            tokens, places = token[start[i] : start[i + 1]], drawn[start[i] : start[i + 1]]
            state = stream_of(entropy, i)
            if 2 * len(tokens) > n:
                place_silence(i, n, state, taken_by, places)
            else:
                _place_bursts(i, tokens, by_activity, loading[i], crowd, state, taken_by, places)
                places.sort()
    return drawn


@kernel
def _place_bursts(
    i: int,
    tokens: Int32,
    by_activity: Int32,
    loading: float,
    crowd: float,
    state: np.uint64,
    taken_by: Int32,
    places: Int32,
) -> None:
    """Place each burst where its first token's activity draws it and all its tokens are free."""
    n = len(by_activity)
    gap = min(LAGS, int(_NEAR * n / max(1, len(tokens))))
    first = 0
    while first < len(tokens):
        last = first
        while last + 1 < len(tokens) and tokens[last + 1] - tokens[last] <= gap:
            last += 1
        placed = False
        for _ in range(_TRIES):
            state, u = normal(state)
            share = 0.5 * math.erfc(-(u + (0.0 if crowd > 0.0 else loading)) / math.sqrt(2.0))
            if crowd > 0.0:
                share = _tilted(share, loading, crowd)
            rank = int(n * share)
            begin = by_activity[min(n - 1, rank)] - tokens[first]
            if begin + tokens[last] < n and _all_free(i, tokens, first, last, begin, taken_by):
                placed = True
                break
        for entry in range(first, last + 1):
            if placed:
                places[entry] = tokens[entry] + begin
            else:
                # A burst that fits nowhere whole is scattered.
                state, free = untaken(state, n, i, taken_by)
                places[entry] = free
            taken_by[places[entry]] = i
        first = last + 1


@kernel
def _tilted(share: float, loading: float, crowd: float) -> float:
    """Rank of a token, as a share of all, from a uniform number."""
    there = min(1.0, max(0.0, crowd + loading * math.sqrt(crowd * (1.0 - crowd))))
    if share < there:
        return 1.0 - crowd * share / there
    return (1.0 - crowd) * (share - there) / max(1e-12, 1.0 - there)


@kernel
def _all_free(i: int, tokens: Int32, first: int, last: int, begin: int, taken_by: Int32) -> bool:
    free = True
    for entry in range(first, last + 1):
        free = free and taken_by[tokens[entry] + begin] != i
    return free
