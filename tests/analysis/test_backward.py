import math

import numpy as np
import pytest

from analysis.backward import eliminate
from tests.analysis.naive import Dense, correlations
from tests.analysis.planted import planted


def loss(gram: Dense, moment: Dense, members: list[int]) -> tuple[Dense, float]:
    """Coefficients of least squares on `members`, and the share of the response's variance that is left."""
    fitted = np.linalg.lstsq(gram[np.ix_(members, members)], moment[members], rcond=None)[0]
    return np.asarray(fitted, np.float64), 1.0 - float(fitted @ moment[members])


def eliminated(gram: Dense, moment: Dense, beta: Dense, n: int, price: float) -> Dense:
    """Remove, each time by fitting again without each, the least missed while the criterion falls."""
    members = np.flatnonzero(beta).tolist()
    while members:
        rest = [[m for m in members if m != gone] for gone in members]
        losses = [loss(gram, moment, r)[1] for r in rest]
        if n * math.log(min(losses) / loss(gram, moment, members)[1]) >= price:
            break
        members = rest[int(np.argmin(losses))]
    found = np.zeros(len(beta))
    found[members] = loss(gram, moment, members)[0]
    return found


def ebic(gram: Dense, moment: Dense, members: list[int], n: int, price: float) -> float:
    return n * math.log(loss(gram, moment, members)[1]) + price * len(members)


def problem(seed: int, size: int = 12) -> tuple[Dense, Dense, Dense, int]:
    """Correlations of some candidates and of a response with them, and a choice of about two in three."""
    _, x = planted(seed)
    chosen = np.random.default_rng(seed).permutation(27)[: size + 1]
    r = correlations(x[:, chosen])
    beta = r[:-1, -1] * (np.random.default_rng(seed).random(size) < 0.7)
    return r[:-1, :-1], r[:-1, -1].copy(), beta, len(x)


def run(gram: Dense, moment: Dense, beta: Dense, n: int, price: float) -> Dense:
    found = beta.copy()
    eliminate(gram.copy(), moment.copy(), found, n, price)
    return found


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("price", [0.5, math.log(400), math.log(400) + math.log(29), 40.0])
def test_what_is_left_is_what_removing_one_by_one_leaves(seed: int, price: float) -> None:
    gram, moment, beta, n = problem(seed)
    found = run(gram, moment, beta, n, price)
    expected = eliminated(gram, moment, beta, n, price)
    np.testing.assert_array_equal(found != 0, expected != 0)
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_the_cases_above_remove_some_and_keep_some() -> None:
    price = math.log(400) + math.log(29)
    of = [(np.count_nonzero(problem(s)[2]), np.count_nonzero(run(*problem(s), price))) for s in range(8)]
    assert any(0 < left < before for before, left in of)


@pytest.mark.parametrize("seed", range(4))
def test_the_criterion_falls_and_no_single_removal_lowers_it_further(seed: int) -> None:
    gram, moment, beta, n = problem(seed)
    price = math.log(400) + math.log(29)
    before, after = (np.flatnonzero(b).tolist() for b in (beta, run(gram, moment, beta, n, price)))
    assert set(after) <= set(before)
    least = ebic(gram, moment, after, n, price)
    assert least <= ebic(gram, moment, before, n, price) + 1e-9
    for gone in after:
        assert ebic(gram, moment, [m for m in after if m != gone], n, price) > least


def test_candidates_never_chosen_stay_out_and_what_is_kept_solves_the_normal_equations() -> None:
    gram, moment, beta, n = problem(1)
    found = run(gram, moment, beta, n, 0.1)
    assert (found[beta == 0] == 0).all()
    kept = found != 0
    assert kept.sum() > 1
    np.testing.assert_allclose((gram @ found)[kept], moment[kept], atol=1e-10)


def test_a_wider_matrix_and_a_longer_list_are_read_by_their_first_rows() -> None:
    gram, moment, beta, n = problem(1)
    wide, long = np.full((20, 20), np.nan), np.zeros(20)
    wide[:12, :12], long[:12] = gram, beta
    np.testing.assert_array_equal(run(wide, moment, long, n, 6.0)[:12], run(gram, moment, beta, n, 6.0))


def test_nothing_chosen_is_nothing_left() -> None:
    gram, moment, beta, n = problem(0)
    assert (run(gram, moment, 0 * beta, n, 6.0) == 0).all()


def test_at_no_price_all_stay_and_at_any_none() -> None:
    gram, moment, beta, n = problem(2)
    np.testing.assert_array_equal(run(gram, moment, beta, n, 0.0) != 0, beta != 0)
    assert (run(gram, moment, beta, n, 1e9) == 0).all()


@pytest.mark.parametrize("copies", [2, 3])
@pytest.mark.parametrize("apart", [0.0, 1e-13, 1e-9, 1e-6])
def test_of_duplicates_one_is_kept(copies: int, apart: float) -> None:
    gram = np.full((copies + 1, copies + 1), 1.0 - apart)
    gram[-1, :] = gram[:, -1] = 0.3
    np.fill_diagonal(gram, 1.0)
    moment = np.full(copies + 1, 0.6)
    moment[-1] = 0.5
    found = run(gram, moment, np.ones(copies + 1), 1000, 7.0)
    assert np.count_nonzero(found[:-1]) == 1
    assert found.sum() == pytest.approx((0.6 + 0.5) / 1.3, abs=1e-3)
    expected = np.linalg.solve([[1.0, 0.3], [0.3, 1.0]], [0.6, 0.5])
    np.testing.assert_allclose(found[found != 0], expected, atol=1e-3)


def test_a_perfect_fit_is_kept() -> None:
    gram = np.array([[1.0, 0.2], [0.2, 1.0]])
    found = run(gram, gram[0].copy(), np.array([0.9, 0.1]), 500, 7.0)
    np.testing.assert_allclose(found, [1.0, 0.0], atol=1e-9)
