import math

import numpy as np
import pytest

from analysis.cholesky import factorise, is_positive, solve_lower, solve_upper


@pytest.mark.parametrize("size", [1, 2, 7, 30])
def test_factor_and_solutions_equal_numpy(size: int) -> None:
    rng = np.random.default_rng(size)
    x = rng.normal(size=(2 * size + 3, size))
    matrix = x.T @ x
    right = rng.normal(size=size)
    room = np.full((size + 2, size + 2), np.nan)  # what lies outside the leading rows is not touched
    room[:size, :size] = np.tril(matrix) + np.triu(np.full((size, size), np.nan), 1)
    factorise(room, size)
    np.testing.assert_allclose(np.tril(room[:size, :size]), np.linalg.cholesky(matrix), rtol=1e-9, atol=1e-9)
    assert np.isnan(room[size:]).all()
    solution = np.append(right, [np.nan, np.nan])
    solve_lower(room, solution, size)
    np.testing.assert_allclose(np.linalg.cholesky(matrix) @ solution[:size], right, atol=1e-9)
    solve_upper(room, solution, size)
    np.testing.assert_allclose(matrix @ solution[:size], right, atol=1e-8)
    assert np.isnan(solution[size:]).all()


def test_a_singular_matrix_has_a_finite_factor() -> None:
    matrix = np.ones((3, 3))
    factorise(matrix, 3)
    # Pivots of 1 - 1 = 0 are lifted to 1e-10, and their roots stand on the diagonal.
    expected = np.array([[1, 0, 0], [1, 1e-5, 0], [1, 0, 1e-5]])
    np.testing.assert_allclose(np.tril(matrix), expected, atol=1e-12)


@pytest.mark.parametrize("left", [0.9e-3, 1.1e-3, 0.0, -0.2])
def test_a_matrix_is_positive_where_every_variable_keeps_a_thousandth(left: float) -> None:
    # The third variable keeps `left` of itself given the first two, which are uncorrelated.
    share = math.sqrt((1 - left) / 2)
    matrix = np.full((4, 4), np.nan)
    matrix[:3, :3] = [[1, 0, share], [0, 1, share], [share, share, 1]]
    before = matrix.copy()
    assert is_positive(matrix, 3) == (left > 1e-3)
    assert is_positive(matrix, 2)
    np.testing.assert_array_equal(matrix, before)
