import numpy as np
import pytest

from analysis.bursts import LAGS, autocorrelations, dispersion
from analysis.kernel import use_threads
from tests.analysis.calibrated_twins import autocorrelations_within, firings_from, markov
from tests.analysis.planted import planted


def test_autocorrelations_equal_dense_sums() -> None:
    drawn = [planted(seed, n=n)[1] for seed, n in ((0, 300), (1, 40), (2, 3000))]
    found = autocorrelations(firings_from(drawn))
    np.testing.assert_allclose(found, autocorrelations_within(drawn), atol=1e-6)


def test_autocorrelations_are_those_of_numpy_but_for_the_ends() -> None:
    x = markov(np.random.default_rng(0), 20_000, np.array([0.1, 0.4]), 0.8)
    found = autocorrelations(firings_from([x]))
    for i in range(2):
        away = x[:, i] - x[:, i].mean()
        rho = [np.mean(away[:-k] * away[k:]) / away.var() for k in range(1, LAGS + 1)]
        # k of 20,000 tokens have nothing behind them, which moves a term by at most that share.
        np.testing.assert_allclose(found[i, :LAGS], rho, atol=2 * LAGS / 20_000)


def test_what_ends_a_replicate_does_not_last_into_the_next() -> None:
    x = np.zeros((100, 1))
    x[-1] = 1.0
    y = np.zeros((100, 1))
    y[0] = 1.0
    apart, together = (
        autocorrelations(firings_from([x, y])),
        autocorrelations(firings_from([np.concatenate([x, y])])),
    )
    rate = 2 / 200
    assert apart[0, 0] == pytest.approx(-rate / (1 - rate))
    assert together[0, 0] == pytest.approx((0.5 - rate) / (1 - rate))  # one of two firings is followed


def test_a_period_shows_at_its_multiples() -> None:
    x = np.zeros((7000, 1))
    x[::7] = 1.0
    rho = autocorrelations(firings_from([x]))[0, :LAGS]
    lag = np.arange(1, LAGS + 1)
    # -rate / (1 - rate) = -1/6 off the period; at its multiples 1, but for the last few of 1000 firings.
    np.testing.assert_allclose(rho[lag % 7 == 0], 1.0, atol=0.012)
    np.testing.assert_allclose(rho[lag % 7 != 0], -1 / 6, atol=1e-6)


def test_what_lasts_as_long_as_a_document_shows_in_the_spans() -> None:
    # Two features that fire at a fifth of the tokens of one in five documents of 300, each on its own.
    length, documents, pairs = 300, 200, 200
    rng = np.random.default_rng(2)
    occurs = np.repeat(rng.random((documents, 2 * pairs)) < 0.2, length, axis=0)
    states = (occurs & (rng.random(occurs.shape) < 0.2)).astype(np.float64)
    n = len(states)
    rate = states.mean(axis=0)
    i, j = states[:, ::2], states[:, 1::2]
    met = (i * j).sum(axis=0) - n * rate[::2] * rate[1::2]
    simulated = (met / np.sqrt(n * (rate * (1 - rate))[::2] * (rate * (1 - rate))[1::2])).var()
    rho = autocorrelations(firings_from([states]))
    phi = np.array([dispersion(rho[a], rho[a + 1]) for a in range(0, 2 * pairs, 2)])
    near = np.array([dispersion(rho[a, :LAGS], rho[a + 1, :LAGS]) for a in range(0, 2 * pairs, 2)])
    # 200 pairs: the standard error of a variance is a share of sqrt(2 / 200) = 0.1; four of them.
    assert phi.mean() == pytest.approx(simulated, rel=0.4)
    assert near.mean() < simulated / 1.5


def test_silent_features_and_those_that_always_fire_have_none() -> None:
    x = np.zeros((50, 3))
    x[:, 1] = 1.0
    x[20, 2] = 1.0
    found = autocorrelations(firings_from([x]))
    assert (found[:2] == 0).all()
    np.testing.assert_allclose(found[2, :LAGS], -0.02 / 0.98, rtol=1e-5)
    assert (found[2, LAGS:] == 0).all()  # no token is so far behind the one at which it fires


def test_dispersion_is_symmetric_and_never_below_one() -> None:
    rng = np.random.default_rng(0)
    rho = rng.normal(0, 0.2, (40, LAGS)).astype(np.float32)
    for a, b in zip(rho[:20], rho[20:], strict=True):
        expected = max(1.0, 1 + 2 * float(a.astype(float) @ b.astype(float)))
        assert dispersion(a, b) == dispersion(b, a) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("lasts", [0.0, 0.7, 0.9])
def test_dispersion_is_that_of_counts_of_chains(lasts: float) -> None:
    # Bartlett: 1 + 2 sum_k (lasts^k)^2 = (1 + lasts^2) / (1 - lasts^2) for two chains alike.
    expected = (1 + lasts**2) / (1 - lasts**2)
    n, chains = 3000, 800
    rate = np.full(chains, 0.2)
    states = markov(np.random.default_rng(1), n, rate, lasts)
    i, j = states[:, ::2], states[:, 1::2]
    excess = (i * j).sum(axis=0) - i.sum(axis=0) * j.sum(axis=0) / n
    simulated = excess.var() / (n * (0.2 * 0.8) ** 2)
    # 400 pairs: the standard error of a variance is a share of sqrt(2 / 400) = 0.07; four of them.
    assert simulated == pytest.approx(expected, rel=0.28)
    rho = autocorrelations(firings_from([states]))
    phi = [dispersion(rho[a], rho[a + 1]) for a in range(0, chains, 2)]
    assert np.mean(phi) == pytest.approx(expected, rel=0.1)


def test_the_same_bytes_for_any_number_of_threads() -> None:
    firings = firings_from([planted(3)[1]])
    most = use_threads(None)
    try:
        use_threads(1)
        one = autocorrelations(firings)
    finally:
        use_threads(most)
    assert one.tobytes() == autocorrelations(firings).tobytes()
