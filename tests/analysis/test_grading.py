import numpy as np
import pytest

from analysis.activations import Float64, Int64
from analysis.firings import Firings
from analysis.grading import MOST_GRADED, TELLING, graded_of, levels_told, most_telling
from analysis.kernel import use_threads
from tests.analysis.calibrated_twins import firings_from, states_of_feature, strengths


def everyone(n_features: int) -> tuple[Int64, Int64]:
    """Neighbourhoods of all others."""
    member = [np.setdiff1d(np.arange(n_features), [i]) for i in range(n_features)]
    start = np.arange(n_features + 1) * (n_features - 1)
    return start.astype(np.int64), np.concatenate(member).astype(np.int64)


EVERY = everyone(7)[1].reshape(7, 6).astype(np.int32)
"""All others as candidates."""


def told_by_draws(firings: Firings, i: int, j: int) -> float:
    """Mahalanobis distance of the sums of levels and squares from those of tokens of `j` drawn at random."""
    entries = slice(firings.start[j], firings.start[j + 1])
    z = strengths(firings.level[entries])
    both = states_of_feature(firings, i)[firings.token[entries]] > 0
    u = np.stack([z, z * z])
    together, count = int(both.sum()), len(z)
    away = u[:, both].sum(axis=1) - together * u.mean(axis=1)
    covariance = together * (count - together) / (count - 1) * np.cov(u, bias=True)
    return float(away @ np.linalg.solve(covariance, away))


def drawn(seed: int, n: int = 3000, features: int = 7) -> Firings:
    """Features of which the second follows how strongly the first fires, and the third how far from usual."""
    rng = np.random.default_rng(seed)
    x = (rng.random((n, features)) < 0.1) * rng.lognormal(0.0, 0.5, (n, features))
    x[:, 1] = (x[:, 0] > 1) | (rng.random(n) < 0.02)
    x[:, 2] = ((x[:, 0] > 0) & (np.abs(np.log(np.maximum(x[:, 0], 1e-9))) > 0.5)) | (rng.random(n) < 0.02)
    return firings_from([x[: n // 2], x[n // 2 :]])


@pytest.mark.parametrize("seed", range(3))
def test_chi_squares_equal_those_of_a_draw(seed: int) -> None:
    firings = drawn(seed)
    start, member = everyone(7)
    found = levels_told(firings, start, member).reshape(7, 6)
    for i in range(7):
        # Features 1 and 2 fire always as strongly, and are asked below.
        for place, j in enumerate(member[start[i] : start[i + 1]].tolist()):
            if j not in (1, 2):
                assert found[i, place] == pytest.approx(told_by_draws(firings, i, j), rel=1e-6), (i, j)


def test_what_levels_tell_is_graded() -> None:
    start = np.array([0, 0, 2, 4, 4, 4, 4, 4])
    member = np.array([0, 3, 0, 3])
    firings = drawn(0)
    told = levels_told(firings, start, member)
    assert min(told[0], told[2]) > 100
    assert graded_of(firings, start, member).tolist() == [True, False, True, False]


@pytest.mark.parametrize("seed", range(3))
def test_the_most_telling_candidate_is_the_one_of_largest_chi_square(seed: int) -> None:
    firings = drawn(seed)
    rng = np.random.default_rng(seed)
    candidate = np.full((7, 5), -1, np.int32)
    for i in range(6):
        others = rng.permutation(np.setdiff1d(np.arange(7), [i]))[: rng.integers(1, 6)]
        candidate[i, : len(others)] = others
    found = most_telling(firings, candidate)
    for i in range(7):
        others = candidate[i][candidate[i] >= 0].astype(np.int64)
        start = np.where(np.arange(8) > i, len(others), 0)
        told = levels_told(firings, start, others)
        best = int(np.argmax(told)) if len(told) else -1
        enough = best >= 0 and told[best] > TELLING + 2 * np.log(len(others))
        assert found[i] == (others[best] if enough else -1)
    # Of features 1 and 2, which follow how strongly 0 fires, whatever else there is.
    candidate[1:3] = [[6, 5, 4, 0, 3], [0, 6, 5, 4, 3]]
    assert most_telling(firings, candidate)[1:3].tolist() == [0, 0]
    assert most_telling(firings, np.full((7, 5), -1, np.int32)).tolist() == [-1] * 7


def test_levels_that_say_nothing_are_seldom_graded() -> None:
    rng = np.random.default_rng(0)
    x = (rng.random((8000, 40)) < 0.15) * rng.exponential(1.0, (8000, 40))
    graded = graded_of(firings_from([x]), *everyone(40))
    # 1,560 members at one in twenty: 78, standard deviation 9 (a pair's two ends differ in whose levels).
    assert 40 < graded.sum() < 120


def test_the_most_telling_are_graded_and_no_more() -> None:
    rng = np.random.default_rng(1)
    parents = MOST_GRADED + 4
    x = (rng.random((60_000, parents + 1)) < 0.02) * rng.lognormal(0.0, 0.5, (60_000, parents + 1))
    strength = np.linspace(0.3, 0.9, parents)
    hit = (x[:, :parents] > 1) & (rng.random((60_000, parents)) < strength)
    x[:, parents] = hit.any(axis=1)
    firings = firings_from([x])
    start = np.concatenate([np.zeros(parents + 1, np.int64), [parents]])
    member = np.arange(parents)
    told = levels_told(firings, start, member)
    assert (told > TELLING).all()
    graded = graded_of(firings, start, member)
    assert graded.sum() == MOST_GRADED
    assert told[graded].min() > told[~graded].max()


@pytest.mark.parametrize("strength", [1.0, np.nan], ids=["equal", "two levels"])
def test_degenerate_levels_are_no_numbers_gone_wrong(strength: float) -> None:
    rng = np.random.default_rng(2)
    x = (rng.random((2000, 4)) < 0.2).astype(np.float64)
    x[:, 0] *= np.where(rng.random(2000) < 0.5, 1.0, 2.0) if np.isnan(strength) else strength
    x[:, 1] = (x[:, 0] > 1) | (rng.random(2000) < 0.05)
    x[:, 2] = x[:, 0] > 0  # fires wherever the first does: no draw is left to chance
    x[:, 3] = 0.0
    told: Float64 = levels_told(firings_from([x]), *everyone(4)).reshape(4, 3)
    assert np.isfinite(told).all()
    assert (told[1, 0] > 50) == np.isnan(strength)  # 0 is the first member of 1
    assert told[2, 0] == 0.0
    assert (told[3] == 0.0).all()


def test_the_same_for_any_number_of_threads() -> None:
    firings = drawn(3)
    most = use_threads(None)
    try:
        use_threads(1)
        one = levels_told(firings, *everyone(7))
        named = most_telling(firings, EVERY)
    finally:
        use_threads(most)
    assert one.tobytes() == levels_told(firings, *everyone(7)).tobytes()
    assert named.tobytes() == most_telling(firings, EVERY).tobytes()
