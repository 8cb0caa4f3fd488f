import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import binom

from analysis.activations import Float64
from analysis.background import Background
from analysis.bursts import autocorrelations
from analysis.conditional import Neighbourhoods, PairTests, conditional_tests, one_sided
from analysis.firings import Firings
from analysis.kernel import use_threads
from tests.analysis.calibrated_twins import (
    Members,
    design_matrix,
    firings_from,
    judged,
    newton,
    score_of,
)
from tests.analysis.naive import Dense
from tests.analysis.planted import planted, steep

Pairs = list[tuple[int, int]]


def neighbourhoods_of(of: dict[int, Members], n_features: int) -> Neighbourhoods:
    lists = [sorted(of.get(i, {}).items()) for i in range(n_features)]
    start = np.cumsum([0, *(len(row) for row in lists)]).astype(np.int64)
    flat = [entry for row in lists for entry in row]
    return Neighbourhoods(
        start, np.array([j for j, _ in flat], np.int64), np.array([g for _, g in flat], bool)
    )


def run(
    firings: Firings, of: dict[int, Members], pairs: Pairs, level: float = 0.1, loading: Float64 | None = None
) -> PairTests:
    source, target = np.array(pairs, np.int32).reshape(-1, 2).T.copy()
    return conditional_tests(
        firings,
        Background(np.zeros(firings.n_features) if loading is None else loading, autocorrelations(firings)),
        neighbourhoods_of(of, firings.n_features),
        source,
        target,
        firings.pairs,
        level,
    )


def lasting_of(firings: Firings) -> Dense:
    return autocorrelations(firings).astype(np.float64)


def planted_case(seed: int) -> tuple[Firings, dict[int, Members], Pairs]:
    """Modules of three; neighbourhoods of the module and some others, not all that matter."""
    firings = firings_from([planted(seed + 10 * k, n=n)[1] for k, n in enumerate((400, 250, 300))])
    rng = np.random.default_rng(seed)
    of: dict[int, Members] = {}
    for i in range(12):
        module = [j for j in range(i - i % 3, i - i % 3 + 3) if j != i]
        members = [*module[: rng.integers(1, 3)], *rng.choice(np.arange(12, 24), 2, replace=False).tolist()]
        of[i] = {int(j): bool(rng.random() < 0.5) for j in members}
    return firings, of, list(itertools.combinations(range(12), 2))


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("spread", [0.0, 0.3], ids=["level", "active"])
@pytest.mark.parametrize("level", [0.1, 1e-3])
def test_tests_equal_the_dense_twin(seed: int, spread: float, level: float) -> None:
    firings, of, pairs = planted_case(seed)
    loading = spread * np.random.default_rng(seed).normal(size=(30,))
    found = run(firings, of, pairs, level, loading)
    full = {i: of.get(i, {}) for i in range(30)}
    twin = judged(firings, loading, lasting_of(firings), full, pairs, level)
    inside = [e for e, (i, j) in enumerate(pairs) if j in of[i] or i in of[j]]
    outside = [e for e in range(len(pairs)) if e not in inside]
    assert min(len(inside), len(outside)) >= 10
    for name in ("evidence", "partial_correlation", "standard_error"):
        expected = np.array([getattr(t, name) for t in twin])
        np.testing.assert_allclose(getattr(found, name)[outside], expected[outside], rtol=5e-3, atol=5e-3)
    # Where one is in the neighbourhood of the other, a fit without it is found from the fit with it.
    for e in inside:
        if abs(twin[e].evidence) > 10:
            assert found.evidence[e] * np.sign(twin[e].evidence) > 5
        if abs(twin[e].evidence) < 1:
            assert abs(found.evidence[e]) < 3
    assert found.not_converged == 0


def test_naming_a_pair_the_other_way_round_changes_nothing() -> None:
    firings, of, pairs = planted_case(0)
    plain, turned = run(firings, of, pairs), run(firings, of, [(j, i) for i, j in pairs])
    np.testing.assert_allclose(plain.evidence, turned.evidence, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(plain.partial_correlation, turned.partial_correlation, rtol=1e-9)


def siblings(seed: int, families: int, n: int, replicates: int) -> list[Dense]:
    """Families of a parent and two children that follow it each on its own; parents first, then children."""
    rng = np.random.default_rng(seed)
    drawn = []
    rate = rng.uniform(0.02, 0.15, (3, families))
    follows = rng.uniform(0.2, 0.7, (2, families))
    for _ in range(replicates):
        parent = rng.random((n, families)) < rate[0]
        children = [
            (parent & (rng.random((n, families)) < follows[c]))
            | (rng.random((n, families)) < rate[1 + c] / 4)
            for c in range(2)
        ]
        drawn.append(np.concatenate([parent, *children], axis=1).astype(np.float64))
    return drawn


def test_p_of_siblings_given_their_parent_are_not_smaller_than_uniform() -> None:
    families = 600
    firings = firings_from(siblings(0, families, 3000, 1))
    of: dict[int, Members] = {families + i: {i % families: False} for i in range(2 * families)}
    pairs = [(families + i, 2 * families + i) for i in range(families)]
    # At this level nothing is tested a second time, and no evidence is left unrefined from 0.4 on.
    found = run(firings, of, pairs, level=600.0)
    p = np.exp(-np.abs(found.evidence))
    for level in (0.01, 0.03, 0.1):
        # The chance that a true test fails this: 1 in 10,000.
        assert (p <= level).sum() <= binom.isf(1e-4, families, level)
    plain = run(firings, {}, pairs)
    assert (np.exp(-np.abs(plain.evidence)) < 0.01).mean() > 0.5  # without the parent they do depend


def outputs_of_a_rule(seed: int, rule: str, modules: int, n: int) -> Dense:
    """Modules of two inputs and two outputs that a rule on the inputs' magnitudes opens, each on its own."""
    rng = np.random.default_rng(seed)
    which = rng.random((n, modules, 1))
    fires = (which < 0.02) | ((which >= 0.02 * np.arange(1, 3)) & (which < 0.02 * np.arange(2, 4)))
    inputs = fires * np.exp(0.5 * rng.standard_normal(fires.shape))
    first, second = inputs[:, :, 0], inputs[:, :, 1]
    opened = {
        "weaker": np.minimum(first, second) > 0.8,
        "band": ((inputs > 1.1) & (inputs < 1.3)).any(axis=2),
        "either": fires.any(axis=2),
    }[rule]
    outputs = rng.random((2, n, modules)) < np.where(opened, 0.8, 0.02)
    return np.concatenate([first, second, *outputs.astype(np.float64)], axis=1)


@pytest.mark.parametrize("rule", ["weaker", "band", "either"])
def test_outputs_of_a_rule_on_two_magnitudes_are_independent_given_both(rule: str) -> None:
    modules = 40
    firings = firings_from([outputs_of_a_rule(0, rule, modules, 60_000)])
    outputs = range(2 * modules, 4 * modules)
    of: dict[int, Members] = {i: {i % modules: True, modules + i % modules: True} for i in outputs}
    pairs = [(2 * modules + i, 3 * modules + i) for i in range(modules)]
    evidence = np.sort(np.abs(run(firings, of, pairs, level=modules).evidence))
    # By chance three of 40 have a p of 1 in 1,000 or less once in 100,000; with a sum of levels many do.
    assert evidence[-3] < math.log(1000)


def test_edges_are_found_and_signed() -> None:
    rng = np.random.default_rng(1)
    n = 20_000
    x = rng.random((n, 6)) < 0.1
    x[:, 1] = np.where(rng.random(n) < 0.3, x[:, 0], x[:, 1])
    x[:, 3] &= ~(x[:, 2] & (rng.random(n) < 0.7))
    found = run(firings_from([x.astype(np.float64)]), {}, [(0, 1), (2, 3), (4, 5)])
    assert found.evidence[0] > 20
    assert found.evidence[1] < -20
    assert abs(found.evidence[2]) < math.log(1000)
    # With nothing given the partial correlation is the correlation of the states.
    for (i, j), r in zip(((0, 1), (2, 3), (4, 5)), found.partial_correlation, strict=True):
        assert r == pytest.approx(np.corrcoef(x[:, i], x[:, j])[0, 1], abs=2e-3)


def hub(seed: int, followers: int = 12, n: int = 12_000) -> Dense:
    """A hub, and features that fire only with it, each on its own; together they nearly always tell of it."""
    rng = np.random.default_rng(seed)
    x = np.zeros((n, followers + 30))
    x[:, 0] = rng.random(n) < 0.03
    for j in range(1, followers + 1):
        x[:, j] = ((x[:, 0] > 0) & (rng.random(n) < 0.3)) | (rng.random(n) < 0.0005)
    x[:, followers + 1 :] = rng.random((n, 29)) < 0.01
    return x


def test_a_hub_s_followers_are_tested_again_given_both_neighbourhoods() -> None:
    firings = firings_from([hub(0)])
    of: dict[int, Members] = {0: dict.fromkeys(range(1, 13), False)}
    of.update({j: {0: False} for j in range(1, 13)})
    pairs: Pairs = [(0, j) for j in range(1, 13)]
    found = run(firings, of, pairs, level=1e-12)
    assert found.joint > 0
    zero = np.zeros(firings.n_features)
    full = {i: of.get(i, {}) for i in range(firings.n_features)}
    twin = judged(firings, zero, lasting_of(firings), full, pairs, 1e-12)
    assert found.joint == sum(t.joint for t in twin)
    # Neither is a member of the neighbourhoods of both, so nothing is left out of these fits.
    again = [e for e, t in enumerate(twin) if t.joint]
    np.testing.assert_allclose(found.evidence[again], [twin[e].evidence for e in again], rtol=5e-3)
    assert (found.evidence > 10).all()
    # What is not of interest at all is not tested again.
    assert run(firings, of, pairs, level=1e-300).joint == 0


def gate(rng: np.random.Generator, n: int) -> tuple[Dense, dict[int, Members]]:
    """Features 0 and 1, together or alone, and 2 and 3, each often where both fire and seldom elsewhere."""
    which = rng.random(n)
    x = np.zeros((n, 4))
    x[:, 0], x[:, 1] = which < 0.03, (which < 0.01) | ((which >= 0.03) & (which < 0.05))
    both = (x[:, 0] > 0) & (x[:, 1] > 0)
    x[:, 2:] = rng.random((n, 2)) < np.where(both, 0.5, 0.005)[:, np.newaxis]
    return x, {i: {0: False, 1: False} for i in (2, 3)}


def threshold(rng: np.random.Generator, n: int) -> tuple[Dense, dict[int, Members]]:
    """Feature 0, and 2 and 3, each often where it is above its median and seldom elsewhere."""
    x = np.zeros((n, 4))
    x[:, 0] = np.where(rng.random(n) < 0.1, rng.lognormal(0, 0.5, n), 0)
    x[:, 2:] = rng.random((n, 2)) < np.where(x[:, 0] > 1, 0.6, 0.02)[:, np.newaxis]
    return x, {i: {0: True} for i in (2, 3)}


@pytest.mark.parametrize(("plant", "n"), [(gate, 120_000), (threshold, 40_000)])
def test_what_a_sum_over_members_does_not_foretell_is_no_dependence(
    plant: Callable[[np.random.Generator, int], tuple[Dense, dict[int, Members]]], n: int
) -> None:
    x, of = plant(np.random.default_rng(0), n)
    firings = firings_from([x])
    assert abs(run(firings, of, [(2, 3)]).evidence[0]) < math.log(1000)
    # By a sum of what each says, steps apart, far more tokens show both than is foretold.
    smooth = design_matrix(firings, 2, of[2])[:, :4]
    p = newton(smooth, x[:, 2], np.zeros(smooth.shape[1]))[1][x[:, 3] > 0]
    assert (x[x[:, 3] > 0, 2] - p).sum() > 3.5 * math.sqrt((p * (1 - p)).sum())


def steps(seed: int, children: int = 6, n: int = 60_000) -> Dense:
    """Feature 0, and children that each fire where it is above a limit of their own."""
    rng = np.random.default_rng(seed)
    rank = np.where(rng.random(n) < 0.05, rng.random(n), 0.0)
    limit = np.linspace(0.25, 0.8, children)
    fires = rng.random((n, children)) < np.where(rank[:, np.newaxis] > limit, 0.9, 0.002)
    # Far from log-normal: a few are tiny.
    value = np.where(rank > 0, np.exp(np.where(rank < 0.03, -20, rank)), 0.0)
    return np.column_stack([value, fires])


def test_children_of_many_limits_are_independent_given_their_parent() -> None:
    children = range(1, 7)
    of: dict[int, Members] = {c: {0: True} for c in children}
    pairs: Pairs = list(itertools.combinations(children, 2))
    firings = firings_from([steps(0)])
    # Of 15 pairs one has a p of 1 in 1,000 or less once in 67 draws.
    assert np.abs(run(firings, of, pairs, level=1e3).evidence).max() < math.log(1000)
    # A sum of smooth functions of the level leaves them far from it.
    smooth = {c: {0: False} for c in children}
    assert np.abs(run(firings, smooth, pairs, level=1e3).evidence).max() > 50


def test_what_follows_only_how_strongly_another_fires_is_found_by_its_parts() -> None:
    firings = firings_from([steps(1)])
    # Where the other five fire the parent does for sure, and how strongly alone tells of the last.
    others: Members = dict.fromkeys(range(1, 6), False)
    of: dict[int, Members] = {6: {0: True, **others}, 0: dict.fromkeys(range(1, 7), False)}
    found = run(firings, of, [(0, 6)], level=1e-3)
    assert found.joint == 1
    assert found.evidence[0] > 20
    assert found.partial_correlation[0] > 0
    plain = run(firings, {**of, 6: {0: False, **others}}, [(0, 6)], level=1e-3)
    assert abs(plain.evidence[0]) < found.evidence[0] / 2


def test_in_a_pattern_of_many_tokens_a_dependence_is_still_found() -> None:
    x, of = gate(np.random.default_rng(1), 40_000)
    # Feature 3 follows 2 where both inputs fire.
    x[:, 3] = np.where(np.random.default_rng(2).random(40_000) < 0.6, x[:, 2], x[:, 3])
    assert run(firings_from([x]), of, [(2, 3)]).evidence[0] > 20


def test_the_error_is_the_spread_over_draws() -> None:
    # 80 pairs alike in law, each with a correlation and its error: one spread must be the other.
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(20):
        x = rng.random((1500, 160)) < 0.1
        x[:, 80:] = np.where(rng.random((1500, 80)) < 0.2, x[:, :80], x[:, 80:])
        drawn.append(x.astype(np.float64))
    found = run(firings_from(drawn), {}, [(i, 80 + i) for i in range(80)])
    spread = found.partial_correlation.std(ddof=1)
    # A deviation of 80 has a relative error of 1 / sqrt(2 79) = 0.08; four of them.
    assert np.sqrt((found.standard_error**2).mean()) == pytest.approx(spread, rel=0.32)


def test_one_replicate_has_no_error() -> None:
    _, of, pairs = planted_case(0)
    found = run(firings_from([planted(0)[1]]), of, pairs)
    assert np.isnan(found.standard_error).all()
    assert np.isfinite(found.partial_correlation).all()


def test_nothing_to_test() -> None:
    firings = firings_from([planted(0)[1]])
    found = run(firings, {}, [])
    assert len(found.evidence) == 0
    assert (found.joint, found.not_converged) == (0, 0)


def test_a_regression_that_does_not_converge_is_no_evidence_and_is_counted() -> None:
    # Found by search: to leave feature 4 out takes more steps than there are, to leave 2 out does not.
    firings = steep(384)
    found = run(firings, {0: dict.fromkeys(range(1, 5), True)}, [(0, 2), (0, 4)], level=1e-300)
    assert found.not_converged == 1
    assert found.evidence[1] == 0


def followed(seed: int, rate: float, share: float, n: int = 6000) -> Dense:
    """Feature 1 does as feature 0 does at a share of the tokens, and 2 often fires with either."""
    rng = np.random.default_rng(seed)
    x = rng.random((n, 4)) < rate
    x[:, 1] = np.where(rng.random(n) < share, x[:, 0], x[:, 1])
    x[:, 2] = np.where(rng.random(n) < 0.5, x[:, 0] | x[:, 1], x[:, 2])
    return x.astype(np.float64)


def correlation_of_refits(firings: Firings, of: dict[int, Members]) -> float:
    """Partial correlation of 0 and 1 from regressions made anew without each other."""
    here, there = score_of(firings, 0, 1, of[0]), score_of(firings, 1, 0, of[1])
    assert here.excess == pytest.approx(there.excess, rel=0.01)
    return here.excess / math.sqrt(here.residual * there.residual)


@pytest.mark.parametrize("others", [{}, {2: False}], ids=["alone", "with another"])
@pytest.mark.parametrize("seed", range(3))
def test_the_partial_correlation_of_features_that_chose_each_other_is_that_of_refits(
    seed: int, others: Members
) -> None:
    firings = firings_from([followed(seed, 0.5, 0.15)])
    of: dict[int, Members] = {0: {1: False, **others}, 1: {0: False, **others}}
    found = run(firings, of, [(0, 1)], level=1e-300)
    # Half of the tokens are those of the other: counted twice, they would take a third off.
    assert found.partial_correlation[0] == pytest.approx(correlation_of_refits(firings, of), rel=0.05)


def test_the_partial_correlation_of_features_that_chose_only_each_other_is_their_correlation() -> None:
    x = followed(0, 0.1, 0.3)
    found = run(firings_from([x]), {0: {1: False}, 1: {0: False}}, [(0, 1)], level=1e-300)
    assert found.partial_correlation[0] == pytest.approx(np.corrcoef(x[:, 0], x[:, 1])[0, 1], abs=2e-3)


def test_duplicates_explain_each_other_and_nothing_else_is_left() -> None:
    rng = np.random.default_rng(0)
    x = (rng.random((8000, 5)) < 0.05).astype(np.float64)
    x[:, 2] = np.where(rng.random(8000) < 0.5, x[:, 0], x[:, 2])
    x[:, 1] = x[:, 0]
    everyone: dict[int, Members] = {i: {j: False for j in range(3) if j != i} for i in range(3)}
    found = run(firings_from([x]), everyone, [(0, 1), (0, 2), (1, 2)])
    assert np.isfinite(found.evidence).all()
    assert found.evidence[0] > 20
    assert (np.abs(found.evidence[1:]) < 5).all()


def test_the_or_of_two_depends_on_both() -> None:
    rng = np.random.default_rng(0)
    x = (rng.random((8000, 5)) < 0.05).astype(np.float64)
    x[:, 2] = np.maximum(x[:, 0], x[:, 1])
    everyone: dict[int, Members] = {i: {j: True for j in range(3) if j != i} for i in range(3)}
    found = run(firings_from([x]), everyone, [(0, 2), (1, 2)])
    assert (found.evidence > 20).all()


def test_features_silent_in_a_replicate_or_firing_once() -> None:
    rng = np.random.default_rng(0)
    x = [(rng.random((500, 4)) < 0.1).astype(np.float64) for _ in range(3)]
    x[0][:, 0] = 0.0
    for replicate in x:
        replicate[:, 1] = 0.0
    x[2][7, :2] = 1.0
    found = run(firings_from(x), {0: {2: True}, 1: {2: True}}, [(0, 1), (0, 2), (1, 3)])
    assert np.isfinite(found.evidence).all()
    assert np.isfinite(found.partial_correlation).all()


def test_activity_alone_is_no_dependence() -> None:
    rng = np.random.default_rng(0)
    loading = np.full(200, 0.6)
    activity = rng.normal(size=(40_000, 1))
    x = rng.random((40_000, 200)) < 0.03 * np.exp(loading * activity - loading**2 / 2)
    firings = firings_from([x.astype(np.float64)])
    pairs = [(i, i + 1) for i in range(0, 200, 2)]
    plain, cleared = run(firings, {}, pairs), run(firings, {}, pairs, loading=loading)
    assert (np.exp(-plain.evidence) < 0.1).mean() > 0.3
    assert (np.exp(-np.abs(cleared.evidence)) <= 0.1).sum() <= binom.isf(1e-4, 100, 0.1)
    assert np.mean(plain.partial_correlation) > 5 * abs(np.mean(cleared.partial_correlation))


def test_tokens_alike_are_no_evidence() -> None:
    # The same 60 meetings where 15 are expected, in one run or scattered.
    rng = np.random.default_rng(0)
    n = 6000
    runs = np.zeros((n, 3))
    runs[1000:1300, 0] = runs[1240:1540, 1] = 1.0
    apart = rng.permutation(runs)
    scattered, clumped = run(firings_from([apart]), {}, [(0, 1)]), run(firings_from([runs]), {}, [(0, 1)])
    assert 0 <= clumped.evidence[0] < scattered.evidence[0]


def test_the_same_bytes_for_any_number_of_threads() -> None:
    firings, of, pairs = planted_case(1)
    most = use_threads(None)
    try:
        use_threads(1)
        one = run(firings, of, pairs)
    finally:
        use_threads(most)
    many = run(firings, of, pairs)
    assert one.evidence.tobytes() == many.evidence.tobytes()
    assert one.standard_error.tobytes() == many.standard_error.tobytes()


def test_a_feature_at_half_of_the_tokens_is_tested_like_any_other() -> None:
    # Its regression on nothing is at its end from the start, where no step has a length.
    rng = np.random.default_rng(0)
    x = (rng.random((2000, 4)) < 0.2).astype(np.float64)
    x[:, 0] = rng.permutation(2000) % 2
    x[:, 1] = np.where(rng.random(2000) < 0.3, x[:, 0], x[:, 1])
    found = run(firings_from([x]), {}, [(0, 1), (2, 3)])
    assert found.evidence[0] > 20
    assert 0 < abs(found.evidence[1]) < 5
    assert np.isfinite(found.partial_correlation).all()


def test_of_the_pairs_that_one_end_shows_the_strongest_are_tested_again() -> None:
    score = np.array([0.0, 6.0, 2.0, 0.0, -4.9, 0.0, 1.0])
    stronger = np.array([7.0, 9.0, -30.0, 5.5, -30.0, -8.0, 5.0])
    # The second is kept as it is; the fourth and the last lack what twice the p takes away.
    assert one_sided(score, stronger, 5.0, 10).tolist() == [0, 2, 4, 5]
    assert one_sided(score, stronger, 5.0, 3).tolist() == [2, 4, 5]
    assert one_sided(score, stronger, 5.0, 1).tolist() == [2]
    assert one_sided(score, stronger, 31.0, 10).tolist() == []
