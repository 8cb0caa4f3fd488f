"""Links: the features of an earlier layer that a feature of a later one depends on.

The calibrated procedure (``analysis.calibrated``), of two layers that were sampled at the same tokens. Their
features stand side by side, the earlier layer's first.

1. Background: the activity of a token and how long features last, from the features of both layers.
2. Neighbourhoods of the earlier layer's features among themselves, as within a layer.
3. Screen of all pairs across (``analysis.across``), and nodewise regressions of each later feature on its
   candidates. Once more with those that only show by preventing.
4. Tests: each pair of a later feature ``j`` and an earlier one ``i`` that it chose, from both ends
   (``analysis.conditional``). What a later feature does is made of what fires earlier, so given the features
   it is made of it depends on no other: the test from its end. Given its neighbourhood in its own layer ``i``
   depends on none of the others there, and so on nothing that is made of them alone: the test from the end of
   ``i``. Either is enough, so a false link needs both to be wrong; a pair that only one end shows is tested
   once more, given both.
   What the overlap of the two dictionaries accounts for by itself is no evidence (``analysis.interference``).
5. q: Benjamini-Hochberg over all ``F_lower F_upper`` pairs.

What two later features have in common beside the earlier layer is no part of a link: later features are never
regressed on each other.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analysis.across import inhibitors_of, screen_across
from analysis.activations import Bool, Columns, Float64, Int32, Int64
from analysis.background import Background
from analysis.calibrated import (
    CalibratedSettings,
    Stages,
    fit_with_missing,
    neighbourhoods_of,
    neighbourhoods_within,
    q_values,
    screen_states,
    takes_part,
)
from analysis.conditional import Keeping, Neighbourhoods, conditional_tests, keep_nothing
from analysis.errors import DataError
from analysis.firings import Firings
from analysis.screen import Candidates

Overlap = Callable[[Int32, Int32], Float64]


def no_overlap(source: Int32, _: Int32) -> Float64:
    """Say that directions add nothing."""
    return np.zeros((len(source), 2))


@dataclass(frozen=True)
class LinkTests:
    """Pairs across that were tested, ascending by target, then source.

    Parameters
    ----------
    source : shape (pairs,)
        Features of the earlier layer.
    target : shape (pairs,)
        Features of the later layer, by its own numbers.
    q_value : shape (pairs,)
        Least level of the false discovery rate at which the pair is kept.
    partial_correlation, standard_error : shape (pairs,)
        Of the firing states given both neighbourhoods; the error is nan for one replicate.
    passed
        Pairs that pass the screen.
    full
        Later features whose list of candidates is full.
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
    passed: int
    full: int
    joint: int
    not_converged: int


def side_by_side(lower: Columns, upper: Columns) -> Columns:
    """Put two layers at the same tokens side by side, the earlier first.

    Raises
    ------
    DataError
        They differ in their number of tokens.
    """
    if lower.n_tokens != upper.n_tokens:
        raise DataError(
            f"the earlier layer has {lower.n_tokens} tokens and the later {upper.n_tokens}; "
            "expected the same tokens, sample both layers together"
        )
    return Columns(
        np.concatenate([lower.start, lower.start[-1] + upper.start[1:]]),
        np.concatenate([lower.token, upper.token]),
        np.concatenate([lower.value, upper.value]),
        lower.n_tokens,
    )


def earlier_of(firings: Firings, lower: int) -> Firings:
    """Return the first `lower` features, without a copy."""
    last = firings.start[lower]
    return Firings(firings.start[: lower + 1], firings.token[:last], firings.level[:last], firings.bounds)


def link_tests_of(
    firings: Firings,
    lower: int,
    background: Background,
    settings: CalibratedSettings,
    keeping: Keeping = keep_nothing,
    stages: Stages = Stages(),  # noqa: B008  does nothing
    overlap: Overlap = no_overlap,
) -> LinkTests:
    """Test all pairs across on all replicates together.

    Parameters
    ----------
    firings, lower
        Firing states of both layers at all replicates, and the number of features of the earlier one, which
        come first.
    background, settings
        What is known of all these features, and how they are looked at.
    keeping
        Makes the tests in parts; they are long.
    stages
        Told when the searches for neighbourhoods and the tests begin.
    overlap
        Says of pairs, earlier features and later ones by their own numbers, what their directions add to how
        often they fire together, shape (pairs, 2), at the least and at the most.
    """
    candidates, known = _neighbourhoods(firings, lower, background, settings, stages)
    feature, member = known.choices()
    source, target = (ends[feature >= lower].astype(np.int32) for ends in (member, feature))
    stages.tests(known, source, target)
    hypotheses = lower * (firings.n_features - lower)
    tests = conditional_tests(
        firings,
        background,
        known,
        source,
        target,
        hypotheses,
        keeping=keeping,
        slack=overlap(source, target - np.int32(lower)),
    )
    return LinkTests(
        source,
        target - np.int32(lower),
        q_values(np.exp(-np.abs(tests.evidence)), hypotheses),
        tests.partial_correlation,
        tests.standard_error,
        candidates.passed,
        int((candidates.feature[:, -1] >= 0).sum()),
        tests.joint,
        tests.not_converged,
    )


def screen_links(
    firings: Firings, lower: int, background: Background, settings: CalibratedSettings
) -> tuple[Bool, Candidates]:
    """Screen all pairs across of features that take part; returns which do, shape (F,), and what passes."""
    part = takes_part(firings, settings)
    return part, screen_across(
        firings,
        lower,
        background.loading,
        background.lasting,
        part,
        settings.q,
        settings.candidates,
        background.crowd,
    )


def _neighbourhoods(
    firings: Firings, lower: int, background: Background, settings: CalibratedSettings, stages: Stages
) -> tuple[Candidates, Neighbourhoods]:
    """Find what the features of the earlier layer, and those of the later one, depend on in the earlier."""
    earlier = earlier_of(firings, lower)
    of_earlier = background.of_first(lower)
    _, within = screen_states(earlier, of_earlier, settings)
    stages.neighbourhoods(within)
    _, own = neighbourhoods_within(earlier, of_earlier, settings, within)
    _, candidates = screen_links(firings, lower, background, settings)
    stages.neighbourhoods(candidates)

    def inhibitors(start: Int64, member: Int64) -> tuple[Int32, Int32]:
        return inhibitors_of(firings, lower, background.lasting, start, member, candidates.threshold)

    more, coefficient = fit_with_missing(firings, background, settings, candidates, inhibitors)
    across = neighbourhoods_of(firings, more.feature, coefficient)
    return more, Neighbourhoods(
        np.concatenate([own.start, own.start[-1] + across.start[lower + 1 :]]),
        np.concatenate([own.member, across.member]),
        np.concatenate([own.graded, across.graded]),
    )
