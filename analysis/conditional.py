"""Does a feature fire with another more often than its neighbourhood explains? The test of an edge.

For feature ``i`` with neighbourhood ``S`` and another feature ``j``, a logistic regression of ``i`` on ``S``
without ``j`` gives ``p_t``, and the score of ``j`` is (Rao 1948)

    T = sum_{t: j fires} (s_ti - p_t) = N_ij - sum_{t: j fires} p_t
    V = x' W x - x' W X (X' W X)^-1 X' W x            x the states of j, X the columns of S, W = p (1 - p)

T has mean 0 and variance V if ``i`` depends on ``j`` through nothing but ``S``. Counts are small, so its law
is not taken as normal: ``T + V`` is compared with a Poisson count of mean V, which has the same mean,
variance and skewness where firing is rare.

Activity of the token (``analysis.loadings``) adds ``B (exp(l_i l_j) - 1)`` to the mean of T and to V, with
``B`` the sum of ``min(w_t, w_0)`` over the tokens of ``j``, ``w_0`` being that of a token at which no
neighbour fires: what a neighbour brings about does not follow the activity, what there would be without does.
That is the most it adds: neighbours tell of the activity too, and what they tell the regression knows. So a T
between 0 and the whole of it is no evidence, and a T outside is compared with the nearer of the two.
Tokens alike multiply the variance by a dispersion: the larger of what the two features' lasting foretells
(``analysis.bursts``) and of the autocorrelation of ``s_ti - p_t`` over the tokens of ``j``.

Tokens alike in what of the neighbourhood they show are one row (``analysis.design``), and the regression
without ``j`` is found from the one with it (``analysis.left_out``), so that a pair costs a few walks over the
rows and the tokens of ``j``, not over all.

A feature may depend on another's magnitude where it does not on whether that one fires: the parent of many
fires for sure where the other children do, and only how strongly says whether this child does. So a member
whose levels count is tested once more by its stronger half of firings, and by the strongest quarter, each as
if it were a feature; what says most counts, with three times its p.

A pair is tested from both ends and judged by the weaker of the two, so that a false edge needs both
neighbourhoods to be wrong, as in the doubly robust tests of conditional independence (Shah and Peters 2020).
That asks too much of a hub: its followers together tell nearly always whether it fires, and hardly a token is
left at which one of them tells more. So a pair that only one end shows is tested once more from that end,
given the neighbourhoods of both, and counts with twice the p of this test if that is less. Each such test is
a regression of its own, and on dense sites one end shows many pairs weakly: of them as many are tested again
as there are features, the strongest.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numba
import numpy as np

from analysis.activations import Bool, Float64, Int32, Int64
from analysis.background import Background
from analysis.bursts import LAGS, dispersion
from analysis.cells import cells_of
from analysis.cholesky import factorise, solve_lower
from analysis.design import Design, add_gradient, chance, design_of, log_odds, rows_of
from analysis.firings import Firings, Int8, level_of
from analysis.kernel import kernel, parallel_kernel
from analysis.left_out import leave_out
from analysis.loadings import factor_of
from analysis.logistic import fires_of, fit_logistic
from analysis.poisson import evidence
from analysis.strata import empty_strata, patterns_of, settle

_TOLERANCE = 0.05
"""Last step of a regression, in standard errors; what is left is smaller still."""

_AT_ONCE = 256
"""Regressions that are made and kept together: seconds of work."""

ALONE, JOINTLY = "testing", "testing jointly"
"""Names of the two rounds of tests."""

Keeping = Callable[[str, int, int, Callable[[], Float64]], Float64]
"""Makes a part of a round of tests: given its name, the part's number, the number of parts, and how.

What was made and kept before may be handed out instead.
"""

_EXCESS, _VARIANCE, _BASE, _DISPERSION, _RESIDUAL, _ERROR, _CONVERGED, _TRIED = range(8)
_FIGURES = 8

_PARTS = int(level_of(0.0)), int(level_of(0.6745))
"""Levels that half and a quarter of a feature's firings reach: quantiles of the normal law."""


@dataclass(frozen=True)
class Neighbourhoods:
    """Features that each feature is regressed on.

    Parameters
    ----------
    start : shape (F + 1,)
        ``member[start[i]:start[i + 1]]`` are those of feature ``i``.
    member : shape (members,), ascending for each feature
    graded : shape (members,)
        Whether how strongly it fires counts too.
    """

    start: Int64
    member: Int64
    graded: Bool

    def choices(self) -> tuple[Int64, Int64]:
        """Each member of each neighbourhood: the feature, and the member."""
        return np.repeat(np.arange(len(self.start) - 1), np.diff(self.start)), self.member

    def pairs(self) -> tuple[Int32, Int32]:
        """Pairs in which either chose the other, ascending by source, then target."""
        feature, member = self.choices()
        size = len(self.start) - 1
        keys = np.unique(np.minimum(feature, member) * size + np.maximum(feature, member))
        return (keys // size).astype(np.int32), (keys % size).astype(np.int32)

    def by_level(self, feature: Int32 | Int64, other: Int32 | Int64) -> Bool:
        """Say of each of `other` whether the neighbourhood of its `feature` has it, by its levels too."""
        size = len(self.start) - 1
        of, member = self.choices()
        counting = (of * size + member)[self.graded]
        return np.isin(feature.astype(np.int64) * size + other, counting)


class Tasks(NamedTuple):
    """Regressions to make, and what to test in each.

    Parameters
    ----------
    node : shape (regressions,)
        Feature that is regressed.
    member_start : shape (regressions + 1,)
    member, graded
        What it is regressed on: entries ``member_start[r]:member_start[r + 1]``.
    partner_start : shape (regressions + 1,)
    partner
        Features tested against it, each left out of the members for its own test.
    by_level : shape (partners,)
        Whether each is tested by how strongly it fires too.
    slack : shape (partners, 2)
        What else may be added to each score and is no evidence, at the least and at the most.
    """

    node: Int64
    member_start: Int64
    member: Int64
    graded: Bool
    partner_start: Int64
    partner: Int64
    by_level: Bool
    slack: Float64


@dataclass(frozen=True)
class PairTests:
    """The test of each of some pairs.

    Parameters
    ----------
    evidence : shape (pairs,)
        ``-log p``, signed as the dependence; 0 where the two ends disagree in sign.
    partial_correlation : shape (pairs,)
        ``T`` of the test that judges, over the root of the residual variances of the two ends, each without
        the other, within [-1, 1].
    standard_error : shape (pairs,)
        Its standard error over the replicates; nan for one replicate.
    joint
        Pairs tested once more, given the neighbourhoods of both.
    not_converged
        Tests, from either end or jointly, whose regression did not converge; they are no evidence.
    """

    evidence: Float64
    partial_correlation: Float64
    standard_error: Float64
    joint: int
    not_converged: int


def keep_nothing(_name: str, _number: int, _count: int, make: Callable[[], Float64]) -> Float64:
    """Make each part when it is wanted."""
    return make()


def conditional_tests(
    firings: Firings,
    background: Background,
    neighbourhoods: Neighbourhoods,
    source: Int32,
    target: Int32,
    hypotheses: int,
    level: float = 0.1,
    keeping: Keeping = keep_nothing,
    slack: Float64 | None = None,
) -> PairTests:
    """Test pairs of features for conditional dependence.

    Parameters
    ----------
    firings
        Firing states of all replicates.
    background
        Why features fire together though they do not depend on each other.
    neighbourhoods
        What each feature is regressed on.
    source, target : shape (pairs,)
        The pairs.
    hypotheses
        Pairs there are in all, those tested among them.
    level
        Largest q that is of interest: tests that cannot reach it whatever the others do are not refined.
    keeping
        Makes the parts of the work.
    slack : shape (pairs, 2)
        What else may be added to the score of each pair and is no evidence, in firings: at the least, 0 or
        below, and at the most, 0 or above. Nothing if left out.
    """
    slack = np.zeros((len(source), 2)) if slack is None else slack
    # No pair is kept with less evidence than the last of all these would need.
    enough = math.log(max(1.0, hypotheses / max(len(source), 1) / level))
    here, there = _from_both_ends(firings, background, neighbourhoods, source, target, slack, keeping)
    mine = _evidence(here, background, slack, source, target)
    theirs = _evidence(there, background, slack, source, target)
    weaker = np.abs(mine) < np.abs(theirs)
    # Where both are as weak, the smaller score judges, so that it does not matter which end is named first.
    weaker |= (np.abs(mine) == np.abs(theirs)) & (np.abs(here[:, _EXCESS]) < np.abs(there[:, _EXCESS]))
    score = np.where(mine * theirs > 0, np.where(weaker, mine, theirs), 0.0)
    judge = np.where(weaker[:, np.newaxis], here, there)
    stronger = np.where(weaker, theirs, mine)
    again = one_sided(score, stronger, enough, firings.n_features)
    node, other = np.where(weaker, target, source)[again], np.where(weaker, source, target)[again]
    tasks = _joint_tasks(neighbourhoods, node, other, slack[again])
    jointly = _run(firings, background, tasks, JOINTLY, keeping)
    found = _evidence(jointly, background, slack[again], node, other)
    found = np.sign(found) * np.maximum(0.0, np.abs(found) - math.log(2))
    better = np.abs(found) > np.abs(score[again])
    score[again[better]] = found[better]
    judge[again[better]] = jointly[better]
    scale = np.sqrt(here[:, _RESIDUAL] * there[:, _RESIDUAL])
    left = _beyond_slack(judge, background, slack, source, target)
    return PairTests(
        score,
        np.clip(left / scale, -1.0, 1.0),
        judge[:, _ERROR] / scale,
        len(again),
        sum(int((figures[:, _CONVERGED] == 0).sum()) for figures in (here, there, jointly)),
    )


def one_sided(score: Float64, stronger: Float64, enough: float, most: int) -> Int64:
    """Find the pairs that one end shows and the other does not, ascending.

    Parameters
    ----------
    score, stronger : shape (pairs,)
        Evidence by which each pair is judged, and that of its stronger end.
    enough
        Least evidence with which a pair is kept.
    most
        Number to find; the strongest are taken, of equal ones the first.
    """
    found = np.flatnonzero((np.abs(score) < enough) & (np.abs(stronger) >= enough + math.log(2)))
    order = np.argsort(-np.abs(stronger[found]), kind="stable")
    return np.sort(found[order[:most]])


def _from_both_ends(
    firings: Firings,
    background: Background,
    neighbourhoods: Neighbourhoods,
    source: Int32,
    target: Int32,
    slack: Float64,
    keeping: Keeping,
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
        neighbourhoods.graded,
        np.searchsorted(ends[order], every).astype(np.int64),
        others[order],
        neighbourhoods.by_level(ends, others)[order],
        np.concatenate([slack, slack])[order],
    )
    figures = np.empty((len(ends), _FIGURES))
    figures[order] = _run(firings, background, tasks, ALONE, keeping)
    return figures[: len(source)], figures[len(source) :]


def _joint_tasks(neighbourhoods: Neighbourhoods, node: Int32, other: Int32, slack: Float64) -> Tasks:
    """Regress each of `node` on its own neighbourhood and that of `other`, to test `other`."""
    members, graded = [np.empty(0, np.int64)], [np.empty(0, np.bool_)]
    for i, j in zip(node, other, strict=True):
        of = [slice(neighbourhoods.start[k], neighbourhoods.start[k + 1]) for k in (i, j)]
        both = np.concatenate([neighbourhoods.member[k] for k in of])
        by_level = np.unique(both[np.concatenate([neighbourhoods.graded[k] for k in of])])
        members.append(np.setdiff1d(both, [i, j]))
        graded.append(np.isin(members[-1], by_level))
    start = np.cumsum([len(m) for m in members]).astype(np.int64)
    return Tasks(
        node.astype(np.int64),
        start,
        np.concatenate(members),
        np.concatenate(graded),
        np.arange(len(node) + 1, dtype=np.int64),
        other.astype(np.int64),
        neighbourhoods.by_level(node, other),
        slack,
    )


def _run(firings: Firings, background: Background, tasks: Tasks, name: str, keeping: Keeping) -> Float64:
    """Figures of every test, one row for each partner."""
    count = -(-len(tasks.node) // _AT_ONCE)
    parts = [
        keeping(name, number, count, partial(_test_part, firings, background, tasks, number))
        for number in range(count)
    ]
    return np.concatenate([np.empty((0, _FIGURES)), *parts])


def _test_part(firings: Firings, background: Background, tasks: Tasks, number: int) -> Float64:
    """Figures of the tests of one part of the regressions."""
    first, last = number * _AT_ONCE, min((number + 1) * _AT_ONCE, len(tasks.node))
    of = tasks.partner_start[first : last + 1]
    if of[0] == of[-1]:
        return np.empty((0, _FIGURES))
    part = Tasks(
        tasks.node[first:last],
        tasks.member_start[first : last + 1],
        tasks.member,
        tasks.graded,
        of - of[0],
        tasks.partner[of[0] : of[-1]],
        tasks.by_level[of[0] : of[-1]],
        tasks.slack[of[0] : of[-1]],
    )
    blocks = min(4 * numba.get_num_threads(), last - first)
    lists = firings.start, firings.token, firings.level, firings.bounds
    return _test_nodes(*lists, background, part, blocks)


@kernel
def _beyond(figures: Float64, product: float, crowd: float, slack: Float64) -> float:
    """Excess of a test outside what may be added.

    The activity adds between nothing and all of its base, and beside it there is `slack`.
    """
    unseen = figures[_BASE] * (factor_of(product, crowd) - 1.0)
    least, most = min(0.0, unseen) + slack[0], max(0.0, unseen) + slack[1]
    excess = figures[_EXCESS]
    return float(excess - min(max(excess, least), most))


@parallel_kernel
def _beyond_slack(
    figures: Float64, background: Background, slack: Float64, source: Int32, target: Int32
) -> Float64:
    """Excess of each test outside what may be added."""
    found = np.empty(len(source))
    for e in numba.prange(len(source)):
        product = background.loading[source[e]] * background.loading[target[e]]
        found[e] = _beyond(figures[e], product, background.crowd, slack[e])
    return found


@parallel_kernel
def _evidence(
    figures: Float64, background: Background, slack: Float64, source: Int32 | Int64, target: Int32 | Int64
) -> Float64:
    """Signed evidence of each test."""
    found = np.zeros(len(source))
    for e in numba.prange(len(source)):
        if figures[e, _CONVERGED] > 0.0:
            said = _evidence_of(figures[e], background, slack[e], source[e], target[e])
            found[e] = math.copysign(max(0.0, abs(said) - math.log(figures[e, _TRIED])), said)
    return found


@kernel
def _evidence_of(figures: Float64, background: Background, slack: Float64, i: int, j: int) -> float:
    """Signed evidence of one of the tests that were tried."""
    product = background.loading[i] * background.loading[j]
    excess = _beyond(figures, product, background.crowd, slack)
    variance = figures[_VARIANCE] + figures[_EXCESS] - excess
    if excess == 0.0 or variance <= 0.0:
        return 0.0
    phi = max(dispersion(background.lasting[i], background.lasting[j]), figures[_DISPERSION])
    return float(evidence(max(0.0, excess + variance) / phi, variance / phi))


@parallel_kernel
def _test_nodes(
    start: Int64,
    token: Int32,
    level: Int8,
    bounds: Int64,
    background: Background,
    tasks: Tasks,
    blocks: int,
) -> Float64:
    n = bounds[-1]
    figures = np.zeros((len(tasks.partner), _FIGURES))
    for block in numba.prange(blocks):
        row_of = np.zeros(n, np.int32)
        state = np.zeros(n, np.int8)
        for r in range(block, len(tasks.node), blocks):
            first, last = tasks.partner_start[r], tasks.partner_start[r + 1]
            if first == last:
                continue
            i = tasks.node[r]
            tokens = token[start[i] : start[i + 1]]
            for t in tokens:
                state[t] = 1
            of = slice(tasks.member_start[r], tasks.member_start[r + 1])
            members = tasks.member[of]
            graded = tasks.graded[of]
            cell, step = cells_of(members, graded, start, token, level, state)
            design = design_of(members, graded, cell, step, start, token, level, row_of)
            partners = _Partners(
                tasks.partner[first:last], tasks.by_level[first:last], tasks.slack[first:last]
            )
            fires = fires_of(tokens, row_of, len(design.tokens))
            lists = start, token, level, bounds
            _test_node(
                i, design, fires, members, partners, lists, background, row_of, state, figures[first:last]
            )
            for j in members:
                for t in token[start[j] : start[j + 1]]:
                    row_of[t] = 0
            for t in tokens:
                state[t] = 0
    return figures


class _Partners(NamedTuple):
    """What is tested against one feature, as in `Tasks`."""

    name: Int64
    by_level: Bool
    slack: Float64


@kernel
def _test_node(
    i: int,
    design: Design,
    fires: Float64,
    members: Int64,
    partners: _Partners,
    lists: tuple[Int64, Int32, Int8, Int64],
    background: Background,
    row_of: Int32,
    state: Int8,
    figures: Float64,
) -> None:
    """Test one feature against each of `partners`."""
    start, token, level, bounds = lists
    theta = np.empty(design.column[-1])
    p = np.empty(len(fires))
    information = np.empty((len(theta), len(theta)))
    converged = fit_logistic(design, fires, _TOLERANCE, theta, p, information)
    residual = (design.tokens * p * (1.0 - p)).sum()
    factor = information.copy()
    factorise(factor, len(theta))
    fitted = p.copy()
    strata = empty_strata(len(fires))
    patterns = patterns_of(design)
    met = np.zeros(len(fires))
    tried = np.zeros(_FIGURES)
    for task in range(len(partners.name)):
        j = partners.name[task]
        tokens, levels = token[start[j] : start[j + 1]], level[start[j] : start[j + 1]]
        rows = rows_of(tokens, row_of, met)
        dropped = np.searchsorted(members, j)
        own, good, thinned = factor, True, theta
        without = p[rows]
        if dropped < len(members) and members[dropped] == j:
            own, thinned = information.copy(), theta.copy()
            changing = np.append(np.int32(0), rows)
            changed = np.empty(len(changing))
            good = leave_out(dropped, changing, design, p, thinned, own, _TOLERANCE, changed)
            fitted[0], without = changed[0], changed[1:]
        else:
            dropped = -1
        tried[_RESIDUAL] = max(1e-3, residual if dropped < 0 else _residual(design, thinned))
        tried[_CONVERGED] = 1.0 if converged and good else 0.0
        tried[_TRIED] = 1.0 + len(_PARTS) if partners.by_level[task] else 1.0
        unseen = fitted[0] * (1.0 - fitted[0])
        those, some, most = tokens, rows, 0.0
        for part in range(int(tried[_TRIED])):
            if part > 0:
                those = tokens[levels >= _PARTS[part - 1]]
                some = rows_of(those, row_of, met)
            fitted[rows] = without
            variance, left = settle(design, patterns, fires, some, met, dropped, thinned, fitted, strata)
            _set_variance(some, met, design, dropped, variance, left, unseen, own, tried)
            _set_excess(those, fitted, bounds, row_of, state, tried)
            met[some] = 0.0
            # one that is tried alone needs no comparison
            said = 0.0
            if partners.by_level[task]:
                said = abs(_evidence_of(tried, background, partners.slack[task], i, j))
            if part == 0 or said > most:
                most, figures[task] = said, tried
        fitted[rows] = p[rows]
        fitted[0] = p[0]


@kernel
def _residual(design: Design, theta: Float64) -> float:
    """Residual variance of a regression, over all tokens."""
    found = 0.0
    for row in range(len(design.tokens)):
        if design.tokens[row] > 0.0:
            p = chance(log_odds(design, row, theta))
            found += design.tokens[row] * p * (1.0 - p)
    return found


@kernel
def _set_variance(
    rows: Int32,
    met: Float64,
    design: Design,
    dropped: int,
    variance: Float64,
    left: Float64,
    unseen: float,
    factor: Float64,
    figures: Float64,
) -> None:
    """Variance of the score of a feature that fires at ``met[row]`` tokens of each of `rows`.

    `variance` is that in each of its rows, of which the regression says the share `left`; `unseen` is the
    variance of a token at which no member fires, `factor` the Cholesky factor of the information.
    """
    size = len(factor)
    cross = np.zeros(size)
    base = 0.0
    for k in range(len(rows)):
        base += min(variance[k], met[rows[k]] * unseen)
        if left[k] > 0.0:
            add_gradient(design, rows[k], left[k] * variance[k], cross)
    if dropped >= 0:
        cross[design.column[dropped] : design.column[dropped + 1]] = 0.0
    solve_lower(factor, cross, size)
    figures[_VARIANCE] = max(0.0, variance.sum() - (cross * cross).sum())
    figures[_BASE] = min(base, figures[_VARIANCE])


@kernel
def _set_excess(
    tokens: Int32, p: Float64, bounds: Int64, row_of: Int32, state: Int8, figures: Float64
) -> None:
    """Score of a feature that fires at `tokens`, its dispersion and its error over replicates."""
    missed = np.empty(len(tokens))
    by_replicate = np.zeros(len(bounds) - 1)
    replicate = 0
    for place in range(len(tokens)):
        t = tokens[place]
        while t >= bounds[replicate + 1]:
            replicate += 1
        missed[place] = state[t] - p[row_of[t]]
        by_replicate[replicate] += missed[place]
    figures[_EXCESS] = missed.sum()
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
