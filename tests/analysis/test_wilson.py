import math

import pytest
from scipy import stats

from analysis.wilson import wilson


@pytest.mark.parametrize(("hits", "of"), [(0, 10), (10, 10), (3, 7), (160, 200), (0, 1)])
def test_it_is_scipys(hits: int, of: int) -> None:
    there = stats.binomtest(hits, of).proportion_ci(method="wilson")
    assert wilson(hits, of) == pytest.approx((there.low, there.high), abs=1e-12)


def test_of_nothing_it_says_nothing() -> None:
    assert all(map(math.isnan, wilson(0, 0)))
