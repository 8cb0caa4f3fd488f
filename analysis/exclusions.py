"""Members of one neighbourhood that exclude each other, which no count of all their meetings shows.

Siblings of which at most one fires meet never. Among all tokens that is hardly less than chance foretells of
features that seldom fire; among the tokens of their parent it is far less. So once the neighbourhoods are
known, the meetings of every two members of one are counted at the tokens of its feature ``i``, and compared
with a Poisson count of mean

    N_ij N_ik / n_i

whose lower tail is longer than that of the exact law, hypergeometric. Pairs that meet too seldom there become
candidates of each other; the regressions and tests say what is left of them given all the rest.
"""

import numba
import numpy as np

from analysis.activations import Float32, Float64, Int32, Int64
from analysis.bursts import dispersion
from analysis.firings import Firings
from analysis.kernel import kernel, parallel_kernel
from analysis.poisson import log_at_most
from analysis.screen import Candidates


def exclusions_of(
    firings: Firings, lasting: Float32, start: Int64, member: Int64, enough: float
) -> tuple[Int32, Int32]:
    """Find pairs that meet too seldom at the tokens of a feature that has both as members.

    Parameters
    ----------
    firings
        Firing states.
    lasting : shape (F, LAGS + SPANS)
        Autocorrelations of the states.
    start : shape (F + 1,)
        ``member[start[i]:start[i + 1]]`` is the neighbourhood of ``i``.
    member : shape (members,), ascending for each feature
    enough
        Least ``-log p`` of a pair.

    Returns
    -------
    Pairs, each once, ascending by the first, then the second, ``first < second``.
    """
    # The pairs found are first counted, then listed.
    arguments = firings.start, firings.token, firings.n_tokens, lasting, start, member, enough
    blocks = 4 * numba.get_num_threads()
    nothing = np.zeros((2, 0), np.int32)
    number = _exclusions(*arguments, np.zeros(len(start), np.int64), nothing, blocks)
    place = np.concatenate([np.zeros(1, np.int64), np.cumsum(number)])
    pairs = np.empty((2, place[-1]), np.int32)
    if place[-1] > 0:
        _exclusions(*arguments, place, pairs, blocks)
    keys = np.unique(pairs[0].astype(np.int64) * firings.n_features + pairs[1])
    return (keys // firings.n_features).astype(np.int32), (keys % firings.n_features).astype(np.int32)


@parallel_kernel
def _exclusions(
    start: Int64,
    token: Int32,
    n: int,
    lasting: Float32,
    member_start: Int64,
    member: Int64,
    enough: float,
    place: Int64,
    pairs: Int32,
    blocks: int,
) -> Int64:
    """Count the pairs found at each feature; they are listed from ``place[i]`` on if `pairs` has room."""
    number = np.zeros(len(start) - 1, np.int64)
    for block in numba.prange(blocks):
        place_of = np.full(n, -1, np.int32)
        for i in range(block, len(number), blocks):
            members = member[member_start[i] : member_start[i + 1]]
            if len(members) < 2:
                continue
            tokens = token[start[i] : start[i + 1]]
            for k in range(len(tokens)):
                place_of[tokens[k]] = k
            met = _met_at(start, token, members, place_of, len(tokens))
            for k in range(len(tokens)):
                place_of[tokens[k]] = -1
            for a in range(len(members)):
                for b in range(a):
                    mean = met[a, a] / len(tokens) * met[b, b]
                    # The whole tail is at least P(0) = exp(-mean).
                    if mean <= enough or met[a, b] >= mean:
                        continue
                    phi = dispersion(lasting[members[a]], lasting[members[b]])
                    if -log_at_most(met[a, b] / phi, mean / phi) < enough:
                        continue
                    if pairs.shape[1] > 0:
                        pairs[0, place[i] + number[i]] = members[b]
                        pairs[1, place[i] + number[i]] = members[a]
                    number[i] += 1
    return number


@kernel
def _met_at(start: Int64, token: Int32, members: Int64, place_of: Int32, tokens: int) -> Float64:
    """Meetings of members at some tokens, shape (members, members): the lower triangle is filled."""
    row_start = np.zeros(tokens + 1, np.int64)
    for j in members:
        for t in token[start[j] : start[j + 1]]:
            row_start[place_of[t] + 1] += place_of[t] >= 0
    row_start[0] = 0
    for k in range(tokens):
        row_start[k + 1] += row_start[k]
    row = np.empty(row_start[-1], np.int32)
    end = row_start[:-1].copy()
    met = np.zeros((len(members), len(members)))
    for a in range(len(members)):
        j = members[a]
        for t in token[start[j] : start[j + 1]]:
            k = place_of[t]
            if k >= 0:
                row[end[k]] = a
                end[k] += 1
                for b in row[row_start[k] : end[k]]:
                    met[a, b] += 1.0
    return met


def joined(candidates: Candidates, coefficient: Float64, of: Int32, more: Int32) -> Candidates:
    """Make ``more[p]`` a candidate of ``of[p]``, behind the rest or in place of one not chosen.

    Parameters
    ----------
    candidates
        Candidates so far.
    coefficient : shape (F, K)
        What the regressions made of them.
    of, more : shape (pairs,)
        The pairs. Those that are candidates already stay as they are.
    """
    feature, evidence = candidates.feature.copy(), candidates.correlation.copy()
    _join(feature, evidence, coefficient, of, more)
    return Candidates(feature, evidence, candidates.threshold, candidates.passed)


@kernel
def _join(feature: Int32, evidence: Float64, coefficient: Float64, of: Int32, more: Int32) -> None:
    added = np.zeros(feature.shape, np.bool_)
    for p in range(len(of)):
        i, j = of[p], more[p]
        place = -1
        for k in range(feature.shape[1]):
            if feature[i, k] == j:
                # nor does it make room for a later one
                added[i, k] = True
                place = -1
                break
            if feature[i, k] < 0:
                place = k
                break
            if coefficient[i, k] == 0.0 and not added[i, k]:
                place = k
        if place >= 0:
            feature[i, place] = j
            evidence[i, place] = 0.0
            added[i, place] = True
