import numpy as np
import pytest
from scipy.special import expit

from analysis.leaves import grow
from tests.analysis.calibrated_twins import leaves_by_recursion, shift_by_root
from tests.analysis.naive import Dense


def rows(seed: int, rule: float) -> tuple[Dense, Dense, Dense, Dense]:
    """Level of two members, log odds by a wrong regression, tokens, and firings where both are strong."""
    rng = np.random.default_rng(seed)
    level = np.round(4 * rng.standard_normal((60, 2))) / 4
    eta = -1 + 0.8 * level.sum(axis=1)
    tokens = rng.integers(1, 40, 60).astype(np.float64)
    truth = np.where((level > 0).all(axis=1), rule, 0.05) if rule else expit(eta + 0.3)
    return level, eta, tokens, rng.binomial(tokens.astype(int), truth).astype(np.float64)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("rule", [0.0, 0.5, 0.95])
def test_leaves_equal_the_recursion_over_tokens(seed: int, rule: float) -> None:
    level, eta, tokens, fires = rows(seed, rule)
    leaf = np.empty(60, np.int64)
    shift, known = grow(level.astype(np.float32), eta, tokens, fires, leaf)
    row = np.repeat(np.arange(60), tokens.astype(int))
    y = np.concatenate([np.arange(t) < f for t, f in zip(tokens, fires, strict=True)]).astype(np.float64)
    twin = leaves_by_recursion(level[row], eta[row], y)
    assert {frozenset(np.flatnonzero(leaf == k)) for k in range(len(shift))} == {
        frozenset(row[part]) for part in twin
    }
    for part in twin:
        k = leaf[row[part[0]]]
        p = shift_by_root(eta[row[part]], y[part])
        np.testing.assert_allclose(expit(eta[row[part]] + shift[k]), p, atol=1e-6)
        if 0 < y[part].mean() < 1:
            assert known[k] == pytest.approx((p * (1 - p)).sum(), rel=1e-6)
        else:
            assert known[k] == np.inf


def test_a_regression_that_is_right_up_to_a_constant_is_seldom_split() -> None:
    split = 0
    for seed in range(100):
        level, eta, tokens, fires = rows(seed, 0.0)
        split += len(grow(level.astype(np.float32), eta, tokens, fires, np.empty(60, np.int64))[0]) > 1
    # Some 25 cuts, at each of which a chi-square passes at 0.001.
    assert split <= 100 * 25 * 0.001 + 5


def test_both_members_strong_is_a_leaf_of_its_own() -> None:
    level, eta, tokens, fires = rows(0, 0.95)
    leaf = np.empty(60, np.int64)
    grow(level.astype(np.float32), eta, 20 * tokens, 20 * fires, leaf)
    both = (level > 0).all(axis=1)
    assert not set(leaf[both].tolist()) & set(leaf[~both].tolist())
