"""Agreement of divisions is scikit-learn's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_mutual_info_score

from analysis.mutual_information import adjusted_mutual_information

LABELS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4)), min_size=1, max_size=60)


@given(LABELS)
def test_agreement_is_scikit_learns(pairs: list[tuple[int, int]]) -> None:
    one, other = np.array(pairs).T
    expected = adjusted_mutual_info_score(one, other)
    assert adjusted_mutual_information(one, other) == pytest.approx(expected, abs=1e-6)


def test_agreement_of_many_groups_is_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    one = rng.integers(0, 300, 2000)
    other = np.where(rng.random(2000) < 0.5, one, rng.integers(0, 200, 2000))
    expected = adjusted_mutual_info_score(one, other)
    assert adjusted_mutual_information(one, other) == pytest.approx(expected, abs=1e-9)
