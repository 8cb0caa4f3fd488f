import numpy as np
import pytest

from analysis.activations import Columns
from analysis.columns import columns_of
from analysis.errors import DataError
from analysis.firings import MOST_LEVEL, Firings, firings_of, level_of, states_of, strength_of
from tests.analysis.calibrated_twins import firings_from, levels, strengths
from tests.analysis.naive import Dense, dense, sparse
from tests.analysis.planted import planted


def replicates() -> list[Dense]:
    """Three replicates of different lengths; a feature may be silent in some of them."""
    drawn = [planted(seed, n=n)[1] for seed, n in ((0, 120), (1, 40), (2, 200))]
    drawn[1][:, 4] = 0.0
    return drawn


def by_feature(firings: Firings) -> dict[int, list[tuple[int, int]]]:
    entries = {}
    for i in range(firings.n_features):
        of = slice(firings.start[i], firings.start[i + 1])
        entries[i] = list(zip(firings.token[of].tolist(), firings.level[of].tolist(), strict=True))
    return entries


def test_replicates_end_to_end_equal_a_dictionary_of_lists() -> None:
    drawn = replicates()
    twin: dict[int, tuple[list[int], list[float]]] = {i: ([], []) for i in range(30)}
    first = 0
    for x in drawn:
        for t, i in np.argwhere(x > 0).tolist():
            twin[i][0].append(first + t)
            twin[i][1].append(float(x[t, i]))
        first += len(x)
    found = firings_from(drawn)
    assert by_feature(found) == {
        i: list(zip(tokens, levels(np.array(values)), strict=True)) for i, (tokens, values) in twin.items()
    }
    assert found.bounds.tolist() == [0, 120, 160, 360]
    assert (found.n_tokens, found.n_features) == (360, 30)
    assert found.token.dtype == np.int32
    assert found.level.dtype == np.int8
    np.testing.assert_array_equal(found.count, sum((x > 0).sum(axis=0) for x in drawn))


def test_laying_end_to_end_is_the_same_as_having_drawn_at_once() -> None:
    drawn = replicates()
    apart, together = firings_from(drawn), firings_from([np.concatenate(drawn)])
    for name in ("start", "token", "level"):
        np.testing.assert_array_equal(getattr(apart, name), getattr(together, name))


def test_levels_are_standardised_whatever_the_unit_and_the_law() -> None:
    rng = np.random.default_rng(0)
    x = np.zeros((3000, 3))
    x[::2, 0] = rng.lognormal(1.0, 0.7, 1500)
    x[:, 1] = x[:, 0] ** 3 * 1024
    x[::2, 2] = np.exp(np.clip(rng.standard_t(1.5, 1500), -40, 40))
    found = firings_from([x])
    of = [strengths(found.level[found.start[i] : found.start[i + 1]]) for i in range(3)]
    # Steps are (1 + |z|)^2 / 127, so a standard normal one is rounded by at most some 1 / 40 on average.
    for z in of:
        assert abs(z.mean()) < 1 / 40
        assert z.std() == pytest.approx(1.0, abs=1 / 40)
    np.testing.assert_array_equal(of[0], of[1])
    assert np.abs(found.level).max() <= MOST_LEVEL
    assert (np.diff(of[0][np.argsort(x[::2, 0], kind="stable")]) >= 0).all()


def test_a_single_firing_or_a_single_value_has_level_zero() -> None:
    x = np.zeros((10, 3))
    x[4, 0] = 5.0
    x[:, 1] = 0.3
    assert firings_from([x]).level.tolist() == [0] * 11


def test_an_outlier_moves_no_other_level() -> None:
    x = np.random.default_rng(0).lognormal(0.0, 0.5, (2000, 1))
    x[7] = x.max() * 1.01
    plain = firings_from([x]).level
    x[7] = 1e30
    np.testing.assert_array_equal(firings_from([x]).level, plain)


def test_a_level_stands_for_a_strength_that_has_this_level() -> None:
    for level in range(-MOST_LEVEL, MOST_LEVEL + 1):
        assert level_of(float(np.float32(strength_of(np.int8(level))))) == level
    z = np.linspace(-8, 8, 1001)
    assert all(abs(strength_of(level_of(at)) - at) <= 0.51 * (1 + abs(at)) ** 2 / 127 * 1.1 for at in z)


def test_states_are_one_where_a_feature_fires() -> None:
    drawn = replicates()
    states = states_of(firings_from(drawn))
    np.testing.assert_array_equal(dense(states), np.concatenate(drawn) > 0)


def test_a_replicate_may_be_silent() -> None:
    drawn = replicates()
    silent = np.zeros((50, 30))
    found = firings_from([silent, drawn[0], silent])
    alone = firings_from([drawn[0]])
    np.testing.assert_array_equal(found.token, alone.token + 50)
    np.testing.assert_array_equal(found.level, alone.level)


def test_more_tokens_than_a_token_number_can_hold_are_refused() -> None:
    short = columns_of(sparse(np.eye(3)))
    long = Columns(short.start, short.token, short.value, 2**30)
    assert firings_of([long]).n_tokens == 2**30
    with pytest.raises(DataError, match=r"2,147,483,648 tokens.*2,147,483,647.*fewer replicates"):
        firings_of([long, long])
