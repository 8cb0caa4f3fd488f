import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.cells import cells_of
from analysis.firings import MOST_LEVEL, Int8
from tests.analysis.calibrated_twins import cut_into_cells, steps_of, strengths

LEVEL = np.arange(-MOST_LEVEL, MOST_LEVEL + 1)


def cells(level: NDArray[np.int64], fired: NDArray[np.bool_], graded: bool = True) -> Int8:
    """Cells of one member that fires at every token, by level."""
    tokens = np.arange(len(level), dtype=np.int32)
    start = np.array([0, len(level)], np.int64)
    found, _ = cells_of(
        np.array([0]), np.array([graded]), start, tokens, level.astype(np.int8), fired.astype(np.int8)
    )
    only: Int8 = found[0]
    return only


def drawn(seed: int, n: int = 4000) -> NDArray[np.int64]:
    z = np.random.default_rng(seed).standard_normal(n)
    level: NDArray[np.int64] = np.rint((MOST_LEVEL + 1) * z / (1 + np.abs(z))).astype(np.int64)
    return level


NEVER = np.zeros(len(LEVEL), bool)


def test_a_cell_is_a_quarter_of_a_standard_deviation_or_one_level_where_these_are_farther_apart() -> None:
    whole = cells(LEVEL, NEVER)
    z = strengths(LEVEL)
    quarter = np.rint(4 * z)
    for q in np.unique(quarter):
        of = whole[quarter == q]
        assert len(set(of.tolist())) == 1
        assert quarter[MOST_LEVEL + int(of[0])] == q
    assert len(np.unique(whole)) == len(np.unique(quarter))


@pytest.mark.parametrize("seed", range(5))
def test_cells_equal_the_twin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    level = drawn(seed)
    # A limit within a quarter, a band, and chance.
    share = np.where(strengths(level) > 0.5, 0.5, 0.05) + 0.3 * (np.abs(strengths(level) + 1) < 0.1)
    fired = rng.random(len(level)) < share
    found = cells(level, fired)[level + MOST_LEVEL]
    assert found.tolist() == cut_into_cells(level, fired, steps_of(level, fired)).tolist()
    assert len(np.unique(found)) > len(np.unique(cells(LEVEL, NEVER)[level + MOST_LEVEL]))


@pytest.mark.parametrize("limit", range(-60, 61, 7))
def test_no_cell_lies_on_both_sides_of_a_limit(limit: int) -> None:
    cell = cells(np.repeat(LEVEL, 20), np.repeat(limit <= LEVEL, 20))
    assert not set(cell[limit > LEVEL].tolist()) & set(cell[limit <= LEVEL].tolist())


def test_no_cell_lies_on_both_sides_of_a_step() -> None:
    rng = np.random.default_rng(4)
    level = drawn(4, 20_000)
    fired = rng.random(len(level)) < np.where(level >= 31, 0.9, 0.01) + 0.05 * (level >= -40)
    tokens, start = np.arange(len(level), dtype=np.int32), np.array([0, len(level)], np.int64)
    whole = cells_of(
        np.array([0]), np.array([True]), start, tokens, level.astype(np.int8), fired.astype(np.int8)
    )
    limits = [int(place) - MOST_LEVEL for place in whole[1][0] if place < len(LEVEL)]
    assert limits == steps_of(level, fired)
    assert 31 in limits
    for limit in limits:
        assert (whole[0][0][limit > LEVEL] < limit).all()
        assert (whole[0][0][limit <= LEVEL] >= limit).all()


def test_levels_that_say_nothing_are_seldom_cut() -> None:
    cuts, places = 0, 0
    for seed in range(40):
        level = drawn(seed)
        cell = cells(level, np.random.default_rng(1000 + seed).random(len(level)) < 0.1)
        cuts += len(np.unique(cell)) - len(np.unique(cells(LEVEL, NEVER)))
        places += len(np.unique(level))
    # No more than one in a thousand of the places where a cut could be.
    assert cuts <= places * 0.001 + 3 * np.sqrt(places * 0.001)


def test_members_that_do_not_count_by_their_levels_have_no_cells() -> None:
    level = drawn(2)
    assert not cells(level, level > 1, graded=False).any()
