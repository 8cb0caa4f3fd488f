from collections import Counter

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.activations import Int32
from analysis.design import GRADED_COLUMNS, Design, design_of
from analysis.firings import MOST_LEVEL, PLACES, Firings, Int8
from analysis.steps import MOST_STEPS

Alike = tuple[tuple[int, int], ...]
"""What a token shows: each member that fires at it, and at which level."""

LEVEL = np.arange(-MOST_LEVEL, MOST_LEVEL + 1)

STEPS: tuple[tuple[int, ...], ...] = ((), (-20, 7), (3,))
"""Lowest levels above the steps of each member."""


def firings_at_levels(seed: int, n: int, members: int, share: float) -> Firings:
    """Members that fire at a share of the tokens, at levels drawn from all that there are."""
    rng = np.random.default_rng(seed)
    tokens = [np.flatnonzero(rng.random(n) < share).astype(np.int32) for _ in range(members)]
    start = np.cumsum([0, *map(len, tokens)]).astype(np.int64)
    level = rng.choice(LEVEL, start[-1]).astype(np.int8)
    return Firings(start, np.concatenate(tokens), level, np.array([0, n], np.int64))


def rows_for(firings: Firings, graded: NDArray[np.bool_]) -> tuple[Design, Int32]:
    row_of = np.zeros(firings.n_tokens, np.int32)
    step = np.full((len(graded), MOST_STEPS), PLACES, np.int16)
    for a in range(len(graded)):
        step[a, : len(STEPS[a])] = np.array(STEPS[a]) + MOST_LEVEL
    members = np.arange(firings.n_features)
    apart = np.tile(LEVEL.astype(np.int8), (len(members), 1))
    lists = firings.start, firings.token, firings.level
    return design_of(members, graded, apart, step, *lists, row_of), row_of


def shown_at(firings: Firings, graded: NDArray[np.bool_]) -> list[Alike]:
    """What each token shows."""
    shown: list[Alike] = [()] * firings.n_tokens
    for a in range(firings.n_features):
        for entry in range(firings.start[a], firings.start[a + 1]):
            z = int(firings.level[entry]) if graded[a] else 0
            shown[firings.token[entry]] += ((a, z),)
    return shown


def entries_of(alike: Alike, graded: NDArray[np.bool_]) -> dict[int, float]:
    """Columns that are not those of silence, and their values."""
    width = [GRADED_COLUMNS + len(STEPS[a]) if g else 1 for a, g in enumerate(graded)]
    first = np.cumsum([1, *width]).tolist()
    entries = {}
    for a, level in alike:
        z = np.float32(level / (MOST_LEVEL + 1 - abs(level)))
        values = [1.0]
        if graded[a]:
            values += [float(z), float(z * z - np.float32(1.0))]
            values += [1.0 for step in STEPS[a] if level >= step]
        entries.update({first[a] + k: value for k, value in enumerate(values)})
    return entries


def assert_rows_equal_the_dictionary(firings: Firings, graded: NDArray[np.bool_]) -> None:
    design, row_of = rows_for(firings, graded)
    shown = shown_at(firings, graded)
    row_showing = dict(zip(shown, row_of.tolist(), strict=True))
    assert row_of.tolist() == [row_showing[alike] for alike in shown]
    assert len(set(row_showing.values())) == len(row_showing)
    for alike, tokens in Counter(shown).items():
        row = row_showing[alike]
        entries = slice(design.start[row], design.start[row + 1])
        assert design.tokens[row] == tokens
        found = dict(zip(design.place[entries].tolist(), design.value[entries].tolist(), strict=True))
        assert found == entries_of(alike, graded)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("graded", [[True, True, True], [True, False, True]], ids=["graded", "mixed"])
def test_rows_equal_a_dictionary_of_what_tokens_show(seed: int, graded: list[bool]) -> None:
    # Up to 3000 branches at a time, in a table of 8192 places: many are looked for where others lie.
    assert_rows_equal_the_dictionary(firings_at_levels(seed, 6000, 3, 0.5), np.array(graded))


def test_every_level_of_a_member_has_a_row_of_its_own() -> None:
    # 253 branches of one row, in a table of 512 places.
    level: Int8 = np.random.default_rng(0).permutation(LEVEL).astype(np.int8)
    tokens = np.arange(len(level), dtype=np.int32)
    firings = Firings(
        np.array([0, len(level)], np.int64), tokens, level, np.array([0, 2 * len(level)], np.int64)
    )
    assert_rows_equal_the_dictionary(firings, np.array([True]))
    design, _ = rows_for(firings, np.array([True]))
    assert (design.tokens[1:] == 1).all()
    assert len(design.tokens) == 1 + len(level)
