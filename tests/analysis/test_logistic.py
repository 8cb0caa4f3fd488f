from typing import NamedTuple

import numpy as np
import pytest
from scipy.linalg import eigh
from sklearn.linear_model import LogisticRegression

from analysis.activations import Int32
from analysis.firings import Firings
from analysis.left_out import leave_out
from analysis.logistic import (
    RIDGE,
    Design,
    Response,
    add_gradient,
    add_information,
    chance,
    design_of,
    fit_logistic,
    log_odds,
)
from tests.analysis.calibrated_twins import (
    Members,
    design_matrix,
    firings_from,
    left_out,
    logistic_fit,
    states_of_feature,
)
from tests.analysis.naive import Dense
from tests.analysis.planted import planted

MIXED = {0: True, 1: False, 4: True, 7: False, 8: True}


class Fit(NamedTuple):
    theta: Dense
    p: Dense
    information: Dense
    converged: bool
    design: Design
    row_of: Int32


def firings_of_planted(seed: int) -> Firings:
    return firings_from([planted(seed)[1], planted(seed + 10, n=300)[1]])


def fit(firings: Firings, i: int, members: Members, tolerance: float = 1e-9) -> Fit:
    """Fit, with the probability at every token and both halves of the information."""
    row_of = np.full(firings.n_tokens, -1, np.int32)
    names = np.array(sorted(members), np.int64)
    graded = np.array([members[j] for j in sorted(members)], bool)
    design = design_of(names, graded, firings.start, firings.token, firings.level, row_of)
    fires = states_of_feature(firings, i)
    inside = fires[design.token].astype(np.float32)
    response = Response(inside, float(firings.n_tokens - len(inside)), float(fires.sum() - inside.sum()))
    size = int(design.column[-1])
    theta, p, information = np.zeros(size), np.zeros(len(inside)), np.zeros((size, size))
    converged = fit_logistic(design, response, theta, tolerance, p, information)
    everywhere = np.full(firings.n_tokens, chance(theta[0]))
    everywhere[design.token] = p
    lower = np.tril(information)
    return Fit(theta, everywhere, lower + np.tril(lower, -1).T, converged, design, row_of)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "members", [{}, {1: False}, {1: True}, MIXED], ids=["none", "plain", "graded", "mixed"]
)
def test_a_fit_equals_newton_on_the_dense_design(seed: int, members: Members) -> None:
    firings = firings_of_planted(seed)
    found, twin = fit(firings, 2, members), logistic_fit(firings, 2, members)
    assert found.converged
    np.testing.assert_allclose(found.theta, twin.theta, atol=1e-6)
    np.testing.assert_allclose(found.p, twin.p, atol=1e-7)
    np.testing.assert_allclose(found.information, twin.information, rtol=1e-5, atol=1e-5)


def test_a_fit_equals_scikit_learn() -> None:
    firings = firings_of_planted(0)
    x = design_matrix(firings, MIXED)
    model = LogisticRegression(C=1 / RIDGE, solver="newton-cholesky", tol=1e-12, max_iter=1000)
    model.fit(x[:, 1:], states_of_feature(firings, 2))
    found = fit(firings, 2, MIXED)
    np.testing.assert_allclose(found.theta, [*model.intercept_, *model.coef_[0]], atol=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_the_gradient_vanishes(seed: int) -> None:
    firings = firings_of_planted(seed)
    found = fit(firings, 2, MIXED)
    gradient = design_matrix(firings, MIXED).T @ (states_of_feature(firings, 2) - found.p)
    gradient[1:] -= RIDGE * found.theta[1:]
    np.testing.assert_allclose(gradient, 0, atol=1e-5)
    # That of the constant, which is not penalised: as many firings are foretold as there are.
    assert found.p.sum() == pytest.approx(firings.count[2])


@pytest.mark.parametrize("dropped", range(5))
def test_a_member_is_left_out_as_by_the_quadratic_elsewhere(dropped: int) -> None:
    firings = firings_of_planted(1)
    found = fit(firings, 2, MIXED)
    j = sorted(MIXED)[dropped]
    tokens = firings.token[firings.start[j] : firings.start[j + 1]]
    theta, information = found.theta.copy(), np.tril(found.information)
    state = states_of_feature(firings, 2)
    silent = found.row_of < 0
    outside = float(silent.sum()), float(state[silent].sum())
    assert leave_out(
        dropped,
        tokens,
        found.design,
        found.row_of,
        state.astype(np.int8),
        outside,
        theta,
        information,
        1e-9,
    )
    gone = np.arange(found.design.column[dropped], found.design.column[dropped + 1])
    assert (theta[gone] == 0).all()
    twin, expected = left_out(firings, 2, MIXED, j)
    np.testing.assert_allclose(np.delete(theta, gone), twin, atol=1e-6)
    factor = np.tril(np.delete(np.delete(information, gone, 0), gone, 1))
    # It may be that of an earlier step, within a tenth of the log odds in every coefficient.
    share = eigh(factor @ factor.T, expected, eigvals_only=True)
    assert np.abs(np.log(share)).max() < 0.1
    np.testing.assert_array_equal(information[np.ix_(gone, gone)], np.eye(len(gone)))
    if j not in (0, 1):  # those depend on feature 2 as strongly as anything here
        without = logistic_fit(firings, 2, {m: graded for m, graded in MIXED.items() if m != j})
        np.testing.assert_allclose(twin, without.theta, atol=0.02)


def test_rows_are_the_tokens_at_which_a_member_fires() -> None:
    firings = firings_of_planted(2)
    design = fit(firings, 2, MIXED).design
    x = design_matrix(firings, MIXED)
    assert sorted(design.token.tolist()) == np.flatnonzero(x[:, 1:].any(axis=1)).tolist()
    assert design.column.tolist() == [1, 4, 5, 8, 9, 12]
    fires = np.column_stack([states_of_feature(firings, j) for j in sorted(MIXED)])
    width = np.diff(design.column)
    for row, t in enumerate(design.token):
        entries = slice(design.start[row], design.start[row + 1])
        of = [np.arange(design.column[a], design.column[a + 1]) for a in np.flatnonzero(fires[t])]
        assert design.place[entries].tolist() == np.concatenate(of).tolist()
        np.testing.assert_allclose(design.value[entries], x[t, np.concatenate(of)], rtol=1e-6)
    assert len(design.value) == (fires @ width).sum()


def test_a_row_s_odds_gradient_and_information_are_those_of_the_dense_row() -> None:
    firings = firings_of_planted(2)
    found = fit(firings, 2, MIXED)
    size = len(found.theta)
    for row, t in [(-1, -1), *list(enumerate(found.design.token))[:40]]:
        dense = design_matrix(firings, MIXED)[t] if row >= 0 else np.eye(size)[0]
        assert log_odds(found.design, row, found.theta) == pytest.approx(dense @ found.theta, abs=1e-5)
        gradient = np.ones(size)
        add_gradient(found.design, row, -0.25, gradient)
        np.testing.assert_allclose(gradient, 1 - 0.25 * dense, atol=1e-6)
        if row >= 0:
            information = np.zeros((size, size))
            add_information(found.design, row, 0.25, information)
            np.testing.assert_allclose(information, np.tril(0.25 * np.outer(dense, dense)), atol=1e-5)


@pytest.mark.parametrize("copies", ["same", "opposite", "always"])
def test_separation_stays_finite(copies: str) -> None:
    rng = np.random.default_rng(0)
    fires = rng.random(2000) < 0.1
    x = rng.random((2000, 4)) < 0.05
    x[:, 0] = fires
    x[:, 1] = {"same": fires, "opposite": ~fires, "always": np.ones(2000, bool)}[copies]
    found = fit(firings_from([x * rng.exponential(1.0, x.shape)]), 0, {1: True, 2: False}, tolerance=1e-3)
    assert found.converged
    assert np.isfinite(found.theta).all()
    assert (np.linalg.eigvalsh(found.information) > 0).all()
    if copies == "same":
        assert found.p[fires].min() > 0.95
        assert found.p[~fires].max() < 0.05


@pytest.mark.parametrize("fires", [0, 1, 2000])
def test_features_that_hardly_ever_or_always_fire_stay_finite(fires: int) -> None:
    rng = np.random.default_rng(0)
    x = (rng.random((2000, 4)) < 0.1).astype(np.float64)
    x[:, 0] = np.arange(2000) < fires
    found = fit(firings_from([x]), 0, {1: True, 2: False, 3: True}, tolerance=1e-3)
    assert np.isfinite(found.theta).all()
    assert found.p.sum() == pytest.approx(fires, abs=0.1)


def test_steps_that_run_out_are_told() -> None:
    assert not fit(firings_of_planted(0), 2, MIXED, tolerance=0.0).converged


def test_chances_are_kept_off_their_ends() -> None:
    assert chance(0.0) == 0.5
    assert chance(1.5) == pytest.approx(1 - chance(-1.5))
    assert chance(1e9) == 1 - 1e-12
    assert chance(-1e9) == 1e-12


@pytest.mark.parametrize("members", [{}, {1: False}], ids=["none", "one"])
def test_a_fit_that_starts_at_its_end_has_converged(members: Members) -> None:
    # Half of the tokens, and half of those of the member: the gradient is 0 from the first.
    x = np.zeros((400, 2))
    x[::2, 0] = x[:200, 1] = 1.0
    found = fit(firings_from([x]), 0, members)
    assert found.converged
    assert (found.theta == 0).all()
    assert (found.p == 0.5).all()


def test_to_leave_out_what_says_nothing_changes_nothing() -> None:
    # The gradient without the member is 0 from the first, as its coefficient is.
    x = np.zeros((400, 2))
    x[::2, 0] = x[:200, 1] = 1.0
    firings = firings_from([x])
    found = fit(firings, 0, {1: False})
    theta, information = found.theta.copy(), np.tril(found.information)
    tokens, state = firings.token[firings.start[1] :], x[:, 0].astype(np.int8)
    assert leave_out(0, tokens, found.design, found.row_of, state, (200.0, 100.0), theta, information, 1e-9)
    assert (theta == 0).all()
    assert np.tril(information)[0, 0] == pytest.approx(10.0)  # the root of 400 tokens of variance a quarter
