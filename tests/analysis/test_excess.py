import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import binom

from analysis.activations import Float64
from analysis.bursts import LAGS, autocorrelations
from analysis.excess import MOST, screen_excess
from analysis.excess import _largest_means as largest_means
from analysis.excess import _may_pass as may_pass
from analysis.kernel import use_threads
from analysis.poisson import evidence
from analysis.screen import BINS, Candidates
from tests.analysis.calibrated_twins import excess_of_all, firings_from, markov
from tests.analysis.naive import Dense, benjamini_hochberg

LARGEST = largest_means(MOST)
Part = NDArray[np.bool_]


def mixed(seed: int, n: int = 1500, n_features: int = 40) -> Dense:
    """Rare and frequent features, some that follow others, some that exclude each other, some that last."""
    rng = np.random.default_rng(seed)
    rate = np.exp(rng.uniform(np.log(0.003), np.log(0.5), n_features))
    states = rng.random((n, n_features)) < rate
    states[:, -8:] = markov(rng, n, np.full(8, 0.1), 0.9)
    for i in range(0, 12, 2):
        follows = rng.random(n) < 0.4
        states[:, i + 1] = np.where(follows, states[:, i], states[:, i + 1])
    for i in range(12, 18, 2):
        states[:, i] = rng.random(n) < 0.3
        states[:, i + 1] = ~states[:, i] & (rng.random(n) < 0.4)
    return states.astype(np.float64)


def run(
    x: Dense, loading: Float64 | None = None, part: Part | None = None, q: float = 0.1, k: int = 64
) -> Candidates:
    firings = firings_from([x])
    return screen_excess(
        firings,
        np.zeros(x.shape[1]) if loading is None else loading,
        autocorrelations(firings),
        (firings.count >= 3) & (firings.count < len(x)) if part is None else part,
        q,
        k,
    )


def pairs_of(candidates: Candidates) -> set[tuple[int, int]]:
    i, place = np.nonzero(candidates.feature >= 0)
    return set(zip(i.tolist(), candidates.feature[i, place].tolist(), strict=True))


def passing(score: Dense, part: Part, q: float) -> set[tuple[int, int]]:
    """Ordered pairs that Benjamini-Hochberg rejects among those with p up to `MOST`."""
    n_features = len(score)
    i, j = np.triu_indices(n_features, 1)
    p = np.exp(-np.abs(score[i, j]))
    tested = part[i] & part[j] & (p <= MOST)
    i, j = i[tested], j[tested]
    kept = benjamini_hochberg(p[tested], q, n_features * (n_features - 1) // 2)
    found = set(zip(i[kept].tolist(), j[kept].tolist(), strict=True))
    return found | {(b, a) for a, b in found}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("q", [0.1, 0.5, 1e-4])
@pytest.mark.parametrize("spread", [0.0, 0.6], ids=["level", "active"])
def test_candidates_lie_between_those_of_two_levels_a_bin_apart(seed: int, q: float, spread: float) -> None:
    x = mixed(seed)
    rng = np.random.default_rng(seed)
    loading = spread * rng.normal(size=(40,))
    part = rng.random((40,)) < 0.9
    firings = firings_from([x])
    score = excess_of_all(x, loading, autocorrelations(firings).astype(np.float64), part)
    found = run(x, loading, part, q)
    # Rounded against the pairs by up to a bin of evidence: what passes at q / e^bin passes, nothing else.
    bin_width = -math.log(q / (40 * 39 / 2)) / BINS
    assert passing(score, part, q * math.exp(-bin_width - 1e-9)) <= pairs_of(found)
    assert pairs_of(found) <= passing(score, part, q * math.exp(1e-9))
    assert found.passed == len(pairs_of(found)) / 2 > 0
    for i, row in enumerate(found.feature):
        chosen = row[row >= 0]
        np.testing.assert_allclose(found.correlation[i, : len(chosen)], score[i, chosen], rtol=1e-6)
        assert (np.diff(np.abs(found.correlation[i, : len(chosen)])) <= 0).all()
        assert (row[len(chosen) :] == -1).all()
    assert (found.correlation[found.feature < 0] == 0).all()
    assert (np.abs(found.correlation[found.feature >= 0]) >= found.threshold).all()


def test_the_planted_pairs_are_of_every_kind() -> None:
    # The comparison above is worth something: both signs, dispersions above 1, pairs that never meet.
    x = mixed(0)
    found = run(x)
    assert (found.correlation > 0).any()
    assert (found.correlation < 0).any()
    assert {(12, 13), (14, 15), (16, 17)} <= pairs_of(found)
    assert (x[:, 12] * x[:, 13]).sum() == 0
    rho = autocorrelations(firings_from([x]))
    assert 1 + 2 * float(rho[-1] @ rho[-2]) > 2


def test_features_that_share_no_token_pass_only_on_a_large_mean() -> None:
    n = 1000
    x = np.zeros((n, 4))
    x[:200, 0] = x[200:400, 1] = 1.0  # mean 40, and never
    x[:30, 2] = x[400:430, 3] = 1.0  # mean 0.9, and never
    found = screen_excess(
        firings_from([x]), np.zeros(4), np.zeros((4, LAGS), np.float32), np.ones(4, bool), 0.1, 3
    )
    place = found.feature[0].tolist().index(1)
    assert found.correlation[0, place] == pytest.approx(-(40 - math.log(2)))  # p = 2 e^-m
    assert (2, 3) not in pairs_of(found)


def test_features_that_share_no_token_pass_on_a_mean_that_only_their_loadings_make_large() -> None:
    n = 1000
    x = np.zeros((n, 4))
    x[:50, 0] = x[50:100, 1] = x[100:150, 2] = x[150:200, 3] = 1.0  # mean 2.5, and never
    loading = np.array([1.5, 1.5, -1.5, 0.0])
    found = screen_excess(firings_from([x]), loading, np.zeros((4, LAGS), np.float32), np.ones(4, bool))
    mean = 50 * 50 / n * math.exp(1.5 * 1.5)
    assert 50 * 50 / n < -math.log(MOST) < mean
    assert pairs_of(found) == {(0, 1), (1, 0)}
    assert found.correlation[0, 0] == pytest.approx(-(mean - math.log(2)))  # p = 2 e^-m


def test_loadings_of_either_sign_take_the_activity_out() -> None:
    rng = np.random.default_rng(0)
    activity = rng.normal(size=(60_000, 1))
    loading = np.array([0.8, 0.8, 0.8, -0.8, -0.8])
    rate = 0.04  # 96 meetings expected by chance, 96 exp(-0.64) = 51 of opposites
    x = (rng.random((60_000, 5)) < rate * np.exp(loading * activity - loading**2 / 2)).astype(np.float64)
    part = np.ones(5, bool)
    plain = run(x, part=part)
    together, apart = {(0, 1), (0, 2), (1, 2)}, {(i, j) for i in (0, 1, 2) for j in (3, 4)}
    signs = {(i, j): plain.correlation[i, plain.feature[i].tolist().index(j)] > 0 for i, j in pairs_of(plain)}
    assert all(signs[pair] for pair in together)
    assert not any(signs[pair] for pair in apart)
    assert run(x, loading, part).passed <= 1  # 10 pairs, all null given the activity, at level 0.1


@pytest.mark.parametrize("k", [1, 2, 5])
def test_of_more_the_k_best_are_kept_ties_by_name(k: int) -> None:
    # Groups of six that fire at the same tokens: within a group every pair has the very same evidence.
    n, groups = 600, 4
    x = np.zeros((n, 6 * groups))
    order = np.random.default_rng(0).permutation(6 * groups)
    members = order.reshape(groups, 6)
    tokens = np.random.default_rng(1).permutation(n).reshape(-1, 20)
    for g in range(groups):
        x[np.ix_(tokens[g], members[g])] = 1.0
    found = run(x, k=k)
    for group in members:
        for i in group.tolist():
            assert found.feature[i].tolist() == sorted(j for j in group.tolist() if j != i)[:k]
    assert found.passed == groups * 15
    rho = autocorrelations(firings_from([x]))
    phi = 1 + 2 * float(rho[0] @ rho[0])
    assert phi > 1
    mean, spread = 20 * 20 / n, (1 - 20 / n) ** 2
    shifted = 20 - mean + mean * spread
    assert found.correlation[0, 0] == pytest.approx(evidence(shifted / phi, mean * spread / phi), rel=1e-5)


def test_features_that_take_no_part_are_nobody_s_candidates_but_count() -> None:
    x = mixed(1)
    part = np.ones(40, bool)
    part[[0, 12]] = False
    found = run(x, part=part)
    assert not {0, 12} & {i for pair in pairs_of(found) for i in pair}
    # The level of one pair by Bonferroni is over all 780 pairs, whoever takes part.
    assert found.threshold <= -math.log(0.1 / 780) + 1e-9


@pytest.mark.parametrize("n_features", [1, 2, 3])
@pytest.mark.parametrize("takes", [False, True])
def test_few_features_or_none_that_take_part(n_features: int, takes: bool) -> None:
    x = np.zeros((100, n_features))
    x[[3, 17, 22, 38, 41, 59, 60, 72, 88, 99]] = 1.0  # 10 meetings where 1 is expected
    found = run(x, part=np.full(n_features, takes))
    pairs = n_features * (n_features - 1) // 2
    assert found.passed == (pairs if takes else 0)
    assert found.feature.shape == (n_features, 64)
    if not takes or n_features == 1:
        assert (found.feature == -1).all()
        assert found.threshold == math.inf


def test_noise_lets_nothing_through() -> None:
    rng = np.random.default_rng(3)
    x = (rng.random((4000, 60)) < np.exp(rng.uniform(-5, -1, 60))).astype(np.float64)
    assert run(x).passed <= 2  # 1770 pairs at level 0.1, all null: a chance of a tenth that any passes


def test_the_same_bytes_for_any_number_of_threads() -> None:
    x = mixed(2)
    most = use_threads(None)
    try:
        use_threads(1)
        one = run(x, k=3)
    finally:
        use_threads(most)
    many = run(x, k=3)
    assert one.feature.tobytes() == many.feature.tobytes()
    assert one.correlation.tobytes() == many.correlation.tobytes()
    assert (one.threshold, one.passed) == (many.threshold, many.passed)


def test_renaming_the_features_renames_the_candidates() -> None:
    x = mixed(0)
    order = np.random.default_rng(0).permutation(40)
    plain, renamed = run(x), run(x[:, order])
    assert {(int(order[i]), int(order[j])) for i, j in pairs_of(renamed)} == pairs_of(plain)


def least_mean_of(count: int) -> float:
    """Least mean above `count` at which so few have a p of at most `MOST`, by bisection."""
    low, high = float(count), count + 100 + 100 * math.sqrt(count + 1)
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (low, middle) if -evidence(float(count), middle) >= -math.log(MOST) else (middle, high)
    return high


def shown(count: int, mean: float, spread: float) -> float:
    """Size of the evidence of a pair without any dispersion."""
    if count > mean:
        return abs(evidence(count - mean * (1 - spread), mean * spread))
    return abs(evidence(float(count), mean))


def test_a_mean_known_only_to_lie_about_the_count_rules_nothing_out() -> None:
    # 30 where 10 are expected; loadings of others put the most that could be expected at 40.
    assert evidence(30.0, 10.0) >= -math.log(MOST)
    assert may_pass(30, 5.0, 40.0, 1.0, LARGEST)


@settings(deadline=None, max_examples=150)
@given(
    st.integers(1, 2000),
    st.floats(1e-6, 4000),
    st.floats(0, 1),
    st.floats(0, 1),
    st.one_of(st.just(1.0), st.floats(0.85, 1), st.floats(1e-3, 1)),
)
def test_no_pair_that_could_pass_is_ruled_out(
    count: int, mean: float, below: float, above: float, spread: float
) -> None:
    least, most = mean * (1 - below), mean * (1 + 3 * above)
    if shown(count, mean, spread) >= -math.log(MOST):
        assert may_pass(count, least, most, spread, LARGEST)


@pytest.mark.parametrize("spread", [1.0, 0.99, 0.95, 0.9001, 0.9, 0.5, 0.1, 0.01])
@pytest.mark.parametrize("count", [*range(1, 70), 100, 1000, 10_000])
def test_no_pair_is_ruled_out_at_the_very_mean_at_which_it_passes(count: int, spread: float) -> None:
    few = least_mean_of(count)
    assert evidence(float(count), few) <= math.log(MOST)
    assert may_pass(count, few, few, spread, LARGEST)
    low, high = 0.0, float(count)
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if shown(count, middle, spread) >= -math.log(MOST) else (low, middle)
    assert may_pass(count, low, low, spread, LARGEST)
    assert may_pass(count, low, few, spread, LARGEST)


@pytest.mark.parametrize("rate", [0.3, 0.6, 0.9])
def test_independent_features_that_fire_often_pass_no_more_than_rarely(rate: float) -> None:
    # Without the smaller variance an excess of frequent features would hardly ever be seen.
    rng = np.random.default_rng(0)
    n, pairs = 400, 4000
    counts = [(rng.random((n, pairs)) < rate).sum(axis=0) for _ in range(2)]
    together = rng.hypergeometric(counts[0], n - counts[0], counts[1])
    mean, spread = counts[0] * counts[1] / n, (1 - counts[0] / n) * (1 - counts[1] / n)
    over = [shown(*of) for of in zip(together, mean, spread, strict=True) if of[0] > of[1]]
    p = np.exp(-np.array(over))
    for level in (0.01, 0.05):
        # Half of the level is that of an excess; the chance that a true law fails is 1 in 10,000.
        assert (p <= level).sum() <= binom.isf(1e-4, pairs, level / 2)
    assert (p <= 0.05).sum() > pairs * 0.05 / 2 / 5


def test_the_table_of_means_is_the_largest_that_pass() -> None:
    assert LARGEST[0] == 0.0
    for count in range(1, len(LARGEST)):
        assert evidence(float(count), LARGEST[count] * (1 - 1e-9)) >= -math.log(MOST)
        assert evidence(float(count), LARGEST[count] * (1 + 1e-9) + 1e-12) < -math.log(MOST)
    # P(N >= 1) = 1 - e^-m = MOST / 2
    assert LARGEST[1] == pytest.approx(-math.log1p(-MOST / 2))
