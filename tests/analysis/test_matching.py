import numpy as np

from analysis.matching import match

RATE = np.array([0.1, 0.11, 0.14, 0.5, 0.09])
COSINE = np.array([0.8, 0.1, 0.6, 0.8, 0.5])


def of(*features: int) -> np.ndarray:
    return np.isin(np.arange(5), features)


def test_among_those_that_fire_as_often_the_cosine_decides() -> None:
    assert match(0, of(1, 2, 3, 4), RATE, COSINE, np.random.default_rng(0)) == 2


def test_where_none_fires_as_often_the_rate_decides() -> None:
    rate = np.array([0.01, 0.11, 0.14, 0.5, 0.09])
    assert match(0, of(1, 2, 3, 4), rate, COSINE, np.random.default_rng(0)) == 4


def test_without_any_there_is_none() -> None:
    assert match(0, of(), RATE, COSINE, np.random.default_rng(0)) is None


def test_among_equals_the_seed_decides() -> None:
    alike = np.full(5, 0.1)
    chosen = [match(0, of(1, 2, 3, 4), alike, np.zeros(5), np.random.default_rng(seed)) for seed in range(40)]
    assert set(chosen) == {1, 2, 3, 4}
    assert match(0, of(1, 2), alike, alike, np.random.default_rng(3)) == match(
        0, of(1, 2), alike, alike, np.random.default_rng(3)
    )
