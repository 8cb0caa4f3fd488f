import numpy as np
import pytest

from analysis.cells import cells_of, whole_quarters
from analysis.firings import Int8
from tests.analysis.calibrated_twins import cut_into_cells

LEVEL = np.arange(-128, 128)


def cells(level: np.ndarray, fired: np.ndarray, graded: bool = True) -> Int8:
    """Cells of one member that fires at every token, shape (256,)."""
    tokens = np.arange(len(level), dtype=np.int32)
    found = cells_of(
        np.array([0]),
        np.array([graded]),
        np.array([0, len(level)], np.int64),
        tokens,
        level.astype(np.int8),
        fired.astype(np.int8),
    )
    only: Int8 = found[0]
    return only


def drawn(seed: int, n: int = 4000) -> np.ndarray:
    return np.clip(np.rint(16 * np.random.default_rng(seed).standard_normal(n)), -127, 127)


def test_a_quarter_is_the_four_levels_nearest_its_middle() -> None:
    quarters = whole_quarters()
    # Of two middles as near the upper is taken; past the ends there is none.
    nearest = np.minimum(127, np.floor((LEVEL + 2) / 4) * 4)
    assert quarters[2:].tolist() == nearest[2:].tolist()
    assert len(set(quarters[:2].tolist())) == 1
    assert len(np.unique(quarters)) == len(np.unique(np.floor((LEVEL + 2) / 4)))


@pytest.mark.parametrize("seed", range(5))
def test_cells_equal_the_twin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    level = drawn(seed)
    # A limit, a band, and chance.
    share = np.where(level > 3, 0.5, 0.05) + 0.3 * (np.abs(level + 21) < 2)
    fired = rng.random(len(level)) < share
    found = cells(level, fired)[level.astype(np.int64) + 128]
    assert found.tolist() == cut_into_cells(level.astype(np.int64), fired).tolist()
    assert len(np.unique(found)) > len(np.unique(whole_quarters()[level.astype(np.int64) + 128]))


@pytest.mark.parametrize("limit", range(-8, 8))
def test_no_cell_lies_on_both_sides_of_a_limit(limit: int) -> None:
    level = drawn(1)
    cell = cells(level, level >= limit)
    below, above = cell[128 + limit - 4 : 128 + limit], cell[128 + limit : 128 + limit + 4]
    assert not set(below.tolist()) & set(above.tolist())


def test_levels_that_say_nothing_are_seldom_cut() -> None:
    cuts = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        cuts += len(np.unique(cells(drawn(seed), rng.random(4000) < 0.1))) - len(np.unique(whole_quarters()))
    # Some 25 quarters have levels, with three dependent cuts each at 0.01.
    assert cuts < 40 * 25 * 3 * 0.01


def test_members_that_do_not_count_by_their_levels_are_not_cut() -> None:
    level = drawn(2)
    assert cells(level, level > 1, graded=False).tolist() == whole_quarters().tolist()
