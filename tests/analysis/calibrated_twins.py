"""Slow, obvious twins of the calibrated procedure: dense arrays, sums over whole laws, Newton with numpy."""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, gammainc, gammaincc, gammaln, logit, logsumexp, xlogy
from scipy.stats import norm, rankdata

from analysis.bursts import LAGS, SPANS
from analysis.cells import CUT
from analysis.columns import columns_of
from analysis.firings import MOST_LEVEL, Firings, firings_of, level_of
from analysis.logistic import RIDGE
from analysis.steps import LEAST_VARIANCE, MOST_STEPS, STEP
from analysis.strata import SETTLED, UNSETTLED
from tests.analysis.naive import Dense, sparse

FARTHEST = LAGS * 2**SPANS
"""Largest lag of all."""

Members = dict[int, bool]
"""Features that another is regressed on, and whether by their levels too."""


def firings_from(replicates: Sequence[Dense]) -> Firings:
    """Firings of dense activations."""
    return firings_of([columns_of(sparse(x)) for x in replicates])


def markov(rng: np.random.Generator, n: int, rate: Dense, lasts: float) -> Dense:
    """States of two-state chains of given rates; the autocorrelation at lag ``k`` is ``lasts ** k``."""
    states = np.empty((n, *rate.shape))
    now = rng.random(rate.shape) < rate
    for t in range(n):
        drawn = rng.random(rate.shape) < rate
        now = np.where(rng.random(rate.shape) < lasts, now, drawn)
        states[t] = now
    return states


def log_pmf(count: float, mean: float) -> float:
    """``x^c e^-x / Gamma(c + 1)``, for any count from 0 on."""
    return float(count * np.log(mean) - mean - gammaln(count + 1))


def log_upper_tail(count: float, mean: float) -> float:
    """Sum of the terms of the Poisson law from `count` on, in steps of 1: DLMF 8.7.1."""
    last = max(count, mean) + 60 * math.sqrt(max(count, mean) + 60)
    return float(logsumexp([log_pmf(c, mean) for c in np.arange(count, last)]))


def log_lower_tail(count: int, mean: float) -> float:
    """Sum of the terms of the Poisson law up to a whole `count`."""
    return float(logsumexp([log_pmf(c, mean) for c in range(count + 1)]))


def signed_evidence(count: float, mean: float) -> float:
    """-log of twice the smaller tail, by scipy; only for tails above 1e-300."""
    above = float(gammainc(count, mean)) if count > 0 else 1.0
    below = float(gammaincc(count + 1, mean)) if mean > 0 else 1.0
    size = max(0.0, -math.log(min(1.0, 2 * min(above, below))))
    return size if above < below else -size


def levels(value: Dense) -> list[int]:
    """Level of each activation of one feature, by its normal score."""
    z = norm.ppf((rankdata(value) - 0.5) / len(value))
    return [int(level) for level in np.rint((MOST_LEVEL + 1) * z / (1 + np.abs(z)))]


def autocorrelations_within(replicates: Sequence[Dense]) -> Dense:
    """Share of firings followed by another `k` tokens later in the same replicate, over what chance gives.

    Beyond `LAGS`, of all lags of a span together: over the tokens there are, times the root of the span.
    """
    states = [x > 0 for x in replicates]
    fires = np.sum([s.sum(axis=0) for s in states], axis=0)
    n = sum(len(s) for s in states)
    found = np.zeros((states[0].shape[1], LAGS + SPANS))
    for i in np.flatnonzero((fires > 0) & (fires < n)):
        rate = fires[i] / n
        together = [sum(int((s[:-k, i] & s[k:, i]).sum()) for s in states) for k in range(1, FARTHEST + 1)]
        exposed = [sum(int(s[: max(0, len(s) - k), i].sum()) for s in states) for k in range(1, FARTHEST + 1)]
        found[i, :LAGS] = (np.array(together[:LAGS]) / fires[i] - rate) / (1 - rate)
        for span in range(SPANS):
            lags = slice(LAGS * 2**span, LAGS * 2 ** (span + 1))
            if sum(exposed[lags]):
                share = sum(together[lags]) / sum(exposed[lags])
                found[i, LAGS + span] = (share - rate) / (1 - rate) * math.sqrt(LAGS * 2**span)
    return found


def dispersion_of(rho: Dense, i: int, j: int) -> float:
    return max(1.0, 1 + 2 * float(rho[i] @ rho[j]))


def excess_of_all(states: Dense, loading: Dense, rho: Dense, part: NDArray[np.bool_]) -> Dense:
    """Signed evidence of every pair that takes part, shape (F, F); 0 elsewhere."""
    n, n_features = states.shape
    count = states.sum(axis=0)
    score = np.zeros((n_features, n_features))
    for i, j in itertools.combinations(np.flatnonzero(part).tolist(), 2):
        mean = count[i] * count[j] / n * math.exp(loading[i] * loading[j])
        together = float(states[:, i] @ states[:, j])
        if together > mean:
            # An excess, of a count whose variance is that of two features that fire at random.
            spread = (1 - count[i] / n) * (1 - count[j] / n)
            together, mean = together - mean + mean * spread, mean * spread
        phi = dispersion_of(rho, i, j)
        score[i, j] = score[j, i] = signed_evidence(together / phi, mean / phi)
    return score


class Column(NamedTuple):
    """A column of a regression: whose it is, -1 for the constant, and whether it says how strongly."""

    member: int
    strength: bool
    value: Dense


class LogisticFit(NamedTuple):
    """Design with the constant first, coefficients, probability at every token, penalised information."""

    x: Dense
    theta: Dense
    p: Dense
    information: Dense
    columns: list[Column]


def strengths(level: NDArray[Any]) -> Dense:
    """Standard deviations above the mean that levels stand for."""
    return np.asarray(level / (MOST_LEVEL + 1.0 - np.abs(level.astype(np.float64))), np.float64)


def steps_of(level: NDArray[np.int64], fired: NDArray[np.bool_]) -> list[int]:
    """Lowest levels above each step, found one after another by the largest score."""
    z = strengths(level)
    columns = [np.ones(len(z)), z, z * z - 1]
    found: list[int] = []
    while len(found) < MOST_STEPS:
        x = np.column_stack(columns)
        ridge = np.full(x.shape[1], RIDGE)
        ridge[0] = 0
        _, p, information = newton(x, fired.astype(np.float64), ridge)
        w = p * (1 - p)
        best, at = STEP, None
        for limit in np.unique(level)[1:]:
            above = level >= limit
            v = w[above].sum()
            left = v - (w[above] @ x[above]) @ np.linalg.solve(information, w[above] @ x[above])
            if min(v, w.sum() - v) < LEAST_VARIANCE or left < 1e-3 * v:
                continue
            told = (fired - p)[above].sum() ** 2 / left
            if told > best:
                best, at = told, int(limit)
        if at is None:
            break
        found.append(at)
        columns.append((level >= at).astype(np.float64))
    return sorted(found)


def cut_into_cells(
    level: NDArray[np.int64], fired: NDArray[np.bool_], steps: Sequence[int] = ()
) -> NDArray[np.int64]:
    """Replace each level by the middle of its cell."""
    middle = np.empty(len(level), np.int64)

    def likelihood(at: NDArray[np.bool_]) -> float:
        share = fired[at].mean() if at.any() else 0.0
        return float(xlogy(fired[at], share).sum() + xlogy(~fired[at], 1 - share).sum())

    def cut(first: int, last: int) -> None:
        within = (level >= first) & (level <= last)
        parts = [(within & (level < at), within & (level >= at)) for at in range(first + 1, last + 1)]
        gains = [2 * (likelihood(a) + likelihood(b) - likelihood(within)) for a, b in parts]
        if gains and max(gains) > CUT:
            at = first + 1 + int(np.argmax(gains))
            cut(first, at - 1)
            cut(at, last)
        else:
            middle[within] = (first + last + 1 + 2 * MOST_LEVEL) // 2 - MOST_LEVEL

    places = np.arange(-MOST_LEVEL, MOST_LEVEL + 1)
    quarter = np.rint(4 * strengths(places)) + 1000 * np.searchsorted(steps, places, side="right")
    for q in np.unique(quarter):
        cut(int(places[quarter == q].min()), int(places[quarter == q].max()))
    return middle


def design_columns(firings: Firings, i: int, members: Members) -> list[Column]:
    """The constant, then of each member in order ``s``, and of the graded ``s z``, ``s (z^2 - 1)`` and steps.

    ``z`` is the middle of the cell in the regression of feature `i`.
    """
    columns = [Column(-1, False, np.ones(firings.n_tokens))]
    y = states_of_feature(firings, i) > 0
    for j in sorted(members):
        s = states_of_feature(firings, j)
        columns.append(Column(j, False, s))
        if not members[j]:
            continue
        of = slice(firings.start[j], firings.start[j + 1])
        tokens, level = firings.token[of], firings.level[of].astype(np.int64)
        steps = steps_of(level, y[tokens])
        cell = np.zeros(firings.n_tokens, np.int64)
        cell[tokens] = cut_into_cells(level, y[tokens], steps)
        z = strengths(cell)
        columns += [Column(j, True, s * z), Column(j, False, s * (z * z - 1))]
        columns += [Column(j, False, s * (cell >= step)) for step in steps]
    return columns


def design_matrix(firings: Firings, i: int, members: Members) -> Dense:
    """The values of the columns."""
    return np.column_stack([column.value for column in design_columns(firings, i, members)])


def states_of_feature(firings: Firings, i: int) -> Dense:
    s = np.zeros(firings.n_tokens)
    s[firings.token[firings.start[i] : firings.start[i + 1]]] = 1
    return s


def logistic_fit(firings: Firings, i: int, members: Members) -> LogisticFit:
    """Fit the dense design."""
    columns = design_columns(firings, i, members)
    x, y = np.column_stack([column.value for column in columns]), states_of_feature(firings, i)
    ridge = np.full(x.shape[1], RIDGE)
    ridge[0] = 0
    theta, p, information = newton(x, y, ridge)
    return LogisticFit(x, theta, p, information, columns)


def newton(x: Dense, y: Dense, ridge: Dense) -> tuple[Dense, Dense, Dense]:
    """Coefficients, chances and information by Newton's method, halving any step that does not climb."""
    theta = np.zeros(x.shape[1])
    theta[0] = math.log((y.sum() + 0.5) / (len(y) - y.sum() + 0.5))

    def climbed(at: Dense) -> float:
        eta = x @ at
        return float(y @ eta - np.logaddexp(0, eta).sum() - (ridge * at * at).sum() / 2)

    for _ in range(200):
        p = expit(x @ theta)
        information = (x * (p * (1 - p))[:, np.newaxis]).T @ x + np.diag(ridge)
        step = np.linalg.solve(information, x.T @ (y - p) - ridge * theta)
        if np.abs(step).max() < 1e-10:
            break
        theta += _step_up(climbed, theta, np.asarray(step, np.float64))
    return theta, p, information


def _step_up(climbed: Callable[[Dense], float], theta: Dense, step: Dense) -> Dense:
    """Halve a step until it climbs."""
    while climbed(theta + step) < climbed(theta) - 1e-9 and np.abs(step).max() > 1e-10:
        step = step / 2
    return step


def left_out(firings: Firings, i: int, members: Members, j: int) -> tuple[Dense, Dense]:
    """Coefficients and information without `j`.

    The tokens at which it is silent and another member fires are taken as a quadratic. Newton's method,
    halving any step that does not climb.
    """
    full = logistic_fit(firings, i, members)
    keep = np.array([column.member != j for column in full.columns])
    members_firing = np.sum([states_of_feature(firings, m) for m in members], axis=0)
    here = (states_of_feature(firings, j) > 0) | (members_firing == 0)
    y, w = states_of_feature(firings, i), full.p * (1 - full.p)
    at = full.x[here][:, keep]
    rest = (full.information - (full.x[here] * w[here, np.newaxis]).T @ full.x[here])[np.ix_(keep, keep)]
    pull = -at.T @ (y - full.p)[here]
    start = theta = full.theta[keep]

    def climbed(to: Dense) -> float:
        eta, away = at @ to, to - start
        return float(y[here] @ eta - np.logaddexp(0, eta).sum() + pull @ away - away @ rest @ away / 2)

    for _ in range(200):
        p = expit(at @ theta)
        information = rest + (at * (p * (1 - p))[:, np.newaxis]).T @ at
        gradient = at.T @ (y[here] - p) + pull - rest @ (theta - start)
        theta = theta + _step_up(climbed, theta, np.linalg.solve(information, gradient))
    return theta, information


class Score(NamedTuple):
    """The score of one end: T, its variance and dispersion, and T of each replicate."""

    excess: float
    variance: float
    base: float
    dispersion: float
    by_replicate: Dense
    residual: float


def score_of(firings: Firings, i: int, j: int, members: Members, least: int = -MOST_LEVEL) -> Score:
    """Score of `j`, at `least` so strong, in the regression of `i` on `members` without `j`."""
    fit = logistic_fit(firings, i, {m: graded for m, graded in members.items() if m != j})
    of = slice(firings.start[j], firings.start[j + 1])
    x, y = np.zeros(firings.n_tokens), states_of_feature(firings, i)
    x[firings.token[of][firings.level[of] >= least]] = 1
    p, w, left = _expected(firings, y, x > 0, [m for m in members if m != j], fit)
    cross = fit.x.T @ (left * w * x)
    missed = x * (y - p)
    replicate = np.searchsorted(firings.bounds, np.arange(firings.n_tokens), side="right") - 1
    variance = max(0.0, float(w @ x - cross @ np.linalg.solve(fit.information, cross)))
    p_silent = 1 / (1 + math.exp(-fit.theta[0]))
    return Score(
        float(missed.sum()),
        variance,
        min(variance, float(np.minimum(w, p_silent * (1 - p_silent)) @ x)),
        _dispersion(missed[x > 0], np.flatnonzero(x), replicate[x > 0]),
        np.array([missed[replicate == k].sum() for k in range(len(firings.bounds) - 1)]),
        float((fit.p * (1 - fit.p)).sum()),
    )


def _expected(
    firings: Firings, y: Dense, x: NDArray[np.bool_], members: list[int], fit: LogisticFit
) -> tuple[Dense, Dense, Dense]:
    """Chance of each token, its variance, and how much of what the regression says of it is left."""
    fires = np.column_stack([np.ones(len(y)), *(states_of_feature(firings, m) for m in sorted(members))])
    patterns = np.unique(fires, axis=0, return_inverse=True)[1]
    rows = np.unique(fit.x, axis=0, return_inverse=True)[1]
    p, w = fit.p.copy(), fit.p * (1 - fit.p)
    left = np.ones(len(y))
    strength = fit.x[:, [column.strength for column in fit.columns]]
    for pattern in np.unique(patterns[x]):
        at = patterns == pattern
        model = float((fit.p * (1 - fit.p))[at].sum())
        trust = trusted(model)
        if (y - fit.p)[at].sum() ** 2 > CUT * (model + 1):
            trust = max(trust, trusted(y[at].sum() * (1 - y[at].mean())))
        if trust > 0:
            for leaf in leaves_by_recursion(strength[at], logit(fit.p[at]), y[at]):
                within = np.flatnonzero(at)[leaf]
                shifted = shift_by_root(logit(fit.p[within]), y[within])
                v = shifted * (1 - shifted)
                rest = max(0, 1 - v[x[within]].sum() / max(v.sum(), 1e-300))
                p[within] = (1 - trust) * p[within] + trust * shifted
                w[within] = (1 - trust) * w[within] + trust * v * rest
            left[at] *= 1 - trust
    for row in np.unique(rows[x]):
        at = rows == row
        trust = trusted((p * (1 - p))[at].sum())
        if trust > 0:
            share, others = y[at].mean(), (~x[at]).sum()
            p[at] = (1 - trust) * p[at] + trust * share
            w[at] = (1 - trust) * w[at] + trust * share * (1 - share) * others / (at.sum() - 1)
            left[at] *= 1 - trust
    return p, w, left


def shift_by_root(odds: Dense, y: Dense) -> Dense:
    """Chances whose log odds are `odds` and a constant, and which sum to the firings."""
    if y.mean() in (0, 1):
        return np.full(len(y), y.mean())
    return np.asarray(expit(odds + brentq(lambda c: (expit(odds + c) - y).sum(), -40, 40)), np.float64)


def leaves_by_recursion(strength: Dense, odds: Dense, y: Dense) -> list[NDArray[np.int64]]:
    """Tokens of each leaf, split where firings below a cut are farthest from what is foretold."""
    p = shift_by_root(odds, y)
    v = p * (1 - p)
    best, below = CUT, np.zeros(len(y), bool)
    for column in strength.T:
        for limit in np.unique(column)[1:]:
            under = column < limit
            if min(v[under].sum(), v[~under].sum()) < LEAST_VARIANCE:
                continue
            told = (y - p)[under].sum() ** 2 * (1 / v[under].sum() + 1 / v[~under].sum())
            if told > best:
                best, below = told, under
    if not below.any():
        return [np.arange(len(y))]
    sides = (np.flatnonzero(below), np.flatnonzero(~below))
    return [side[leaf] for side in sides for leaf in leaves_by_recursion(strength[side], odds[side], y[side])]


def trusted(variance: float) -> float:
    """How far a count of some variance is taken at its word."""
    return min(1.0, max(0.0, (variance - UNSETTLED) / (SETTLED - UNSETTLED)))


def _dispersion(missed: Dense, token: NDArray[np.int64], replicate: NDArray[np.int64]) -> float:
    away = missed - missed.mean()
    products = 0.0
    for a, b in itertools.combinations(range(len(away)), 2):
        if token[b] - token[a] <= LAGS and replicate[a] == replicate[b]:
            products += float(away[a] * away[b])
    squares = float(away @ away)
    return max(1.0, 1 + 2 * products / squares) if squares > 0 else 1.0


def evidence_of(score: Score, loading: Dense, phi: float, i: int, j: int) -> float:
    """Evidence of one end: ``T + V`` against a Poisson count of mean ``V``, the activity taken off."""
    added = added_by_activity(score, loading, i, j)
    excess, variance = score.excess - added, score.variance + added
    if variance <= 0 or excess == 0:
        return 0.0
    phi = max(phi, score.dispersion)
    return signed_evidence(max(0.0, excess + variance) / phi, variance / phi)


def added_by_activity(score: Score, loading: Dense, i: int, j: int) -> float:
    """What the activity may add that is nearest to the score, between nothing and all of it."""
    whole = score.base * (math.exp(loading[i] * loading[j]) - 1)
    return min(max(score.excess, min(0.0, whole)), max(0.0, whole))


class Judged(NamedTuple):
    """What is made of one pair."""

    evidence: float
    partial_correlation: float
    standard_error: float
    joint: bool


def judged(
    firings: Firings,
    loading: Dense,
    rho: Dense,
    of: dict[int, Members],
    pairs: Sequence[tuple[int, int]],
    level: float,
) -> list[Judged]:
    """Test each pair from both ends, and again from the better one where only that shows."""
    n_features = firings.n_features
    enough = math.log(n_features * (n_features - 1) / 2 / max(1, len(pairs)) / level)
    return [_judged(firings, loading, rho, of, pair, enough) for pair in pairs]


def _judged(
    firings: Firings, loading: Dense, rho: Dense, of: dict[int, Members], pair: tuple[int, int], enough: float
) -> Judged:
    def tested(i: int, j: int, members: Members) -> tuple[float, Score]:
        upper = [int(level_of(float(z))) for z in norm.isf([0.5, 0.25])]
        parts = [-MOST_LEVEL, *(upper if of[i].get(j) else [])]
        scores = [score_of(firings, i, j, members, least) for least in parts]
        said = [evidence_of(score, loading, dispersion_of(rho, i, j), i, j) for score in scores]
        best = int(np.argmax(np.abs(said)))
        return math.copysign(max(0.0, abs(said[best]) - math.log(len(parts))), said[best]), scores[best]

    i, j = pair
    mine, here = tested(i, j, of[i])
    theirs, there = tested(j, i, of[j])
    # Both are as weak where neither is any evidence; then the smaller score judges.
    by_mine = (abs(mine), abs(here.excess)) < (abs(theirs), abs(there.excess))
    weaker, stronger, judge = (mine, theirs, here) if by_mine else (theirs, mine, there)
    evidence = weaker if mine * theirs > 0 else 0.0
    again = abs(evidence) < enough and abs(stronger) >= enough + math.log(2)
    if again:
        node, other = (j, i) if by_mine else (i, j)
        both = {m: of[i].get(m, False) or of[j].get(m, False) for m in {*of[i], *of[j]} - {i, j}}
        once_more, score = tested(node, other, both)
        size = max(0.0, abs(once_more) - math.log(2))
        if size > abs(evidence):
            evidence, judge = math.copysign(size, once_more), score
    scale = math.sqrt(here.residual * there.residual)
    left = judge.excess - added_by_activity(judge, loading, i, j)
    return Judged(evidence, left / scale, _error(judge.by_replicate) / scale, again)


def _error(by_replicate: Dense) -> float:
    """Jackknife standard error of the sum over replicates."""
    replicates = len(by_replicate)
    if replicates < 2:
        return math.nan
    without = np.array([np.delete(by_replicate, k).mean() * replicates for k in range(replicates)])
    return math.sqrt((replicates - 1) / replicates * float(((without - without.mean()) ** 2).sum()))
