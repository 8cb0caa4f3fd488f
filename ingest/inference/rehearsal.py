"""The calibrated procedure on a part of a job: what each stage takes here, and how it grows.

Replicates are laid end to end, twice as many each time, until background and screen have taken long enough or
all replicates are there; a large site begins with an eighth of the first. Where not all are, ``x`` of ``R``
replicates and half as many give the rest::

    background, screen     on the line through both
    neighbourhoods, tests  in proportion to x^e, e from both, within 0 to 2

since evidence grows with the replicates, and with it the neighbourhoods. Regressions are timed on some of the
nodes (``ingest.inference.node_sample``).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from analysis.activations import Columns
from analysis.background import Background, background_of
from analysis.calibrated import CalibratedSettings
from analysis.firings import Firings, firings_of
from analysis.redraw import redrawn
from ingest.inference.calibration import TrialSeconds, timed
from ingest.inference.node_sample import Screened, screened, time_regressions

Read = Callable[[int], Columns]
"""Reads replicate ``k``."""
Screen = Callable[[Firings, Background], Screened]
"""Screens what was laid end to end."""

_LONG_ENOUGH = 4.0
"""Seconds that one more step may take."""
_MOST_FIRINGS = 100_000_000
"""Firings that are laid end to end, at most: 1.7 GB."""
_LARGE = 1_000_000
"""Firings of a replicate of which only a part is taken first."""
_FIRST_PART = 1 / 8
_STEEPEST = 2.0
"""Largest power of the replicates in which regressions are taken to grow."""


@dataclass(frozen=True)
class Rehearsal:
    """Seconds of the calibrated procedure.

    Parameters
    ----------
    laying_out, background, screen, neighbourhoods, tests
        Of all replicates together.
    real, null, drawing
        A trial on a replicate, a trial on a null one, and drawing that.
    amount
        Replicates that were laid end to end, or what part of one.
    """

    laying_out: float
    background: float
    screen: float
    neighbourhoods: float
    tests: float
    real: TrialSeconds
    null: TrialSeconds
    drawing: float
    amount: float


@dataclass(frozen=True)
class Step:
    """Some replicates laid end to end and screened, with the seconds of each part."""

    amount: float
    found: Screened
    laying_out: float
    background: float
    screen: float

    @property
    def seconds(self) -> float:
        """Seconds of the whole step."""
        return self.laying_out + self.background + self.screen


def rehearse(read: Read, replicates: int, settings: CalibratedSettings) -> Rehearsal:
    """Run the calibrated procedure on as many of `replicates` as a few seconds allow."""
    steps = steps_of(read, replicates, partial(screened, settings=settings))
    last = steps[-1]
    # Where all replicates are there nothing is to be extended.
    measured = steps if last.amount < replicates else steps[-1:]
    regressions = [time_regressions(step.found, settings, tests=True) for step in measured]
    amounts = [step.amount for step in measured]
    columns = beginning(read(0), min(1.0, last.amount))
    part, background = min(1.0, last.amount), last.found.background
    null, drawing = timed(lambda: redrawn(columns, background.loading, 0, 0, 0, background.crowd))
    return Rehearsal(
        laying_out=last.laying_out * replicates / last.amount,
        background=on_line(amounts, [step.background for step in measured], replicates),
        screen=on_line(amounts, [step.screen for step in measured], replicates),
        neighbourhoods=by_power(amounts, [made.nodes for made in regressions], replicates),
        tests=by_power(amounts, [made.tests for made in regressions], replicates),
        real=_trial(columns, part, background, settings),
        null=_trial(null, part, background, settings),
        drawing=drawing / part,
        amount=last.amount,
    )


def beginning(columns: Columns, part: float) -> Columns:
    """Return the first tokens of a replicate, a `part` of them in (0, 1]."""
    if part == 1.0:
        return columns
    tokens = max(1, int(part * columns.n_tokens))
    early = columns.token < tokens
    start = np.concatenate([np.zeros(1, np.int64), np.cumsum(early)])[columns.start]
    return Columns(start, columns.token[early], columns.value[early], tokens)


def on_line(amounts: Sequence[float], seconds: Sequence[float], wanted: float) -> float:
    """Return the seconds of the amount `wanted` on the line through two measured ones, or through 0."""
    if len(amounts) == 1:
        return seconds[-1] * wanted / amounts[-1]
    slope = max(0.0, (seconds[1] - seconds[0]) / (amounts[1] - amounts[0]))
    return seconds[1] + slope * (wanted - amounts[1])


def by_power(amounts: Sequence[float], seconds: Sequence[float], wanted: float) -> float:
    """Return the seconds of the amount `wanted` by the power that two measured ones show, 1 for one."""
    power = 1.0
    if len(amounts) == 2 and min(seconds) > 0:
        power = math.log(seconds[1] / seconds[0]) / math.log(amounts[1] / amounts[0])
    return float(seconds[-1] * (wanted / amounts[-1]) ** min(max(power, 0.0), _STEEPEST))


def steps_of(read: Read, replicates: int, screen: Screen) -> list[Step]:
    """Lay out and screen more and more replicates; returns the last two steps, or the one there is."""
    held = [read(0)]
    firings = len(held[0].token)
    amount = 1.0 if firings <= _LARGE else _FIRST_PART
    steps: list[Step] = []
    while True:
        held += [read(k) for k in range(len(held), math.ceil(amount))]
        steps = [*steps[-1:], _step(held, amount, screen)]
        following = min(float(replicates), 2 * amount)
        dear = steps[-1].seconds * following / amount > _LONG_ENOUGH or firings * following > _MOST_FIRINGS
        if amount == replicates or (dear and len(steps) == 2):
            return steps
        amount = following


def _step(held: Sequence[Columns], amount: float, screen: Screen) -> Step:
    replicates = [beginning(held[0], amount)] if amount < 1 else held
    firings, laying_out = timed(lambda: firings_of(replicates))
    background, of_background = timed(lambda: background_of(firings))
    found, of_screen = timed(lambda: screen(firings, background))
    return Step(amount, found, laying_out, of_background, of_screen)


def _trial(
    columns: Columns, part: float, background: Background, settings: CalibratedSettings
) -> TrialSeconds:
    """Estimate the seconds of a trial of which `columns` hold a `part` of the tokens."""
    firings, laying_out = timed(lambda: firings_of([columns]))
    found, screen = timed(lambda: screened(firings, background, settings))
    made = time_regressions(found, settings, tests=False)
    return TrialSeconds(laying_out / part, screen / part, made.nodes / part, made.choices / 2)
