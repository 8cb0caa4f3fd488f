"""The neighbourhoods and tests of all replicates together, on as many threads as memory has room for.

A thread holds one regression at a time. With ``f`` firings of what a feature is regressed on, ``g`` of those
that count by their levels too, and ``n`` tokens, bytes of one thread::

    a neighbourhood    16 f + 4 n + 16 (K + 1)^2        f of the candidates, and of the feature itself
    a test             90 f + 48 g + 5 n + 8 m          m firings of the feature tested against it
    all together       9 z + 20 F K                     z firings of all features; 5 z while tests are made,
                       and then 400 for each pair       and the figures of both ends

A test makes rows of alike tokens (``analysis.design``): 25 bytes a firing and 33 a row as they branch; then
164 a row, strata among them, and 8 an entry, one for each firing, two more where levels count and one for
each of at most four steps. There were at most .46 rows a firing on dense sites, and .5 are allowed for, which
makes the latter the larger.

The candidates are known before the neighbourhoods are sought, and these before the tests. Only which pairs
are tested jointly is not: any may be, and then the members of both ends count. Threads change no result.
"""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import numpy as np

from analysis.activations import Bool, Float64, Int32, Int64
from analysis.background import Background
from analysis.calibrated import CalibratedSettings, Dependence, Stages, dependence_of
from analysis.conditional import ALONE, Keeping, Neighbourhoods
from analysis.firings import Firings
from analysis.kernel import use_threads
from analysis.screen import Candidates
from ingest.inference.memory import LINKED, TESTED, TESTED_GRADED, Allowance

Tests = TypeVar("Tests")

_PAIR = 400
"""Bytes of a pair while it is tested: its figures by part, by end, and in order."""


def dependence_within(
    firings: Firings,
    background: Background,
    settings: CalibratedSettings,
    keeping: Keeping,
    allowance: Allowance,
) -> Dependence:
    """Do what ``analysis.calibrated.dependence_of`` does, within `allowance`; the result is the same.

    Raises
    ------
    MisuseError
        A regression does not fit on one thread.
    """
    test = partial(dependence_of, firings, background, settings)
    return tested_within(firings, settings, keeping, allowance, test)


def tested_within(
    firings: Firings,
    settings: CalibratedSettings,
    keeping: Keeping,
    allowance: Allowance,
    test: Callable[[Keeping, Stages], Tests],
) -> Tests:
    """Make tests within `allowance`; what they say is the same.

    Parameters
    ----------
    firings, settings
        What is tested, and how it is looked at.
    keeping
        Makes the tests in parts.
    allowance
        What they may use.
    test
        Makes the tests, in parts and with a word before each long stage, as
        ``analysis.calibrated.dependence_of`` does.

    Raises
    ------
    MisuseError
        A regression does not fit on one thread.
    """
    budget = _Budget(firings, settings.candidates, allowance)
    try:
        return test(budget.threaded(keeping), budget)
    finally:
        use_threads(allowance.threads)


class _Budget(Stages):
    """Sets the threads of each stage when it is known what it holds."""

    def __init__(self, firings: Firings, most_candidates: int, allowance: Allowance) -> None:
        self._firings = firings
        self._most_candidates = most_candidates
        self._allowance = allowance
        self._alone = self._jointly = allowance.threads

    def neighbourhoods(self, candidates: Candidates) -> None:
        """Set the threads that seek neighbourhoods."""
        # of an earlier layer alone, where links are sought
        count = self._firings.count[: len(candidates.feature)]
        a_thread = bytes_of_neighbourhood(count, self._firings.n_tokens, candidates.feature)
        data = bytes_of_data(self._firings, self._most_candidates)

        def fitting(room: float) -> int:
            return threads_within(np.zeros(0), a_thread, room, self._allowance.threads)

        use_threads(self._allowance.threads_for("the search for neighbourhoods", data, fitting, a_thread))

    def tests(self, known: Neighbourhoods, source: Int32, target: Int32) -> None:
        """Choose the threads for tests given one neighbourhood, and for those given both."""
        count = self._firings.count
        both = bytes_of_joint_tests(count, known, source, target, self._allowance.threads)
        # Known to be too much before hours of the first kind of tests, not after them.
        self._jointly = self._threads(both, len(source))
        self._alone = self._threads(bytes_of_tests(count, known), len(source))

    def threaded(self, keeping: Keeping) -> Keeping:
        """Make the parts of the tests on so many threads."""

        def keep(name: str, number: int, count: int, make: Callable[[], Float64]) -> Float64:
            use_threads(self._alone if name == ALONE else self._jointly)
            return keeping(name, number, count, make)

        return keep

    def _threads(self, need: Float64, pairs: int) -> int:
        most = float(self._firings.count.max(initial=0))
        each = 5 * self._firings.n_tokens + 8 * most

        def fitting(room: float) -> int:
            return threads_within(need, each, room, self._allowance.threads)

        least = each + float(need.max(initial=0.0))
        data = bytes_of_data(self._firings, self._most_candidates, pairs)
        return self._allowance.threads_for("the largest test", data, fitting, least)


def bytes_of_data(firings: Firings, candidates: int, pairs: int | None = None) -> float:
    """Bytes of what is regressed, `candidates` a feature at most, and of the `pairs` tested once they are."""
    lists = 20 * firings.n_features * candidates
    each, tested = (9, 0) if pairs is None else (5, _PAIR * pairs)
    return float(each * len(firings.token) + lists + tested)


def bytes_of_neighbourhood(count: Int64, n_tokens: int, candidate: Int32) -> float:
    """Bytes of a thread that seeks neighbourhoods among the candidates, shape (F, K), -1 where there is none.

    Parameters
    ----------
    count : shape (F,)
        Firings of each feature.
    """
    listed = count + np.where(candidate >= 0, count[np.maximum(candidate, 0)], 0).sum(axis=1)
    return float(LINKED * listed.max(initial=0) + 4 * n_tokens + 16 * (candidate.shape[1] + 1) ** 2)


def bytes_of_tests(count: Int64, known: Neighbourhoods) -> Float64:
    """Bytes that the test of each feature on its neighbourhood holds beside what every thread does, (F,)."""
    fires = count[known.member]
    return TESTED * _sums(known.start, fires) + TESTED_GRADED * _sums(known.start, fires * known.graded)


def bytes_of_joint_tests(
    count: Int64, known: Neighbourhoods, source: Int32, target: Int32, most: int
) -> Float64:
    """Bytes of the largest tests, `most` of them or less, given the neighbourhoods of both ends of a pair."""
    alone = bytes_of_tests(count, known)
    # What both ends have in common counts once, which is looked at only where it may matter.
    bound = alone[source] + alone[target]
    largest: list[float] = []
    for pair in np.argsort(-bound, kind="stable"):
        if len(largest) == most and largest[-1] >= bound[pair]:
            break
        i, j = source[pair], target[pair]
        need = _joint_bytes(count, known, i, j)
        largest = sorted([*largest, need], reverse=True)[:most]
    return np.array(largest)


def _joint_bytes(count: Int64, known: Neighbourhoods, i: int, j: int) -> float:
    of = [slice(known.start[k], known.start[k + 1]) for k in (i, j)]
    members = np.setdiff1d(np.concatenate([known.member[k] for k in of]), [i, j])
    graded = np.setdiff1d(np.concatenate([known.member[k][known.graded[k]] for k in of]), [i, j])
    return float(TESTED * count[members].sum() + TESTED_GRADED * count[graded].sum())


def threads_within(need: Float64, each: float, room: float, most: int) -> int:
    """Return how many threads fit in `room` bytes, 0 to `most`.

    Parameters
    ----------
    need
        Bytes of each regression; those that need most may come side by side.
    each
        Bytes of a thread whatever it regresses.
    """
    largest = np.zeros(most)
    found = np.sort(need)[::-1][:most]
    largest[: len(found)] = found
    return int(np.searchsorted(np.cumsum(largest + each), room, side="right"))


def _sums(start: Int64, values: Int64 | Bool) -> Float64:
    """Sum each run ``values[start[i]:start[i + 1]]``."""
    total = np.concatenate([np.zeros(1, np.int64), np.cumsum(values)])
    return np.asarray(total[start[1:]] - total[start[:-1]], np.float64)
