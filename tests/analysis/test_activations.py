import numpy as np
import pytest

from analysis.activations import Activations, Samples
from analysis.columns import columns_of, moments_of
from analysis.errors import DataError
from tests.analysis.naive import dense, sparse
from tests.analysis.planted import planted


def made(start: list[int], feature: list[int], value: list[float]) -> Activations:
    return Activations(np.array(start, np.int64), np.array(feature, np.int32), np.array(value, np.float32), 5)


@pytest.mark.parametrize(
    ("start", "feature", "value", "says"),
    [
        ([1, 2], [0, 1], [1, 1], r"start\[0\] is 1; expected 0"),
        ([0, 2, 1, 3], [0, 1, 2], [1, 1, 1], "start falls from 2 to 1 at token 1"),
        ([0, 1, 3], [0, 1], [1, 1], "start ends at 3; expected 2.*truncated"),
        ([0, 1, 2], [0, 5], [1, 1], r"feature 5 at token 1 is out of range 0\.\.4"),
        ([0, 1, 2], [-1, 4], [1, 1], "feature -1 at token 0 is out of range"),
        ([0, 1, 2], [0, 1], [1, float("nan")], "value nan of feature 1 at token 1"),
        ([0, 1, 2], [0, 1], [-2, 1], r"value -2\.0 of feature 0 at token 0"),
        ([0, 1, 2], [0, 1], [1, 0], r"value 0\.0 of feature 1 at token 1"),
        ([0, 1, 2], [0, 1], [float("inf"), 1], "value inf of feature 0 at token 0"),
        ([0, 1, 3], [0, 3, 2], [1, 1, 1], "feature 2 follows 3 at token 1; expected strictly ascending"),
        ([0, 1, 3], [0, 3, 3], [1, 1, 1], "feature 3 follows 3 at token 1"),
        ([0], [], [], "expected one entry per token and one more"),
        ([0, 1], [0, 1], [1], "expected the same length"),
    ],
)
def test_broken_arrays_are_refused_with_the_token(
    start: list[int], feature: list[int], value: list[float], says: str
) -> None:
    with pytest.raises(DataError, match=says):
        made(start, feature, value)


def test_a_falling_feature_across_tokens_is_fine() -> None:
    assert made([0, 1, 1, 2, 2], [4, 0], [1, 1]).n_tokens == 4


def test_an_array_of_another_length_is_refused() -> None:
    with pytest.raises(DataError, match=r"position has shape \(3,\); expected \(2,\)"):
        Samples(made([0, 1, 2], [0, 1], [1, 1]), position=np.zeros(3, np.int32))


@pytest.mark.parametrize("seed", range(3))
def test_columns_and_moments_equal_the_dense_ones(seed: int) -> None:
    activations, x = planted(seed)
    columns = columns_of(activations)
    for i in range(activations.n_features):
        run = slice(columns.start[i], columns.start[i + 1])
        np.testing.assert_array_equal(columns.token[run], np.flatnonzero(x[:, i]))
        np.testing.assert_array_equal(columns.value[run], x[x[:, i] > 0, i].astype(np.float32))
    moments = moments_of(columns)
    np.testing.assert_array_equal(moments.count, (x > 0).sum(axis=0))
    np.testing.assert_allclose(moments.mean, x.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(moments.deviation, x.std(axis=0), rtol=1e-9)
    np.testing.assert_array_equal(dense(activations), x)


def test_a_constant_feature_has_no_deviation_at_all() -> None:
    _, x = planted(0)
    constant = np.full_like(x, 0.1)
    assert (moments_of(columns_of(sparse(constant))).deviation == 0).all()
