"""The regressions of the calibrated procedure and their tests, timed on some of the nodes.

Nodes are drawn evenly over the features in the order of their firings, more and more until they take long
enough; a small site is done whole. With ``S_i`` what node ``i`` chose and a sample of ``m`` of ``F`` nodes::

    neighbourhoods    F / m  nodewise(sample)
    tests             F / m  tests of {i, j in S_i}, where only nodes of the sample have a neighbourhood
                      + choices / drawn  joint tests of some {i, j in S_i}, where both ends have one

In the first line of the tests an end without a neighbourhood costs about what the score of a feature outside
of one does. A pair that both ends chose is two choices: of those drawn only that of its lower index counts.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numba
import numpy as np

from analysis.activations import Bool, Int32, Int64
from analysis.background import Background
from analysis.calibrated import CalibratedSettings, fit_neighbourhoods, neighbourhoods_of, screen_states
from analysis.columns import moments_of
from analysis.conditional import Neighbourhoods, PairTests, conditional_tests
from analysis.firings import Firings, states_of
from analysis.screen import Candidates
from ingest.inference.calibration import timed

_LONG_ENOUGH = 1.5
"""Seconds after which no more nodes are drawn."""
_FIRST = 8
"""Nodes drawn first, for each thread."""
_PARTNERS = 2
"""Choices tested from both ends, for each node of the sample."""
_LEVEL = 0.1
"""Largest q of interest, as in a job."""
_NOTHING = 1e-307
"""Level at which no pair is of interest, so that none is tested jointly."""


@dataclass(frozen=True)
class Screened:
    """Firings, and what the screen made of them.

    Parameters
    ----------
    firings, background
        Of one replicate or of several.
    part : shape (F,)
        Which features take part.
    candidates
        What passed.
    """

    firings: Firings
    background: Background
    part: Bool
    candidates: Candidates


@dataclass(frozen=True)
class Regressions:
    """What follows a screen.

    Parameters
    ----------
    nodes, tests
        Seconds of all neighbourhoods, and of all tests; the latter 0 where none were made.
    choices
        Members of all neighbourhoods.
    """

    nodes: float
    tests: float
    choices: float


Choose = Callable[[Int64], Neighbourhoods]
"""Finds the neighbourhoods of some nodes; all others have none."""


def screened(firings: Firings, background: Background, settings: CalibratedSettings) -> Screened:
    """Screen all pairs as a job does."""
    part, candidates = screen_states(firings, background, settings)
    return Screened(firings, background, part, candidates)


def time_regressions(found: Screened, settings: CalibratedSettings, tests: bool) -> Regressions:
    """Estimate the seconds of all neighbourhoods, and of all `tests` where these are wanted."""
    choose, every = _chooser(found, settings), int(found.part.sum())
    number = _FIRST * numba.get_num_threads()
    while True:
        nodes = drawn(found, number)
        chosen, fitting = timed(partial(choose, nodes))
        level = _NOTHING if number < every else _LEVEL
        testing = timed(partial(_test, found, chosen, *chosen.pairs(), level))[1] if tests else 0.0
        if fitting + testing >= _LONG_ENOUGH or number >= every:
            break
        number *= 2
    scale = every / max(1, len(nodes))
    choices = scale * len(chosen.member)
    jointly = _joint_seconds(found, choose, chosen, choices) if tests and number < every else 0.0
    return Regressions(fitting * scale, testing * scale + jointly, choices)


def drawn(found: Screened, number: int) -> Int64:
    """Draw `number` nodes or a few less, one of each run of the features in the order of their firings."""
    taking_part = np.flatnonzero(found.part)
    if number >= len(taking_part):
        return taking_part
    order = taking_part[np.argsort(found.firings.count[taking_part], kind="stable")]
    place = (np.arange(number) + np.random.default_rng(0).random(number)) * (len(order) / number)
    return np.unique(order[place.astype(np.int64)])


def _chooser(found: Screened, settings: CalibratedSettings) -> Choose:
    states = states_of(found.firings)
    moments = moments_of(states)

    def choose(nodes: Int64) -> Neighbourhoods:
        candidate = np.full_like(found.candidates.feature, -1)
        candidate[nodes] = found.candidates.feature[nodes]
        only = replace(found.candidates, feature=candidate)
        fits = fit_neighbourhoods(states, moments, only, found.background, settings)
        return neighbourhoods_of(found.firings, candidate, fits.coefficient)

    return choose


def _test(found: Screened, known: Neighbourhoods, source: Int32, target: Int32, level: float) -> PairTests:
    return conditional_tests(
        found.firings, found.background, known, source, target, found.firings.pairs, level
    )


def _joint_seconds(found: Screened, choose: Choose, chosen: Neighbourhoods, choices: float) -> float:
    """Estimate the seconds of all joint tests, given the neighbourhoods of a sample, and all choices."""
    node, other = chosen.choices()
    if not len(node):
        return 0.0
    looked_at = min(len(node), _PARTNERS * len(np.unique(node)))
    some = np.sort(np.random.default_rng(1).choice(len(node), looked_at, replace=False))
    node, other = node[some], other[some]
    known = choose(np.union1d(node, other))
    mutual = np.isin(_keys(other, node), _keys(*known.choices()))
    once = ~mutual | (node < other)
    pairs = choices * float(once.mean())
    # As much evidence as a job would ask of each, whose tests are more.
    level = _LEVEL * pairs / max(1, int(once.sum()))
    ends: tuple[Int32, Int32] = (node[once].astype(np.int32), other[once].astype(np.int32))
    jointly, with_joint = timed(lambda: _test(found, known, *ends, level))
    if not jointly.joint:
        return 0.0
    _, without = timed(lambda: _test(found, known, *ends, _NOTHING))
    # No more are tested jointly than there are features.
    scale = min(choices / looked_at, found.firings.n_features / jointly.joint)
    return max(0.0, with_joint - without) * scale


def _keys(node: Int64, other: Int64) -> Int64:
    return (node << 32) | other
