"""Crowded tokens in every kernel: where all loadings are one, both forms of activity say the same."""

import math

import numpy as np
import pytest

from analysis.activations import Float64
from analysis.background import Background, background_of
from analysis.bursts import autocorrelations
from analysis.calibrated import CalibratedSettings, dependence_of, screen_states
from analysis.columns import columns_of, moments_of
from analysis.excess import screen_excess
from analysis.firings import firings_of, states_of
from analysis.loadings import LEAST_FACTOR, factor_of
from analysis.nodewise import PathSettings, nodewise
from analysis.redraw import redrawn
from bench.truth.crowd import Crowds
from bench.truth.family import tokens_of
from tests.analysis.calibrated_twins import firings_from
from tests.analysis.naive import Dense, dense, sparse
from tests.analysis.planted import planted

EQUAL = 0.6
CROWDED = math.sqrt(math.expm1(EQUAL**2))
"""Of equal loadings: exp(EQUAL^2) = 1 + CROWDED^2."""


def drawn() -> Dense:
    return np.concatenate([planted(0, n=1500)[1], planted(1, n=1500)[1]])


def test_the_factor_is_that_of_either_form() -> None:
    for product in (-0.9, -0.1, 0.0, 0.7, 3.0):
        assert factor_of(product, 0.0) == pytest.approx(math.exp(product))
        assert factor_of(product, 0.01) == pytest.approx(1 + product)
    assert factor_of(-5.0, 0.01) == LEAST_FACTOR


def test_screen_and_regressions_and_tests_take_either() -> None:
    firings = firings_from([drawn()])
    lasting = autocorrelations(firings)
    part = (firings.count >= 5) & (firings.count < firings.n_tokens)
    equal, crowded = np.full(30, EQUAL), np.full(30, CROWDED)
    one = screen_excess(firings, equal, lasting, part)
    other = screen_excess(firings, crowded, lasting, part, crowd=0.1)
    np.testing.assert_array_equal(one.feature, other.feature)
    np.testing.assert_allclose(one.correlation, other.correlation, rtol=1e-9)
    states = states_of(firings)
    fits = [
        nodewise(states, moments_of(states), one, PathSettings(), loading, crowd, refit=True)
        for loading, crowd in ((equal, 0.0), (crowded, 0.1))
    ]
    np.testing.assert_allclose(fits[0].coefficient, fits[1].coefficient, atol=1e-9)
    found = [
        dependence_of(firings, Background(loading, lasting, crowd), CalibratedSettings(PathSettings()))
        for loading, crowd in ((equal, 0.0), (crowded, 0.1))
    ]
    assert len(found[0].source) > 10
    for name in ("source", "target", "q_value", "partial_correlation"):
        np.testing.assert_allclose(getattr(found[0], name), getattr(found[1], name), rtol=1e-9)
    plain = dependence_of(firings, Background(np.zeros(30), lasting), CalibratedSettings(PathSettings()))
    assert len(plain.source) != len(found[0].source) or (plain.q_value != found[0].q_value).any()


def test_redrawn_features_meet_at_crowded_tokens_as_their_loadings_say() -> None:
    n, features, crowd = 20_000, 300, 0.1
    rng = np.random.default_rng(0)
    x = np.zeros((n, features))
    for i in range(features):
        # Far apart, so that each firing is drawn on its own.
        x[np.arange(80) * 250 + rng.integers(0, 10, 80), i] = 1.0
    kinds = (-0.3, 0.0, 0.8, 2.0)
    loading = rng.choice(kinds, features)
    states = dense(redrawn(columns_of(sparse(x)), loading, 0, 0, 0, crowd))
    assert (states.sum(axis=0) == 80).all()
    together = states.T @ states
    for a, one in enumerate(kinds):
        for other in kinds[a:]:
            pairs = np.outer(loading == one, loading == other)
            pairs = np.triu(pairs | pairs.T, 1)
            expected = pairs.sum() * 80 * 80 / n * (1 + one * other)
            # A token that is taken is drawn again: 0.4 % of all, up to 2.6 % of the crowded ones.
            assert together[pairs].sum() == pytest.approx(expected, rel=4 / math.sqrt(expected) + 0.03)


def test_noise_with_crowded_tokens_keeps_nothing() -> None:
    family = Crowds(0, 600, in_trees=0.0)
    firings = firings_of([columns_of(family.draw(tokens_of(0, k), 16_000)) for k in range(6)])
    background = background_of(firings)
    settings = CalibratedSettings(PathSettings())
    assert background.crowd > 0
    found = dependence_of(firings, background, settings)
    assert (found.q_value <= 0.1).sum() <= 1
    assert found.candidates.passed < 100
    without: Float64 = np.zeros(600)
    assert screen_states(firings, background._replace(loading=without, crowd=0.0), settings)[1].passed > 1000
