"""The tokens of a regression on a few features, those that are alike taken as one row.

A token says of the features that are regressed on (the *members*) which of them fire, and of the *graded*
ones how strongly too::

    eta_t = theta_0 + sum_j [j fires at t] (theta_j0 + theta_j1 z_tj + theta_j2 (z_tj^2 - 1))

with ``z`` the level of ``j`` at the token (``analysis.firings``). Most tokens show none of the members, and
most others one or two, so that there are several times fewer rows than tokens. Row 0 is that of no member.

Rows are found by letting them branch: member after member, the tokens of a row at which it fires at one level
go over to a row of their own. That touches each firing of a member once.
"""

import math
from typing import NamedTuple

import numpy as np

from analysis.activations import Bool, Float32, Float64, Int32, Int64
from analysis.firings import LEVELS, Int8
from analysis.kernel import kernel
from analysis.splitmix import bits_of

GRADED_COLUMNS = 3
"""Columns of a graded member; another has one."""


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
    """

    start: Int64
    place: Int32
    value: Float32
    tokens: Float64
    column: Int64


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
    """

    parent: Int32
    newest: Int32
    level: Int8
    tokens: Int64


@kernel
def design_of(members: Int64, graded: Bool, start: Int64, token: Int32, level: Int8, row_of: Int32) -> Design:
    """Gather the rows of `members`.

    Parameters
    ----------
    members, graded : shape (members,)
        Features regressed on, and whether by their levels too.
    start, token, level
        Firings by feature.
    row_of : shape (n,), all 0
        Row of each token on return.
    """
    column = np.ones(len(members) + 1, np.int64)
    for a in range(len(members)):
        column[a + 1] = column[a] + (GRADED_COLUMNS if graded[a] else 1)
    branches = _branch(members, graded, start, token, level, row_of)
    begin = _row_starts(branches, column)
    place = np.empty(begin[-1], np.int32)
    value = np.empty(begin[-1], np.float32)
    for row in range(len(branches.tokens)):
        end, at = begin[row + 1], row
        while end > begin[row]:
            a = branches.newest[at]
            end -= column[a + 1] - column[a]
            place[end] = column[a]
            value[end] = 1.0
            if graded[a]:
                z = branches.level[at] / np.float32(LEVELS)
                place[end + 1] = column[a] + 1
                value[end + 1] = z
                place[end + 2] = column[a] + 2
                value[end + 2] = z * z - np.float32(1.0)
            at = branches.parent[at]
    return Design(begin, place, value, branches.tokens.astype(np.float64), column)


@kernel
def _branch(
    members: Int64, graded: Bool, start: Int64, token: Int32, level: Int8, row_of: Int32
) -> _Branches:
    firings, most = 0, 1
    for j in members:
        firings += start[j + 1] - start[j]
        most = max(most, start[j + 1] - start[j])
    branches = _Branches(
        np.zeros(firings + 1, np.int32),
        np.zeros(firings + 1, np.int32),
        np.zeros(firings + 1, np.int8),
        np.zeros(firings + 1, np.int64),
    )
    branches.tokens[0] = len(row_of)
    size = 2
    while size < 2 * most:
        size *= 2
    table = np.zeros(size, np.int32)
    rows, oldest = 1, 1
    for a in range(len(members)):
        for entry in range(start[members[a]], start[members[a] + 1]):
            row = row_of[token[entry]]
            z = int(level[entry]) if graded[a] else 0
            branch = _place_of(row, z, branches, table, oldest)
            if table[branch] < oldest:
                branches.parent[rows], branches.newest[rows], branches.level[rows] = row, a, z
                table[branch] = rows
                rows += 1
            branches.tokens[row] -= 1
            branches.tokens[table[branch]] += 1
            row_of[token[entry]] = table[branch]
        # What the table holds of members before this one is passed over as if it were not there.
        oldest = rows
    return _Branches(
        branches.parent[:rows].copy(),
        branches.newest[:rows].copy(),
        branches.level[:rows].copy(),
        branches.tokens[:rows].copy(),
    )


@kernel
def _place_of(row: int, z: int, branches: _Branches, table: Int32, oldest: int) -> int:
    """Find where the table holds the branch of a row at a level, or would hold it."""
    last = len(table) - 1
    _, bits = bits_of(np.uint64(row) * np.uint64(256) + np.uint64(z + 128))
    place = int(np.int64(bits >> np.uint64(1)) & last)
    while table[place] >= oldest and (
        branches.parent[table[place]] != row or branches.level[table[place]] != z
    ):
        place = (place + 1) & last
    return place


@kernel
def _row_starts(branches: _Branches, column: Int64) -> Int64:
    """First entry of each row, those without tokens having none."""
    rows = len(branches.tokens)
    width = np.zeros(rows, np.int64)
    begin = np.zeros(rows + 1, np.int64)
    for row in range(rows):
        if row > 0:
            a = branches.newest[row]
            width[row] = width[branches.parent[row]] + column[a + 1] - column[a]
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
