import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import gammainc, gammaincc
from scipy.stats import norm

from analysis.poisson import evidence, log_at_least, log_at_most
from tests.analysis.calibrated_twins import log_lower_tail, log_pmf, log_upper_tail, signed_evidence

counts = st.floats(1e-3, 3000)
means = st.floats(1e-3, 3000)


@settings(deadline=None)
@given(counts, means)
def test_tails_equal_the_incomplete_gamma_functions(count: float, mean: float) -> None:
    above, below = float(gammainc(count, mean)), float(gammaincc(count + 1, mean))
    if above > 1e-290:
        assert log_at_least(count, mean) == pytest.approx(math.log(above), rel=1e-9, abs=1e-9)
    if below > 1e-290:
        assert log_at_most(count, mean) == pytest.approx(math.log(below), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("count", "mean"), [(500, 30.0), (700, 60.0), (200.5, 0.7), (1100.25, 300.0), (40, 1e-8)]
)
def test_far_upper_tails_equal_the_sum_of_their_terms(count: float, mean: float) -> None:
    expected = log_upper_tail(count, mean)
    assert expected < -500
    assert log_at_least(count, mean) == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize(("count", "mean"), [(0, 800.0), (5, 900.0), (100, 1300.0), (1000, 3000.0)])
def test_far_lower_tails_equal_the_sum_of_their_terms(count: int, mean: float) -> None:
    expected = log_lower_tail(count, mean)
    assert expected < -700
    assert log_at_most(count, mean) == pytest.approx(expected, rel=1e-11)


@settings(deadline=None)
@given(st.integers(1, 3000), means)
def test_the_two_tails_of_a_whole_count_add_up_to_one(count: int, mean: float) -> None:
    # P(N <= c - 1) + P(N >= c) = 1
    total = math.exp(log_at_most(count - 1.0, mean)) + math.exp(log_at_least(float(count), mean))
    assert total == pytest.approx(1.0, abs=1e-10)


@settings(deadline=None)
@given(st.floats(1.0, 2000), st.floats(1e-3, 6000))
def test_one_count_more_adds_its_own_term(count: float, mean: float) -> None:
    # Q(c + 1, m) = Q(c, m) + m^c e^-m / Gamma(c + 1), far beyond where the tails themselves underflow.
    grown = np.logaddexp(log_at_most(count - 1, mean), log_pmf(count, mean))
    assert log_at_most(count, mean) == pytest.approx(grown, rel=1e-9, abs=1e-9)
    grown = np.logaddexp(log_at_least(count + 1, mean), log_pmf(count, mean))
    assert log_at_least(count, mean) == pytest.approx(grown, rel=1e-9, abs=1e-9)


@settings(deadline=None)
@given(counts, means, st.floats(1e-3, 10.0))
def test_tails_are_monotone_in_count_and_mean(count: float, mean: float, more: float) -> None:
    slack = 1e-9 * (1 + abs(log_at_least(count + more, mean)) + abs(log_at_most(count, mean + more)))
    assert log_at_least(count + more, mean) <= log_at_least(count, mean) + slack
    assert log_at_most(count + more, mean) >= log_at_most(count, mean) - slack
    assert log_at_least(count, mean + more) >= log_at_least(count, mean) - slack
    assert log_at_most(count, mean + more) <= log_at_most(count, mean) + slack


@settings(deadline=None)
@given(counts, means)
def test_logarithms_of_probabilities_do_not_pass_zero(count: float, mean: float) -> None:
    assert log_at_least(count, mean) <= 1e-9
    assert log_at_most(count, mean) <= 1e-9


def test_at_the_ends() -> None:
    assert log_at_least(0.0, 3.0) == log_at_least(-1.0, 3.0) == log_at_least(0.0, 0.0) == 0.0
    assert log_at_least(1.0, 0.0) == -math.inf
    assert log_at_most(-0.5, 3.0) == -math.inf
    assert log_at_most(0.0, 0.0) == log_at_most(4.0, 0.0) == 0.0
    assert evidence(0.0, 0.0) == 0.0
    assert evidence(2.0, 0.0) == math.inf
    assert log_at_most(0.0, 7.5) == pytest.approx(-7.5)  # P(N = 0) = e^-m
    assert log_at_least(1.0, 7.5) == pytest.approx(math.log1p(-math.exp(-7.5)))


@pytest.mark.parametrize("away", [-25.0, -6.0, -1.0, 0.0, 1.0, 6.0, 25.0])
def test_a_huge_mean_gives_the_normal_tail(away: float) -> None:
    # Cube-root transform of Wilson and Hilferty, with P(N <= c) = P(chi^2 of 2 (c + 1) degrees >= 2 m).
    mean = 1e6
    count = mean + away * math.sqrt(mean)
    for a, found, tail in (
        (count + 1, log_at_most(count, mean), norm.logsf),
        (count, log_at_least(count, mean), norm.logcdf),
    ):
        z = ((mean / a) ** (1 / 3) - (1 - 1 / (9 * a))) * 3 * math.sqrt(a)
        assert found == pytest.approx(float(tail(z)), rel=1e-4, abs=1e-6)


@settings(deadline=None)
@given(st.just(0.0) | counts, means)
def test_evidence_is_that_of_twice_the_smaller_tail(count: float, mean: float) -> None:
    found = evidence(count, mean)
    smaller = min(log_at_least(count, mean), log_at_most(count, mean))
    assert abs(found) == pytest.approx(max(0.0, -smaller - math.log(2)), abs=1e-9)
    if abs(found) > 1e-6:
        assert (found > 0) == (count > mean) or abs(count - mean) < 1.0  # the median is within 1 of the mean
    if smaller > -600:
        assert found == pytest.approx(signed_evidence(count, mean), rel=1e-8, abs=1e-8)


@settings(deadline=None)
@given(st.just(0.0) | st.floats(1e-3, 500), st.floats(0.01, 500), st.floats(1.0, 30.0))
def test_a_dispersion_never_makes_evidence_of_what_was_none(count: float, mean: float, phi: float) -> None:
    # Why a dispersion need not be looked up for pairs that could not pass without it.
    assert abs(evidence(count / phi, mean / phi)) <= max(abs(evidence(count, mean)), -math.log(0.01)) + 1e-9
