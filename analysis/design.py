"""The tokens of a regression on a few features, those that are alike taken as one row.

A token says of the features that are regressed on (the *members*) which of them fire, and of the *graded*
ones how strongly too::

    eta_t = theta_0 + sum_j [j fires at t] (theta_j0 + theta_j1 z_tj + theta_j2 (z_tj^2 - 1)
                                            + sum_s theta_js [z_tj above step s of j])

with ``z`` the level of ``j`` at the token (``analysis.firings``), the middle of its cell
(``analysis.cells``), and the steps those of the feature that is regressed (``analysis.steps``). Most tokens
show none of the members, and most others one or two, so that there are several times fewer rows than tokens.
Row 0 is that of no member.

Rows are found by letting them branch: member after member, the tokens of a row at which it fires at one level
go over to a row of their own. That touches each firing of a member once. A row's name, 64 bits, is the sum of
those of its members at their levels, so that it is found by them and so is the row that lacks one of them.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.activations import Bool, Float32, Float64, Int16, Int32, Int64
from analysis.firings import MOST_LEVEL, PLACES, Int8, level_of, strength_of
from analysis.kernel import kernel
from analysis.splitmix import bits_of

UInt64 = NDArray[np.uint64]

GRADED_COLUMNS = 3
"""Columns of a graded member, beside one for each of its steps; another member has one."""

_FIRST_PLACES = 64
"""Places of the table of rows at first."""


class Design(NamedTuple):
    """Rows of alike tokens.

    Parameters
    ----------
    start : shape (rows + 1,)
        Entries of each row: the columns that are not 0, ascending, without the constant.
    place, value : shape (entries,)
        Column and value.
    tokens : shape (rows,)
        Tokens of each row; 0 where a row has lost them all to others, and then it has no entries.
    column : shape (members + 1,)
        First column of each member; column 0 is the constant.
    name : shape (rows,)
        Name of each row; that of row 0 is 0.
    table : shape (a power of 2,)
        Rows, at places that follow from their names; 0 where there is none.
    pattern : shape (rows,)
        The same for rows of the same members, at whatever levels: the sum of the members' own.
    """

    start: Int64
    place: Int32
    value: Float32
    tokens: Float64
    column: Int64
    name: UInt64
    table: Int32
    pattern: UInt64


class _Branches(NamedTuple):
    """Rows as they branched: each is another row and one member more.

    Parameters
    ----------
    parent, newest : shape (rows,)
        The row it branched from, and the member that was added.
    level : shape (rows,)
        Level of that member; 0 unless it is graded.
    tokens : shape (rows,)
        Tokens left in each.
    name : shape (rows,)
    table : shape (a power of 2,)
        As in `Design`.
    """

    parent: Int32
    newest: Int32
    level: Int8
    tokens: Int64
    name: UInt64
    table: Int32


@kernel
def design_of(
    members: Int64,
    graded: Bool,
    cell: Int8,
    step: Int16,
    start: Int64,
    token: Int32,
    level: Int8,
    row_of: Int32,
) -> Design:
    """Gather the rows of `members`.

    Parameters
    ----------
    members, graded : shape (members,)
        Features regressed on, and whether by their levels too.
    cell : shape (members, PLACES)
        Middle of the levels that each level is taken together with (``analysis.cells``).
    step : shape (members, MOST_STEPS)
        First place above each step of a graded member, ascending; `PLACES` where there is none.
    start, token, level
        Firings by feature.
    row_of : shape (n,), all 0
        Row of each token on return.
    """
    column = np.ones(len(members) + 1, np.int64)
    for a in range(len(members)):
        column[a + 1] = column[a] + (GRADED_COLUMNS + (step[a] < PLACES).sum() if graded[a] else 1)
    branches = _branch(members, graded, cell, start, token, level, row_of)
    begin = _row_starts(branches, graded, step)
    place = np.empty(begin[-1], np.int32)
    value = np.empty(begin[-1], np.float32)
    for row in range(len(branches.tokens)):
        end, at = begin[row + 1], row
        while end > begin[row]:
            a = branches.newest[at]
            width = _width(graded[a], branches.level[at], step[a])
            end -= width
            place[end] = column[a]
            value[end] = 1.0
            if graded[a]:
                z = np.float32(strength_of(branches.level[at]))
                place[end + 1] = column[a] + 1
                value[end + 1] = z
                place[end + 2] = column[a] + 2
                value[end + 2] = z * z - np.float32(1.0)
                for c in range(GRADED_COLUMNS, width):
                    place[end + c] = column[a] + c
                    value[end + c] = 1.0
            at = branches.parent[at]
    pattern = np.zeros(len(branches.tokens), np.uint64)
    for row in range(1, len(pattern)):
        pattern[row] = pattern[branches.parent[row]] + pattern_of_member(branches.newest[row])
    tokens = branches.tokens.astype(np.float64)
    return Design(begin, place, value, tokens, column, branches.name, branches.table, pattern)


@kernel
def _branch(
    members: Int64, graded: Bool, cell: Int8, start: Int64, token: Int32, level: Int8, row_of: Int32
) -> _Branches:
    firings = 0
    for j in members:
        firings += start[j + 1] - start[j]
    branches = _Branches(
        np.zeros(firings + 1, np.int32),
        np.zeros(firings + 1, np.int32),
        np.zeros(firings + 1, np.int8),
        np.zeros(firings + 1, np.int64),
        np.zeros(firings + 1, np.uint64),
        np.zeros(0, np.int32),
    )
    branches.tokens[0] = len(row_of)
    table = np.zeros(_FIRST_PLACES, np.int32)
    rows = 1
    for a in range(len(members)):
        for entry in range(start[members[a]], start[members[a] + 1]):
            row = row_of[token[entry]]
            z = cell[a, np.int64(level[entry]) + MOST_LEVEL] if graded[a] else np.int8(0)
            name = branches.name[row] + _name_of(a, z)
            place = _place_of(name, branches.name, table)
            if table[place] == 0:
                branches.parent[rows], branches.newest[rows], branches.level[rows] = row, a, z
                branches.name[rows] = name
                table[place] = rows
                rows += 1
            branches.tokens[row] -= 1
            branches.tokens[table[place]] += 1
            row_of[token[entry]] = table[place]
            if 2 * rows > len(table):
                table = _doubled(branches.name[:rows], len(table))
    return _Branches(
        branches.parent[:rows].copy(),
        branches.newest[:rows].copy(),
        branches.level[:rows].copy(),
        branches.tokens[:rows].copy(),
        branches.name[:rows].copy(),
        table,
    )


@kernel
def pattern_of_member(a: int) -> np.uint64:
    """Pattern of member number `a` alone."""
    return _name_of(a, np.int8(0))


@kernel
def _name_of(a: int, z: np.int8) -> np.uint64:
    """Name of member number `a` at level `z`, which counts only if it is graded."""
    _, bits = bits_of(np.uint64(a) * np.uint64(256) + np.uint64(np.int64(z) + 128))
    return bits


@kernel
def row_without(a: int, row: int, design: Design) -> int:
    """Row that lacks member number `a` of a row that has it; `row` itself if there is none."""
    z = np.int8(0)
    if design.column[a + 1] - design.column[a] >= GRADED_COLUMNS:
        for entry in range(design.start[row], design.start[row + 1]):
            if design.place[entry] == design.column[a] + 1:
                z = level_of(design.value[entry])
    name = design.name[row] - _name_of(a, z)
    if name == np.uint64(0):
        return 0
    found = design.table[_place_of(name, design.name, design.table)]
    return found if found > 0 else row


@kernel
def _place_of(name: np.uint64, names: UInt64, table: Int32) -> int:
    """Find where the table holds the row of some name, or would hold it."""
    last = len(table) - 1
    place = np.int64(name >> np.uint64(1)) & last
    while table[place] > 0 and names[table[place]] != name:
        place = (place + 1) & last
    return int(place)


@kernel
def _doubled(names: UInt64, places: int) -> Int32:
    """Table of twice as many places, of the rows of some names."""
    table = np.zeros(2 * places, np.int32)
    for row in range(1, len(names)):
        table[_place_of(names[row], names, table)] = row
    return table


@kernel
def _width(graded: bool, level: np.int8, step: Int16) -> int:
    """Columns of a member that are not 0 where it fires at some level."""
    return int(GRADED_COLUMNS + (step <= np.int64(level) + MOST_LEVEL).sum()) if graded else 1


@kernel
def _row_starts(branches: _Branches, graded: Bool, step: Int16) -> Int64:
    """First entry of each row, those without tokens having none."""
    rows = len(branches.tokens)
    width = np.zeros(rows, np.int64)
    begin = np.zeros(rows + 1, np.int64)
    for row in range(rows):
        if row > 0:
            a = branches.newest[row]
            width[row] = width[branches.parent[row]] + _width(graded[a], branches.level[row], step[a])
        begin[row + 1] = begin[row] + (width[row] if branches.tokens[row] > 0 else 0)
    return begin


@kernel
def rows_of(tokens: Int32, row_of: Int32, met: Float64) -> Int32:
    """Rows of some tokens, in the order they are met; `met`, shape (rows,), all 0, counts the tokens."""
    rows = np.empty(min(len(tokens), len(met)), np.int32)
    number = 0
    for t in tokens:
        row = row_of[t]
        if met[row] == 0.0:
            rows[number] = row
            number += 1
        met[row] += 1.0
    return rows[:number].copy()


@kernel
def log_odds(design: Design, row: int, theta: Float64) -> float:
    """Log odds in a row."""
    eta = theta[0]
    for entry in range(design.start[row], design.start[row + 1]):
        eta += theta[design.place[entry]] * design.value[entry]
    return float(eta)


@kernel
def add_gradient(design: Design, row: int, missed: float, gradient: Float64) -> None:
    """Add a row, times `missed`, to `gradient`."""
    gradient[0] += missed
    for entry in range(design.start[row], design.start[row + 1]):
        gradient[design.place[entry]] += missed * design.value[entry]


@kernel
def add_information(design: Design, row: int, weight: float, information: Float64) -> None:
    """Add the outer product of a row with itself, times `weight`, to the lower triangle of `information`."""
    first = design.start[row]
    information[0, 0] += weight
    for entry in range(first, design.start[row + 1]):
        into = information[design.place[entry]]
        weighted = weight * design.value[entry]
        into[0] += weighted
        for other in range(first, entry + 1):
            into[design.place[other]] += weighted * design.value[other]


@kernel
def chance(eta: float) -> float:
    """Return the logistic function, kept within 1e-12 of 0 and 1."""
    return min(1.0 - 1e-12, max(1e-12, 1.0 / (1.0 + math.exp(min(50.0, -eta)))))
