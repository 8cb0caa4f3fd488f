"""The calibrated procedure: edges whose stated false discovery rate holds for conditional dependence.

1. Activity: a loading for each feature on how busy the token is (``analysis.loadings``), and how long each
   feature lasts (``analysis.bursts``), from all replicates together.
2. Screen: exact tails of the co-firing counts of all replicates together (``analysis.excess``).
3. Neighbourhoods: nodewise LASSO on the firing states, covariances cleared of the activity, EBIC; refitted
   without the penalty, and what is then not worth its price removed (``analysis.backward``). Once more with
   the pairs that exclude each other where a neighbour of both fires (``analysis.exclusions``). To these comes
   the candidate whose magnitude tells most of the feature (``analysis.grading``).
4. Tests: every pair in which either chose the other, from both ends, given both neighbourhoods
   (``analysis.conditional``).
5. q: Benjamini-Hochberg over all F (F - 1) / 2 pairs; those never tested count as tests that do not reject.

All replicates serve both to select and to test. That is allowed because the multiplicity is that of all
pairs, not of those selected: the p of a pair would be the same had it been named beforehand, up to the choice
of its neighbourhood. Splitting the replicates instead, to select on one half and test on the other, lowers
the multiplicity and loses half of the evidence, which costs more.

A trial is steps 2 and 3 on one replicate, with edges by the AND rule: the counts over replicates that the
published procedure reads, with its faults cured.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from analysis.activations import Bool, Columns, Float64, Int32, Int64
from analysis.background import Background
from analysis.columns import Moments, moments_of
from analysis.conditional import Keeping, Neighbourhoods, conditional_tests, keep_nothing
from analysis.edges import mutual_edges
from analysis.excess import screen_excess
from analysis.exclusions import exclusions_of, joined
from analysis.firings import Firings, states_of
from analysis.grading import graded_of, most_telling
from analysis.nodewise import Fits, nodewise
from analysis.screen import Candidates
from analysis.trial import Trial, TrialSettings, concluded


@dataclass(frozen=True)
class CalibratedSettings(TrialSettings):
    """Settings of the calibrated procedure, whose screen is the looser one: its tests decide."""

    q: float = 0.1


@dataclass(frozen=True)
class Dependence:
    """Pairs that were tested, ascending by source, then target.

    Parameters
    ----------
    source, target : shape (pairs,)
        The pairs, ``source < target``.
    q_value : shape (pairs,)
        Least level of the false discovery rate at which the pair is kept.
    partial_correlation, standard_error : shape (pairs,)
        Of the firing states given both neighbourhoods; the error is nan for one replicate.
    candidates
        What the screen let through.
    joint
        Pairs tested once more, given the neighbourhoods of both.
    not_converged
        Regressions that did not converge.
    """

    source: Int32
    target: Int32
    q_value: Float64
    partial_correlation: Float64
    standard_error: Float64
    candidates: Candidates
    joint: int
    not_converged: int


class Stages:
    """What is done before the long stages of `dependence_of`, when it is known what they hold: nothing."""

    def neighbourhoods(self, candidates: Candidates) -> None:
        """Neighbourhoods are about to be sought among `candidates`."""

    def tests(self, known: Neighbourhoods, source: Int32, target: Int32) -> None:
        """Pairs are about to be tested, given neighbourhoods."""


def calibrated_trial(firings: Firings, background: Background, settings: CalibratedSettings) -> Trial:
    """Run one trial on one replicate (or on a null one)."""
    frequent = firings.count >= settings.min_activations
    part, candidates, fits = _select(firings, background, settings)
    edges = mutual_edges(candidates.feature, candidates.correlation, fits.coefficient)
    return concluded(frequent, part, candidates, fits, edges)


def dependence_of(
    firings: Firings,
    background: Background,
    settings: CalibratedSettings,
    keeping: Keeping = keep_nothing,
    stages: Stages = Stages(),  # noqa: B008  does nothing
) -> Dependence:
    """Test all pairs on all replicates together.

    Parameters
    ----------
    firings, background, settings
        Firing states of all replicates, what is known of them, and how they are looked at.
    keeping
        Makes the tests in parts; they are long.
    stages
        Told when the search for neighbourhoods and the tests begin.
    """
    _, candidates = screen_states(firings, background, settings)
    stages.neighbourhoods(candidates)
    candidates, neighbourhoods = neighbourhoods_within(firings, background, settings, candidates)
    source, target = neighbourhoods.pairs()
    stages.tests(neighbourhoods, source, target)
    tests = conditional_tests(
        firings, background, neighbourhoods, source, target, firings.pairs, keeping=keeping
    )
    return Dependence(
        source,
        target,
        q_values(np.exp(-np.abs(tests.evidence)), firings.pairs),
        tests.partial_correlation,
        tests.standard_error,
        candidates,
        tests.joint,
        tests.not_converged,
    )


def q_values(p: Float64, hypotheses: int) -> Float64:
    """Benjamini-Hochberg q of each of `p` among `hypotheses`, those not given being 1."""
    order = np.argsort(p, kind="stable")
    ratio = p[order] * hypotheses / np.arange(1, len(p) + 1)
    q = np.empty(len(p))
    q[order] = np.minimum(1.0, np.minimum.accumulate(ratio[::-1])[::-1])
    return q


def takes_part(firings: Firings, settings: CalibratedSettings) -> Bool:
    """Say which features take part, shape (F,): those that fire often enough, and not always."""
    return np.asarray(
        (firings.count >= settings.min_activations) & (firings.count < firings.n_tokens), np.bool_
    )


def screen_states(
    firings: Firings, background: Background, settings: CalibratedSettings
) -> tuple[Bool, Candidates]:
    """Screen all pairs of the features that take part; returns which do, shape (F,), and what passes."""
    part = takes_part(firings, settings)
    return part, screen_excess(
        firings,
        background.loading,
        background.lasting,
        part,
        settings.q,
        settings.candidates,
        background.crowd,
    )


def _select(
    firings: Firings, background: Background, settings: CalibratedSettings
) -> tuple[Bool, Candidates, Fits]:
    """Screen, and choose neighbourhoods."""
    part, candidates = screen_states(firings, background, settings)
    states = states_of(firings)
    return part, candidates, fit_neighbourhoods(states, moments_of(states), candidates, background, settings)


def fit_neighbourhoods(
    states: Columns,
    moments: Moments,
    candidates: Candidates,
    background: Background,
    settings: CalibratedSettings,
) -> Fits:
    """Regress the firing states of every feature on those of its candidates.

    Parameters
    ----------
    states, moments
        Firing states as activations of 1, and their moments.
    candidates, background, settings
        What may be chosen, what the features do of themselves, and the path of penalties.
    """
    return nodewise(
        states, moments, candidates, settings.path, background.loading, background.crowd, refit=True
    )


def fit_with_missing(
    firings: Firings,
    background: Background,
    settings: CalibratedSettings,
    candidates: Candidates,
    missing: Callable[[Int64, Int64], tuple[Int32, Int32]],
) -> tuple[Candidates, Float64]:
    """Regress every feature on its candidates, and once more those to which the screen owes some.

    Parameters
    ----------
    firings, background, settings
        As of `dependence_of`.
    candidates
        What the screen let through.
    missing
        Given what the regressions chose, as `members_of` lists it, says which features lack a candidate, and
        which.

    Returns
    -------
    The candidates with those that lacked, and what the regressions made of them, shape (F, K).
    """
    states = states_of(firings)
    moments = moments_of(states)
    coefficient = fit_neighbourhoods(states, moments, candidates, background, settings).coefficient
    more = joined(candidates, coefficient, *missing(*members_of(candidates.feature, coefficient)))
    again = (more.feature != candidates.feature).any(axis=1)[:, np.newaxis]
    only = replace(more, feature=np.where(again, more.feature, np.int32(-1)))
    found = fit_neighbourhoods(states, moments, only, background, settings).coefficient
    return more, np.where(again, found, coefficient)


def neighbourhoods_within(
    firings: Firings, background: Background, settings: CalibratedSettings, candidates: Candidates
) -> tuple[Candidates, Neighbourhoods]:
    """Find the neighbourhoods, also among pairs that only a neighbour of both shows to exclude each other."""

    def exclusions(start: Int64, member: Int64) -> tuple[Int32, Int32]:
        one, other = exclusions_of(firings, background.lasting, start, member, candidates.threshold)
        return np.concatenate([one, other]), np.concatenate([other, one])

    more, coefficient = fit_with_missing(firings, background, settings, candidates, exclusions)
    return more, neighbourhoods_of(firings, more.feature, coefficient)


def neighbourhoods_of(firings: Firings, candidate: Int32, coefficient: Float64) -> Neighbourhoods:
    """List the candidates of each feature whose coefficient is not 0, ascending, and the most telling one.

    A feature may follow how strongly another fires and not, given the others, whether it does. Then no
    regression on firing states chooses that other; its levels name it.

    Parameters
    ----------
    firings
        Firing states and levels, which say too which members count by their levels (``analysis.grading``).
    candidate, coefficient : shape (F, K)
        Candidates, -1 where there is none, and what the regressions made of them.
    """
    telling = candidate == most_telling(firings, candidate)[:, np.newaxis]
    start, member = members_of(candidate, np.where(telling, 1.0, coefficient))
    return Neighbourhoods(start, member, graded_of(firings, start, member))


def members_of(candidate: Int32, coefficient: Float64) -> tuple[Int64, Int64]:
    """Candidates whose coefficient is not 0: the first of each feature, shape (F + 1,), and all of them."""
    feature, place = np.nonzero((coefficient != 0) & (candidate >= 0))
    member = candidate[feature, place].astype(np.int64)
    start = np.searchsorted(feature, np.arange(len(candidate) + 1)).astype(np.int64)
    return start, member[np.lexsort((member, feature))]
