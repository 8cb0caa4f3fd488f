import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.firings import MOST_LEVEL, PLACES
from analysis.steps import MOST_STEPS, set_steps
from tests.analysis.calibrated_twins import steps_of, strengths

LEVEL = np.arange(-MOST_LEVEL, MOST_LEVEL + 1)


def found(level: NDArray[np.int64], fired: NDArray[np.bool_]) -> list[int]:
    """Lowest level above each step."""
    step = np.empty(MOST_STEPS, np.int16)
    tokens = np.bincount(level + MOST_LEVEL, minlength=PLACES).astype(np.float64)
    of_these = np.bincount(level[fired] + MOST_LEVEL, minlength=PLACES).astype(np.float64)
    set_steps(tokens, of_these, step)
    return [int(place) - MOST_LEVEL for place in step if place < PLACES]


def drawn(rng: np.random.Generator, n: int) -> NDArray[np.int64]:
    z = rng.standard_normal(n)
    level: NDArray[np.int64] = np.rint((MOST_LEVEL + 1) * z / (1 + np.abs(z))).astype(np.int64)
    return level


@pytest.mark.parametrize("seed", range(6))
def test_steps_equal_the_twin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    level = drawn(rng, 3000)
    z = strengths(level)
    limits = rng.normal(size=seed % 3 + 1)
    share = 0.02 + 0.4 / (1 + np.exp(2 - z)) * (seed % 2) + 0.3 * (z[:, np.newaxis] > limits).sum(axis=1)
    fired = rng.random(len(level)) < np.minimum(share, 0.98)
    assert len(found(level, fired)) >= 1
    assert found(level, fired) == steps_of(level, fired)


@pytest.mark.parametrize("limit", [-60, -20, 0, 1, 35, 70])
def test_a_limit_is_found_wherever_it_is(limit: int) -> None:
    rng = np.random.default_rng(limit + 100)
    level = drawn(rng, 20_000)
    fired = rng.random(len(level)) < np.where(level >= limit, 0.9, 0.01)
    # Beside the limit only a few levels could be taken for it, whose tokens happen to fire like the others.
    nearest = min(found(level, fired), key=lambda step: abs(step - limit))
    assert abs(nearest - limit) <= 1


def test_two_limits_make_a_band() -> None:
    rng = np.random.default_rng(0)
    level = drawn(rng, 20_000)
    fired = rng.random(len(level)) < np.where((level >= -10) & (level < 30), 0.9, 0.01)
    assert {-10, 30} <= set(found(level, fired))


def test_what_changes_smoothly_has_no_steps() -> None:
    steps = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        level = drawn(rng, 4000)
        z = strengths(level)
        eta = rng.normal(-2, 1) + rng.normal() * z + 0.3 * rng.normal() * (z * z - 1)
        steps += len(found(level, rng.random(len(level)) < 1 / (1 + np.exp(-eta))))
    # The largest of some dozen chi-squares that are nearly independent, each above the limit once in 10,000.
    assert steps <= 2


@pytest.mark.parametrize("fired", [0, 1], ids=["never", "always"])
def test_what_never_or_always_fires_has_no_steps(fired: int) -> None:
    assert found(LEVEL, np.full(len(LEVEL), fired > 0)) == []


def test_one_level_has_no_steps() -> None:
    level = np.zeros(500, np.int64)
    assert found(level, np.arange(500) % 2 > 0) == []


def test_no_tokens_have_no_steps() -> None:
    assert found(LEVEL[:0], np.zeros(0, bool)) == []
