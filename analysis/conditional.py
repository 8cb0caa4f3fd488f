"""Does a feature fire with another more often than its neighbourhood explains? The test of an edge.

For feature ``i`` with neighbourhood ``S`` and another feature ``j``, a logistic regression of ``i`` on ``S``
without ``j`` gives ``p_t``, and the score of ``j`` is (Rao 1948)

    T = sum_{t: j fires} (s_ti - p_t) = N_ij - sum_{t: j fires} p_t
    V = x' W x - x' W X (X' W X)^-1 X' W x            x the states of j, X the columns of S, W = p (1 - p)

T has mean 0 and variance V if ``i`` depends on ``j`` through nothing but ``S``. Counts are small, so its law
is not taken as normal: ``T + V`` is compared with a Poisson count of mean V, which has the same mean,
variance and skewness where firing is rare. Activity of the token that the neighbourhood does not show adds
``V (exp(l_i l_j) - 1)`` to the mean of T and multiplies V (``analysis.loadings``); tokens alike multiply the
variance by a dispersion: the larger of what the two features' lasting foretells (``analysis.bursts``) and of
the autocorrelation of ``s_ti - p_t`` over the tokens of ``j``.

A pair is tested from both ends and judged by the weaker of the two, so that a false edge needs both
neighbourhoods to be wrong, as in the doubly robust tests of conditional independence (Shah and Peters 2020).
That asks too much of a hub: its followers together tell nearly always whether it fires, and hardly a token is
left at which one of them tells more. So a pair that only one end shows is tested once more from that end,
given the neighbourhoods of both, and counts with twice the p of this test if that is less.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numba
import numpy as np

from analysis.activations import Float32, Float64, Int32, Int64
from analysis.bursts import LAGS, dispersion
from analysis.cholesky import solve_lower
from analysis.firings import Firings, Int8
from analysis.kernel import kernel, parallel_kernel
from analysis.logistic import BASIS, Design, columns_at, design_of, fit_logistic
from analysis.poisson import evidence

_FULL_TOLERANCE = 1e-5
_LEFT_OUT_TOLERANCE = 1e-3

_COUNT, _EXCESS, _VARIANCE, _DISPERSION, _RESIDUAL, _ERROR, _CONVERGED = range(7)
_FIGURES = 7


@dataclass(frozen=True)
class Neighbourhoods:
    """Features that each feature is regressed on: ``member[start[i]:start[i + 1]]``, ascending."""

    start: Int64
    member: Int64


class Tasks(NamedTuple):
    """Regressions to make, and what to test in each.

    Parameters
    ----------
    node : shape (regressions,)
        Feature that is regressed, ascending.
    member_start : shape (regressions + 1,)
    member
        Features that it is regressed on: ``member[member_start[r]:member_start[r + 1]]``.
    partner_start : shape (regressions + 1,)
    partner
        Features tested against it, each left out of the members for its own test.
    """

    node: Int64
    member_start: Int64
    member: Int64
    partner_start: Int64
    partner: Int64


@dataclass(frozen=True)
class PairTests:
    """The test of each of some pairs.

    Parameters
    ----------
    evidence : shape (pairs,)
        ``-log p``, signed as the dependence; 0 where the two ends disagree in sign.
    partial_correlation : shape (pairs,)
        ``T`` of the end that judges, over the root of both residual variances.
    standard_error : shape (pairs,)
        Its standard error over the replicates; nan for one replicate.
    joint
        Pairs tested once more, given the neighbourhoods of both.
    not_converged
        Regressions that did not converge; their tests are no evidence.
    """

    evidence: Float64
    partial_correlation: Float64
    standard_error: Float64
    joint: int
    not_converged: int


def conditional_tests(
    firings: Firings,
    loading: Float64,
    lasting: Float32,
    neighbourhoods: Neighbourhoods,
    source: Int32,
    target: Int32,
    level: float = 0.1,
) -> PairTests:
    """Test pairs of features for conditional dependence.

    Parameters
    ----------
    firings
        Firing states of all replicates.
    loading, lasting
        Loadings on the activity, shape (F,), and autocorrelations, shape (F, LAGS).
    neighbourhoods
        What each feature is regressed on.
    source, target : shape (pairs,)
        The pairs.
    level
        Largest q that is of interest: pairs that cannot reach it whatever the others do are not tested again.
    """
    here, there = _from_both_ends(firings, neighbourhoods, source, target)
    mine = _evidence(here, loading, lasting, source, target)
    theirs = _evidence(there, loading, lasting, source, target)
    weaker = np.abs(mine) < np.abs(theirs)
    score = np.where(mine * theirs > 0, np.where(weaker, mine, theirs), 0.0)
    judge = np.where(weaker[:, np.newaxis], here, there)
    stronger = np.where(weaker, theirs, mine)
    pairs = firings.n_features * (firings.n_features - 1) / 2
    enough = math.log(pairs / max(len(source), 1) / level)
    again = np.flatnonzero((np.abs(score) < enough) & (np.abs(stronger) >= enough + math.log(2)))
    node, other = np.where(weaker, target, source)[again], np.where(weaker, source, target)[again]
    jointly = _run(firings, _joint_tasks(neighbourhoods, node, other))
    found = _evidence(jointly, loading, lasting, node, other)
    found = np.sign(found) * np.maximum(0.0, np.abs(found) - math.log(2))
    better = np.abs(found) > np.abs(score[again])
    score[again[better]] = found[better]
    judge[again[better]] = jointly[better]
    scale = np.sqrt(here[:, _RESIDUAL] * there[:, _RESIDUAL])
    unexplained = judge[:, _VARIANCE] * (np.exp(loading[source] * loading[target]) - 1)
    return PairTests(
        score,
        (judge[:, _EXCESS] - unexplained) / scale,
        judge[:, _ERROR] / scale,
        len(again),
        int((here[:, _CONVERGED] == 0).sum() + (there[:, _CONVERGED] == 0).sum()),
    )


def _from_both_ends(
    firings: Firings, neighbourhoods: Neighbourhoods, source: Int32, target: Int32
) -> tuple[Float64, Float64]:
    """Figures of each pair from its source and from its target; one regression a feature."""
    ends = np.concatenate([source, target]).astype(np.int64)
    others = np.concatenate([target, source]).astype(np.int64)
    order = np.lexsort((others, ends))
    every = np.arange(firings.n_features + 1)
    tasks = Tasks(
        every[:-1],
        neighbourhoods.start,
        neighbourhoods.member,
        np.searchsorted(ends[order], every).astype(np.int64),
        others[order],
    )
    figures = np.empty((len(ends), _FIGURES))
    figures[order] = _run(firings, tasks)
    return figures[: len(source)], figures[len(source) :]


def _joint_tasks(neighbourhoods: Neighbourhoods, node: Int32, other: Int32) -> Tasks:
    """Regress each of `node` on its own neighbourhood and that of `other`, to test `other`."""

    def of(i: int) -> Int64:
        return neighbourhoods.member[neighbourhoods.start[i] : neighbourhoods.start[i + 1]]

    members = [np.setdiff1d(np.union1d(of(i), of(j)), [i, j]) for i, j in zip(node, other, strict=True)]
    sizes = [len(m) for m in members]
    return Tasks(
        node.astype(np.int64),
        np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        np.concatenate([np.empty(0, np.int64), *members]),
        np.arange(len(node) + 1, dtype=np.int64),
        other.astype(np.int64),
    )


def _run(firings: Firings, tasks: Tasks) -> Float64:
    return _test_nodes(
        firings.start,
        firings.token,
        firings.level,
        firings.bounds,
        tasks,
        min(4 * numba.get_num_threads(), max(1, len(tasks.node))),
    )


@parallel_kernel
def _evidence(figures: Float64, loading: Float64, lasting: Float32, source: Int32, target: Int32) -> Float64:
    """Signed evidence of each test."""
    found = np.zeros(len(source))
    for e in numba.prange(len(source)):
        i, j = source[e], target[e]
        factor = math.exp(loading[i] * loading[j])
        variance = figures[e, _VARIANCE] * factor
        if variance > 0.0 and figures[e, _CONVERGED] > 0.0:
            excess = figures[e, _EXCESS] - figures[e, _VARIANCE] * (factor - 1.0)
            phi = max(dispersion(lasting[i], lasting[j]), figures[e, _DISPERSION])
            found[e] = evidence(max(0.0, excess + variance) / phi, variance / phi)
    return found


@parallel_kernel
def _test_nodes(start: Int64, token: Int32, level: Int8, bounds: Int64, tasks: Tasks, blocks: int) -> Float64:
    """Figures of every test, one row for each partner."""
    n = bounds[-1]
    figures = np.zeros((len(tasks.partner), _FIGURES))
    for block in numba.prange(blocks):
        row_of = np.full(n, -1, np.int32)
        state = np.zeros(n, np.int8)
        for r in range(block, len(tasks.node), blocks):
            first, last = tasks.partner_start[r], tasks.partner_start[r + 1]
            if first == last:
                continue
            i = tasks.node[r]
            tokens = token[start[i] : start[i + 1]]
            for t in tokens:
                state[t] = 1
            _test_node(
                tasks.member[tasks.member_start[r] : tasks.member_start[r + 1]],
                tasks.partner[first:last],
                len(tokens),
                start,
                token,
                level,
                bounds,
                row_of,
                state,
                figures[first:last],
            )
            for t in tokens:
                state[t] = 0
    return figures


@kernel
def _test_node(
    members: Int64,
    partners: Int64,
    fires: int,
    start: Int64,
    token: Int32,
    level: Int8,
    bounds: Int64,
    row_of: Int32,
    state: Int8,
    figures: Float64,
) -> None:
    """Test one feature against each of `partners`; `row_of` is all -1, before and after."""
    n = bounds[-1]
    design = design_of(members, start, token, level, row_of)
    rows = len(design.token)
    here = np.zeros(rows, np.float32)
    for row in range(rows):
        here[row] = np.float32(state[design.token[row]])
    silent = (float(n - rows), float(fires - here.sum()))
    size = 1 + BASIS * len(members)
    full = np.zeros(size)
    full[0] = math.log((fires + 0.5) / (n - fires + 0.5))
    p = np.empty(rows)
    information = np.zeros((size, size))
    fit_logistic(design, here, silent, -1, full, _FULL_TOLERANCE, p, information)
    for task in range(len(partners)):
        j = partners[task]
        dropped = -1
        for a in range(len(members)):
            if members[a] == j:
                dropped = a
        theta = full.copy()
        if dropped >= 0:
            theta[1 + BASIS * dropped : 1 + BASIS * (dropped + 1)] = 0.0
        p_silent, converged = fit_logistic(
            design, here, silent, dropped, theta, _LEFT_OUT_TOLERANCE, p, information
        )
        residual = silent[0] * p_silent * (1.0 - p_silent)
        for row in range(rows):
            residual += p[row] * (1.0 - p[row])
        _score(
            token[start[j] : start[j + 1]],
            design,
            dropped,
            p_silent,
            p,
            information,
            bounds,
            row_of,
            state,
            figures[task],
        )
        figures[task, _RESIDUAL] = residual
        figures[task, _CONVERGED] = 1.0 if converged else 0.0
    for t in design.token:
        row_of[t] = -1


@kernel
def _score(
    tokens: Int32,
    design: Design,
    dropped: int,
    p_silent: float,
    p: Float64,
    factor: Float64,
    bounds: Int64,
    row_of: Int32,
    state: Int8,
    figures: Float64,
) -> None:
    """Score of a feature firing at `tokens`, its variance, its dispersion and its error over replicates."""
    size = len(factor)
    cross = np.zeros(size)
    index = np.empty(size, np.int64)
    value = np.empty(size)
    missed = np.empty(len(tokens))
    by_replicate = np.zeros(len(bounds) - 1)
    variance = 0.0
    count = 0
    replicate = 0
    for place in range(len(tokens)):
        t = tokens[place]
        while t >= bounds[replicate + 1]:
            replicate += 1
        row = row_of[t]
        chance_here = p_silent if row < 0 else p[row]
        weight = chance_here * (1.0 - chance_here)
        missed[place] = float(state[t]) - chance_here
        by_replicate[replicate] += missed[place]
        count += state[t]
        variance += weight
        if row < 0:
            cross[0] += weight
        else:
            for c in range(columns_at(design, row, dropped, index, value)):
                cross[index[c]] += weight * value[c]
    solve_lower(factor, cross, size)
    figures[_COUNT] = count
    figures[_EXCESS] = missed.sum()
    figures[_VARIANCE] = max(0.0, variance - (cross * cross).sum())
    figures[_DISPERSION] = _dispersion(tokens, missed, bounds)
    replicates = len(by_replicate)
    figures[_ERROR] = np.nan
    if replicates > 1:
        away = by_replicate - by_replicate.mean()
        figures[_ERROR] = math.sqrt((away * away).sum() / (replicates - 1) * replicates)


@kernel
def _dispersion(tokens: Int32, missed: Float64, bounds: Int64) -> float:
    """Return 1 and twice the autocorrelation of `missed` about its mean, summed over `LAGS`; at least 1."""
    mean = missed.mean()
    squares = 0.0
    products = 0.0
    replicate = 0
    for place in range(len(tokens)):
        while tokens[place] >= bounds[replicate + 1]:
            replicate += 1
        here = missed[place] - mean
        squares += here * here
        later = place + 1
        while later < len(tokens) and tokens[later] - tokens[place] <= LAGS:
            if tokens[later] >= bounds[replicate + 1]:
                break
            products += here * (missed[later] - mean)
            later += 1
    return max(1.0, 1.0 + 2.0 * products / squares) if squares > 0.0 else 1.0
