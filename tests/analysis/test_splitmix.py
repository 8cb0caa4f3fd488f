import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import chisquare, kstest

from analysis.kernel import kernel
from analysis.splitmix import below, bits_of, entropy_of, normal, stream_of

MASK = 2**64 - 1


def splitmix(state: int) -> tuple[int, int]:
    """One step in whole numbers of any length (Steele, Lea and Flood 2014, figure 17)."""
    state = (state + 0x9E3779B97F4A7C15) & MASK
    z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return state, z ^ (z >> 31)


@kernel
def many_below(state: np.uint64, bound: int, count: int) -> NDArray[np.int64]:
    drawn = np.empty(count, np.int64)
    for k in range(count):
        state, drawn[k] = below(state, bound)
    return drawn


@kernel
def many_normal(state: np.uint64, count: int) -> NDArray[np.float64]:
    drawn = np.empty(count)
    for k in range(count):
        state, drawn[k] = normal(state)
    return drawn


def test_bits_are_the_published_ones() -> None:
    # The first outputs for the seed 1234567, as printed beside the reference implementation.
    expected = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    state, found = np.uint64(1234567), []
    for _ in expected:
        state, bits = bits_of(state)
        state = np.uint64(state)
        found.append(int(bits))
    assert found == expected


@settings(deadline=None)
@given(st.integers(0, MASK))
def test_a_step_equals_that_of_whole_numbers(state: int) -> None:
    after, bits = bits_of(np.uint64(state))
    assert (int(after), int(bits)) == splitmix(state)


@settings(deadline=None)
@given(st.integers(0, MASK), st.one_of(st.integers(1, 100), st.integers(1, 2**32)))
def test_a_number_below_a_bound_is_the_bits_times_the_bound(state: int, bound: int) -> None:
    after, drawn = below(np.uint64(state), bound)
    expected, bits = splitmix(state)
    assert int(after) == expected
    assert drawn == bits * bound >> 64


def test_numbers_below_a_bound_are_equally_likely() -> None:
    drawn = many_below(np.uint64(stream_of(entropy_of(0), 0)), 37, 100_000)
    assert chisquare(np.bincount(drawn, minlength=37)).pvalue > 1e-4


def test_normal_draws_are_normal() -> None:
    drawn = many_normal(np.uint64(stream_of(entropy_of(1), 0)), 100_000)
    assert kstest(drawn, "norm").pvalue > 1e-4
    # The fourth moment, 3, has a standard error of sqrt(96 / n).
    assert (drawn**4).mean() == pytest.approx(3, abs=4 * math.sqrt(96 / 100_000))


def test_streams_of_features_and_of_seeds_are_apart() -> None:
    streams = {int(stream_of(entropy_of(seed, 1, 2), i)) for seed in range(20) for i in range(500)}
    assert len(streams) == 10_000
    assert entropy_of(1, 2, 3) != entropy_of(3, 2, 1)
    drawn = np.array([many_normal(np.uint64(stream_of(entropy_of(0), i)), 2000) for i in range(30)])
    r = np.corrcoef(drawn)[np.triu_indices(30, 1)]
    assert np.abs(r).max() < 4.5 / math.sqrt(2000)
