"""Where a regression's rows say themselves how often the feature fires in them.

A regression adds up what each member tells, and a feature that fires where two others do *together* fires at
their common tokens more often than the sum foretells. Then all that fires with it there looks dependent on
it. So the tokens are asked, wherever there are enough of them to say how often the feature fires:

* those of one *pattern*, the set of members that fire, or of one leaf of it (``analysis.leaves``). The log
  odds of its rows are shifted by as much as makes the firings foretold as many as there are, so that the
  regression says only how they differ by levels within a leaf. A pattern is asked too where the regression
  foretells hardly any doubt, and is wrong (a chi-square of one degree of freedom at 0.001);
* then those of one row, members and levels alike. Their share of firings is what is expected of them.

Within either, the tokens of another feature are as good as drawn from all (Mantel and Haenszel 1959), which
takes from its variance the share of the tokens that it fires at. Elsewhere the regression stands.

A member that is tested is none of those that tokens are told apart by: a pattern with it is one with that
which lacks it, and so are rows.
"""

import math
from typing import NamedTuple

import numpy as np

from analysis.activations import Float32, Float64, Int32, Int64
from analysis.cells import CUT
from analysis.design import Design, UInt64, chance, log_odds, pattern_of_member, row_without
from analysis.kernel import kernel
from analysis.leaves import grow

UNSETTLED, SETTLED = 0.5, 1.5
"""Variance of a count, as it is foretold, up to which the regression stands, and from which on it falls.

That of one token is at most .25, so a token alone, as in the neighbourhood of a large hub, keeps to the
regression: taken at its word it would say nothing of any other feature.
"""


class Patterns(NamedTuple):
    """Rows by pattern.

    Parameters
    ----------
    name : shape (rows with tokens,)
        Pattern of each, ascending.
    row : shape (rows with tokens,)
        The rows.
    before : shape (rows with tokens + 1,)
        Tokens of all rows before each.
    """

    name: UInt64
    row: Int32
    before: Float64


class Strata(NamedTuple):
    """Counts of rows that are one; all 0 between two tests.

    Parameters
    ----------
    tokens, fires, other : shape (rows,)
        Tokens; those at which the feature that is regressed fires; those at which the tested one does.
    """

    tokens: Float64
    fires: Float64
    other: Float64


@kernel
def empty_strata(rows: int) -> Strata:
    """Make room for the counts of `rows` rows."""
    return Strata(np.zeros(rows), np.zeros(rows), np.zeros(rows))


@kernel
def patterns_of(design: Design) -> Patterns:
    """Sort the rows by pattern."""
    row = np.flatnonzero(design.tokens > 0.0).astype(np.int32)
    row = row[np.argsort(design.pattern[row])]
    before = np.zeros(len(row) + 1)
    before[1:] = np.cumsum(design.tokens[row])
    return Patterns(design.pattern[row], row, before)


@kernel
def settle(
    design: Design,
    patterns: Patterns,
    fires: Float64,
    rows: Int32,
    met: Float64,
    dropped: int,
    theta: Float64,
    p: Float64,
    strata: Strata,
) -> tuple[Float64, Float64]:
    """Replace the chances of patterns and rows that say them themselves.

    Parameters
    ----------
    design, patterns
        Rows of the members.
    fires : shape (rows,)
        Tokens of each row at which the feature that is regressed fires.
    rows : shape (k,)
        Rows in which the tested feature fires.
    met : shape (rows,)
        At how many of their tokens.
    dropped
        Which member is tested; -1 if it is none.
    theta : shape (columns,)
        The regression without the member.
    p : shape (rows,)
        Chance in each row by the regression; on return that expected in each of `rows`.
    strata
        Room for the counts.

    Returns
    -------
    Variance of what is met in each of `rows`, and how much of what the regression says of it is left, both of
    shape (k,).
    """
    variance = np.empty(len(rows))
    left = np.ones(len(rows))
    own = np.uint64(0)
    if dropped >= 0:
        own = pattern_of_member(dropped)
    name = np.empty(len(rows), np.uint64)
    for k in range(len(rows)):
        variance[k] = met[rows[k]] * p[rows[k]] * (1.0 - p[rows[k]])
        name[k] = design.pattern[rows[k]] - own
    order = np.argsort(name).astype(np.int64)
    first = 0
    while first < len(rows):
        last = first + 1
        while last < len(rows) and name[order[last]] == name[order[first]]:
            last += 1
        alike = order[first:last]
        _settle_pattern(
            design, patterns, fires, name[alike[0]], dropped, theta, rows, alike, met, p, variance, left
        )
        first = last
    _settle_rows(design, fires, rows, met, dropped, p, strata, variance, left)
    return variance, left


@kernel
def _settle_pattern(
    design: Design,
    patterns: Patterns,
    fires: Float64,
    name: np.uint64,
    dropped: int,
    theta: Float64,
    rows: Int32,
    alike: Int64,
    met: Float64,
    p: Float64,
    variance: Float64,
    left: Float64,
) -> None:
    """Shift the log odds of one pattern, with which the same and the member left out is one."""
    first = np.searchsorted(patterns.name, name)
    last = np.searchsorted(patterns.name, name, side="right")
    more, most = first, first
    if dropped >= 0:
        both = name + pattern_of_member(dropped)
        more = np.searchsorted(patterns.name, both)
        most = np.searchsorted(patterns.name, both, side="right")
    tokens = patterns.before[last] - patterns.before[first] + patterns.before[most] - patterns.before[more]
    if tokens <= 4 * UNSETTLED:
        return
    members = np.concatenate((patterns.row[first:last], patterns.row[more:most]))
    eta = np.empty(len(members))
    foretold, known = 0.0, 0.0
    for k in range(len(members)):
        eta[k] = log_odds(design, members[k], theta)
        foretold += design.tokens[members[k]] * chance(eta[k])
        known += design.tokens[members[k]] * chance(eta[k]) * (1.0 - chance(eta[k]))
    fired = fires[members].sum()
    trust = _trust(known)
    # One firing too many where hardly any is foretold is no misfit, so the variance counts one more.
    if (fired - foretold) ** 2 > CUT * (known + 1.0):
        trust = max(trust, _trust(fired * (1.0 - fired / tokens)))
    if trust == 0.0:
        return
    level = _levels_of(design, members, dropped)
    leaf = np.empty(len(members), np.int64)
    shift, whole = grow(level, eta, design.tokens[members], fires[members], leaf)
    by_row = np.argsort(members)
    ascending = members[by_row]
    leaf_of, shifted = np.empty(len(alike), np.int64), np.empty(len(alike))
    told = np.zeros(len(shift))
    for a in range(len(alike)):
        row = rows[alike[a]]
        leaf_of[a] = leaf[by_row[np.searchsorted(ascending, row)]]
        shifted[a] = chance(math.log(p[row] / (1.0 - p[row])) + shift[leaf_of[a]])
        told[leaf_of[a]] += met[row] * shifted[a] * (1.0 - shifted[a])
    for a in range(len(alike)):
        row, of = rows[alike[a]], leaf_of[a]
        own_variance = met[row] * shifted[a] * (1.0 - shifted[a])
        rest = max(0.0, 1.0 - told[of] / whole[of])
        _believe(alike[a], row, trust, shifted[a], own_variance * rest, p, variance, left)


@kernel
def _trust(variance: float) -> float:
    """Return how far a count is taken at its word, 0 to 1."""
    return min(1.0, max(0.0, (variance - UNSETTLED) / (SETTLED - UNSETTLED)))


@kernel
def _believe(
    k: int, row: int, trust: float, share: float, told: float, p: Float64, variance: Float64, left: Float64
) -> None:
    """Move what is expected of the row at place `k`, and its variance, towards `share` and `told`."""
    p[row] += trust * (share - p[row])
    variance[k] += trust * (told - variance[k])
    left[k] *= 1.0 - trust


@kernel
def _levels_of(design: Design, rows: Int32, dropped: int) -> Float32:
    """Level of each graded member but the one left out in rows of one pattern, shape (rows, graded)."""
    columns = np.empty(len(design.column), np.int64)
    graded = 0
    first = design.start[rows[0]]
    for entry in range(first, design.start[rows[0] + 1]):
        a = np.searchsorted(design.column, design.place[entry], side="right") - 1
        if design.place[entry] == design.column[a] + 1 and a != dropped:
            columns[graded] = design.place[entry]
            graded += 1
    level = np.empty((len(rows), graded), np.float32)
    for k in range(len(rows)):
        at = 0
        for entry in range(design.start[rows[k]], design.start[rows[k] + 1]):
            if at < graded and design.place[entry] == columns[at]:
                level[k, at] = design.value[entry]
                at += 1
    return level


@kernel
def _settle_rows(
    design: Design,
    fires: Float64,
    rows: Int32,
    met: Float64,
    dropped: int,
    p: Float64,
    strata: Strata,
    variance: Float64,
    left: Float64,
) -> None:
    """Take each row at its share of firings, with the row that lacks the member left out."""
    stratum = rows.copy()
    for k in range(len(rows)):
        row = rows[k]
        if dropped >= 0:
            stratum[k] = row_without(dropped, row, design)
        s = stratum[k]
        if strata.other[s] == 0.0:
            strata.tokens[s] = design.tokens[s]
            strata.fires[s] = fires[s]
        if s != row:
            strata.tokens[s] += design.tokens[row]
            strata.fires[s] += fires[row]
        strata.other[s] += met[row]
    for k in range(len(rows)):
        row, s = rows[k], stratum[k]
        tokens = strata.tokens[s]
        share = strata.fires[s] / tokens
        trust = _trust(tokens * p[row] * (1.0 - p[row]))
        if trust > 0.0:
            told = met[row] * share * (1.0 - share) * (tokens - strata.other[s]) / (tokens - 1.0)
            _believe(k, row, trust, share, told, p, variance, left)
    for s in stratum:
        strata.other[s] = 0.0
