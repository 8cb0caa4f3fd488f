from typing import NamedTuple

import numpy as np
import pytest
from scipy.linalg import eigh
from sklearn.linear_model import LogisticRegression

from analysis.activations import Int32
from analysis.cells import cells_of
from analysis.design import (
    Design,
    add_gradient,
    add_information,
    chance,
    design_of,
    log_odds,
    rows_of,
)
from analysis.firings import Firings
from analysis.left_out import leave_out
from analysis.logistic import RIDGE, fires_of, fit_logistic
from tests.analysis.calibrated_twins import (
    Members,
    design_matrix,
    firings_from,
    left_out,
    logistic_fit,
    states_of_feature,
)
from tests.analysis.naive import Dense
from tests.analysis.planted import planted, steep

MIXED = {0: True, 1: False, 4: True, 7: False, 8: True}
STEEP = dict.fromkeys(range(1, 5), True)


class Fit(NamedTuple):
    theta: Dense
    p: Dense
    information: Dense
    converged: bool
    design: Design
    row_of: Int32

    @property
    def at_tokens(self) -> Dense:
        """The probability at every token."""
        return self.p[self.row_of]


def firings_of_planted(seed: int) -> Firings:
    return firings_from([planted(seed)[1], planted(seed + 10, n=300)[1]])


def rows_for(firings: Firings, i: int, members: Members) -> tuple[Design, Int32]:
    """The rows of some members in the regression of `i`, and the row of each token."""
    row_of = np.zeros(firings.n_tokens, np.int32)
    names = np.array(sorted(members), np.int64)
    graded = np.array([members[j] for j in sorted(members)], bool)
    fires = states_of_feature(firings, i).astype(np.int8)
    lists = firings.start, firings.token, firings.level
    cell, step = cells_of(names, graded, *lists, fires)
    return design_of(names, graded, cell, step, *lists, row_of), row_of


def tokens_of(firings: Firings, i: int) -> Int32:
    return firings.token[firings.start[i] : firings.start[i + 1]]


def fit(firings: Firings, i: int, members: Members, tolerance: float = 1e-9) -> Fit:
    """Fit, with both halves of the information."""
    design, row_of = rows_for(firings, i, members)
    fires = fires_of(tokens_of(firings, i), row_of, len(design.tokens))
    size = int(design.column[-1])
    theta, p, information = np.zeros(size), np.zeros(len(fires)), np.zeros((size, size))
    converged = fit_logistic(design, fires, tolerance, theta, p, information)
    lower = np.tril(information)
    return Fit(theta, p, lower + np.tril(lower, -1).T, converged, design, row_of)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "members", [{}, {1: False}, {1: True}, MIXED], ids=["none", "plain", "graded", "mixed"]
)
def test_a_fit_equals_newton_on_the_dense_design(seed: int, members: Members) -> None:
    firings = firings_of_planted(seed)
    found, twin = fit(firings, 2, members), logistic_fit(firings, 2, members)
    assert found.converged
    np.testing.assert_allclose(found.theta, twin.theta, atol=1e-6)
    np.testing.assert_allclose(found.at_tokens, twin.p, atol=1e-7)
    np.testing.assert_allclose(found.information, twin.information, rtol=1e-5, atol=1e-5)


def test_a_fit_equals_scikit_learn() -> None:
    firings = firings_of_planted(0)
    x = design_matrix(firings, 2, MIXED)
    model = LogisticRegression(C=1 / RIDGE, solver="newton-cholesky", tol=1e-12, max_iter=1000)
    model.fit(x[:, 1:], states_of_feature(firings, 2))
    found = fit(firings, 2, MIXED)
    np.testing.assert_allclose(found.theta, [*model.intercept_, *model.coef_[0]], atol=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_the_gradient_vanishes(seed: int) -> None:
    firings = firings_of_planted(seed)
    found = fit(firings, 2, MIXED)
    gradient = design_matrix(firings, 2, MIXED).T @ (states_of_feature(firings, 2) - found.at_tokens)
    gradient[1:] -= RIDGE * found.theta[1:]
    np.testing.assert_allclose(gradient, 0, atol=1e-5)
    # That of the constant, which is not penalised: as many firings are foretold as there are.
    assert found.at_tokens.sum() == pytest.approx(firings.count[2])


@pytest.mark.parametrize("dropped", range(5))
def test_a_member_is_left_out_as_by_the_quadratic_elsewhere(dropped: int) -> None:
    firings = firings_of_planted(1)
    found = fit(firings, 2, MIXED)
    j = sorted(MIXED)[dropped]
    theta, information = found.theta.copy(), np.tril(found.information)
    own = rows_of(tokens_of(firings, j), found.row_of, np.zeros(len(found.p)))
    rows = np.append(np.int32(0), own)
    without = np.empty(len(rows))
    assert leave_out(dropped, rows, found.design, found.p, theta, information, 1e-9, without)
    again = [chance(log_odds(found.design, int(row), theta)) for row in rows]
    np.testing.assert_allclose(without, again, rtol=1e-12)
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
        afresh = logistic_fit(firings, 2, {m: graded for m, graded in MIXED.items() if m != j})
        np.testing.assert_allclose(twin, afresh.theta, atol=0.02)


@pytest.mark.parametrize("members", [{}, {1: False}, {1: True}, MIXED])
def test_a_token_s_row_is_that_of_the_dense_design(members: Members) -> None:
    firings = firings_of_planted(2)
    design, row_of = rows_for(firings, 2, members)
    x = design_matrix(firings, 2, members)
    for row in np.unique(row_of):
        dense = np.zeros(x.shape[1])
        entries = slice(design.start[row], design.start[row + 1])
        assert (np.diff(design.place[entries]) > 0).all()
        dense[0] = 1.0
        dense[design.place[entries]] = design.value[entries]
        np.testing.assert_allclose(
            x[row_of == row], np.tile(dense, ((row_of == row).sum(), 1)), rtol=1e-6, atol=1e-6
        )
    width = [3 if members[j] else 1 for j in sorted(members)]
    assert design.column.tolist() == np.cumsum([1, *width]).tolist()


def test_tokens_that_are_alike_share_a_row_and_others_do_not() -> None:
    firings = firings_of_planted(2)
    design, row_of = rows_for(firings, 2, MIXED)
    x = design_matrix(firings, 2, MIXED)
    kinds, kind = np.unique(x, axis=0, return_inverse=True)
    assert len(kinds) < len(x) / 2
    assert len(np.unique(row_of)) == len(kinds)
    assert len(np.unique(np.column_stack([row_of, kind.ravel()]), axis=0)) == len(kinds)
    assert (row_of[~x[:, 1:].any(axis=1)] == 0).all()
    np.testing.assert_array_equal(design.tokens, np.bincount(row_of, minlength=len(design.tokens)))
    assert (np.diff(design.start)[design.tokens == 0] == 0).all()


def test_rows_of_tokens_are_counted() -> None:
    firings = firings_of_planted(2)
    design, row_of = rows_for(firings, 2, MIXED)
    met = np.zeros(len(design.tokens))
    rows = rows_of(tokens_of(firings, 3), row_of, met)
    here = row_of[tokens_of(firings, 3)]
    assert rows.tolist() == list(dict.fromkeys(here.tolist()))
    np.testing.assert_array_equal(met, np.bincount(here, minlength=len(met)))
    np.testing.assert_array_equal(met, fires_of(tokens_of(firings, 3), row_of, len(met)))


def test_a_row_s_odds_gradient_and_information_are_those_of_the_dense_row() -> None:
    firings = firings_of_planted(2)
    found = fit(firings, 2, MIXED)
    size = len(found.theta)
    for row in [0, *np.flatnonzero(found.design.tokens)[-40:]]:
        dense = design_matrix(firings, 2, MIXED)[np.flatnonzero(found.row_of == row)[0]]
        assert log_odds(found.design, row, found.theta) == pytest.approx(dense @ found.theta, abs=1e-5)
        gradient = np.ones(size)
        add_gradient(found.design, row, -0.25, gradient)
        np.testing.assert_allclose(gradient, 1 - 0.25 * dense, atol=1e-6)
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
        assert found.at_tokens[fires].min() > 0.95
        assert found.at_tokens[~fires].max() < 0.05


@pytest.mark.parametrize("fires", [0, 1, 2000])
def test_features_that_hardly_ever_or_always_fire_stay_finite(fires: int) -> None:
    rng = np.random.default_rng(0)
    x = (rng.random((2000, 4)) < 0.1).astype(np.float64)
    x[:, 0] = np.arange(2000) < fires
    found = fit(firings_from([x]), 0, {1: True, 2: False, 3: True}, tolerance=1e-3)
    assert np.isfinite(found.theta).all()
    assert found.at_tokens.sum() == pytest.approx(fires, abs=0.1)


@pytest.mark.parametrize("seed", [19, 45, 58, 77])
def test_steps_that_overshoot_are_halved_until_a_fit_equals_the_twin(seed: int) -> None:
    # Found by search: whole steps go to and fro on these for ever.
    firings = steep(seed)
    found, twin = fit(firings, 0, STEEP, tolerance=1e-6), logistic_fit(firings, 0, STEEP)
    assert found.converged
    np.testing.assert_allclose(found.theta, twin.theta, atol=1e-5)
    np.testing.assert_allclose(found.at_tokens, twin.p, atol=1e-6)


@pytest.mark.parametrize(
    ("seed", "dropped"),
    [(53, 3), (54, 0), (98, 0), (216, 2)],
    ids=["whole", "whole", "long", "long"],
)
def test_steps_that_overshoot_are_cut_and_halved_until_a_member_is_left_out(seed: int, dropped: int) -> None:
    # Found by search: whole steps go to and fro for ever, or steps of any length take more than there are.
    firings = steep(seed)
    found = fit(firings, 0, STEEP)
    theta, information = found.theta.copy(), np.tril(found.information)
    own = rows_of(tokens_of(firings, dropped + 1), found.row_of, np.zeros(len(found.p)))
    rows = np.append(np.int32(0), own)
    without = np.empty(len(rows))
    assert leave_out(dropped, rows, found.design, found.p, theta, information, 1e-6, without)
    gone = np.arange(found.design.column[dropped], found.design.column[dropped + 1])
    twin, _ = left_out(firings, 0, STEEP, dropped + 1)
    np.testing.assert_allclose(np.delete(theta, gone), twin, atol=1e-5)


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
    assert (found.at_tokens == 0.5).all()


def test_to_leave_out_what_says_nothing_changes_nothing() -> None:
    # The gradient without the member is 0 from the first, as its coefficient is.
    x = np.zeros((400, 2))
    x[::2, 0] = x[:200, 1] = 1.0
    firings = firings_from([x])
    found = fit(firings, 0, {1: False})
    theta, information = found.theta.copy(), np.tril(found.information)
    rows, without = np.array([0, 1], np.int32), np.empty(2)
    assert leave_out(0, rows, found.design, found.p, theta, information, 1e-9, without)
    assert (without == 0.5).all()
    assert (theta == 0).all()
    assert np.tril(information)[0, 0] == pytest.approx(10.0)  # the root of 400 tokens of variance a quarter
