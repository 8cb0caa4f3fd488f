import numpy as np
import pytest

from analysis.coactivation import coactivation
from analysis.columns import columns_of
from analysis.contexts import strongest
from analysis.dictionary import decoder_cosines
from analysis.feature_table import FeatureSums
from analysis.token_mass import CAP, TokenMass
from tests.analysis.naive import sparse
from tests.analysis.planted import planted


@pytest.mark.parametrize("seed", range(3))
def test_coactivation_equals_the_dense_count(seed: int) -> None:
    activations, x = planted(seed)
    source, target = np.triu_indices(x.shape[1], 1)
    both = coactivation(columns_of(activations), source.astype(np.int32), target.astype(np.int32))
    fires = (x > 0).astype(int)
    np.testing.assert_array_equal(both, (fires.T @ fires)[source, target])


def test_feature_sums_equal_the_dense_ones_over_two_replicates() -> None:
    (a, x), (b, y) = planted(0), planted(1)
    sums = FeatureSums.none(x.shape[1]).plus(columns_of(a), 5).plus(columns_of(b), 5)
    both = np.concatenate([x, y])
    assert sums.tokens == len(both)
    np.testing.assert_array_equal(sums.count, (both > 0).sum(axis=0))
    np.testing.assert_allclose(sums.total, both.sum(axis=0))
    np.testing.assert_allclose(sums.largest, both.max(axis=0))
    expected = ((x > 0).sum(axis=0) >= 5).astype(int) + ((y > 0).sum(axis=0) >= 5)
    np.testing.assert_array_equal(sums.replicates, expected)


@pytest.mark.parametrize("seed", range(4))
def test_strongest_firings_come_from_different_sequences(seed: int) -> None:
    _, x = planted(seed)
    x = np.round(x * 4) / 4 + 0.25 * (x > 0)  # ties
    sequence = (np.arange(len(x)) // 13).astype(np.int32)
    found = strongest(columns_of(sparse(x)), sequence, 4)
    for i in range(x.shape[1]):
        best: dict[int, float] = {}
        for t in np.flatnonzero(x[:, i]):
            best[int(sequence[t])] = max(best.get(int(sequence[t]), 0.0), x[t, i])
        expected = sorted(best.values(), reverse=True)[:4]
        got = found.value[i][found.value[i] > 0]
        np.testing.assert_allclose(got, expected)
        assert len(set(found.sequence[i, : len(got)].tolist())) == len(got)
        for value, t, origin in zip(got, found.token[i], found.sequence[i], strict=False):
            assert x[t, i] == value
            assert sequence[t] == origin


def test_cosines_of_pairs() -> None:
    decoder = np.array([[3, 0], [1, 1], [0, 2], [0, 0]], np.float32)
    source, target = np.array([0, 0, 1, 0], np.int32), np.array([1, 2, 2, 3], np.int32)
    found = decoder_cosines(decoder, source, target, block=2)
    np.testing.assert_allclose(found[:3], [np.sqrt(0.5), 0, np.sqrt(0.5)], atol=1e-7)
    assert np.isnan(found[3])


@pytest.mark.parametrize("seed", range(3))
def test_token_mass_equals_a_dictionary(seed: int) -> None:
    rng = np.random.default_rng(seed)
    found = TokenMass.none(30)
    twin: dict[tuple[int, int], float] = {}
    for part in (0, 1):
        activations, x = planted(10 * seed + part)
        ids = rng.integers(0, 40, len(x)).astype(np.int32)
        found = found.plus(columns_of(activations), ids)
        for t, i in zip(*np.nonzero(x), strict=True):
            twin[i, ids[t]] = twin.get((i, ids[t]), 0.0) + x[t, i]
    for i in range(30):
        row = {int(k): m for k, m in zip(found.token_id[i], found.mass[i], strict=True) if k >= 0}
        assert row == pytest.approx({int(k): m for (j, k), m in twin.items() if j == i})


def test_token_mass_keeps_the_heaviest_of_too_many_tokens() -> None:
    x = np.arange(1.0, CAP + 51)[:, np.newaxis]
    found = TokenMass.none(1).plus(columns_of(sparse(x)), np.arange(CAP + 50, dtype=np.int32))
    np.testing.assert_array_equal(found.token_id[0], np.arange(50, CAP + 50))
    np.testing.assert_array_equal(found.mass[0], np.arange(51.0, CAP + 51))
