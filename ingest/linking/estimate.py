"""How long linking two layers will take on this machine, and how much memory, from some seconds of measuring.

::

    seconds = start + hashing + 2 R reading + background, screens, neighbourhoods, tests + R reading

of both layers, the stages on as many replicates laid end to end as some seconds allow, and extended from
there (``ingest.inference.rehearsal``). The screens are that of the earlier layer within itself and that
across. What the overlap of the directions owes, and the loading of the links, are not measured; they take
seconds.
"""

from functools import partial
from time import perf_counter

import numba
import numpy as np

from analysis.activations import Columns
from analysis.background import Background
from analysis.calibrated import CalibratedSettings, screen_states
from analysis.columns import columns_of
from analysis.firings import Firings
from analysis.kernel import use_threads
from analysis.links import earlier_of, screen_links, side_by_side
from analysis.screen import Candidates
from ingest.inference.calibration import timed
from ingest.inference.config import InferConfig
from ingest.inference.estimate import Estimate, warm_up
from ingest.inference.memory import Plan, peak_bytes
from ingest.inference.node_sample import Screened, time_regressions
from ingest.inference.rehearsal import Step, by_power, on_line, steps_of
from ingest.linking.config import LinkConfig
from ingest.linking.pair import Pair
from ingest.linking.size import size_of_pair


def estimate_link(pair: Pair, config: LinkConfig, threads: int | None = None) -> Estimate:
    """Estimate a linking job from its two samples directories; writes nothing there.

    Raises
    ------
    DataError
        A replicate that is read breaks the format.
    """
    began = perf_counter()
    replicates = pair.replicates(config.replicates)
    use_threads(threads)
    start = warm_up(InferConfig())
    first, reading = timed(lambda: _read(pair, 0))
    _, hashing = timed(lambda: (pair.lower.digests(1), pair.upper.digests(1)))
    lower, settings = pair.lower.n_features, config.settings()
    screen = partial(_screened, lower=lower, settings=settings)
    steps = steps_of(lambda k: _read(pair, k) if k else first, replicates, screen)
    measured = steps if steps[-1].amount < replicates else steps[-1:]
    amounts = [step.amount for step in measured]
    within = [time_regressions(_only(step, 0, lower), settings, tests=False) for step in measured]
    across = [time_regressions(_only(step, lower, None), settings, tests=True) for step in measured]
    nodes = [one.nodes + other.nodes for one, other in zip(within, across, strict=True)]
    stages = {
        "start": start,
        "reading": hashing * replicates,
        # Each replicate is read twice to be laid end to end.
        "pooling": 2 * replicates * reading + measured[-1].laying_out * replicates / amounts[-1],
        "background": on_line(amounts, [step.background for step in measured], replicates),
        "screens": on_line(amounts, [step.screen for step in measured], replicates),
        "neighbourhoods": by_power(amounts, nodes, replicates),
        "tests": by_power(amounts, [made.tests for made in across], replicates),
        "what is carried": 2 * replicates * reading,
    }
    memory = peak_bytes(size_of_pair(pair, replicates, config), Plan(numba.get_num_threads()))
    return Estimate(stages, memory, perf_counter() - began, amounts[-1])


def _read(pair: Pair, k: int) -> Columns:
    return side_by_side(*(columns_of(side.read(k).activations) for side in (pair.lower, pair.upper)))


def _screened(firings: Firings, background: Background, lower: int, settings: CalibratedSettings) -> Screened:
    """Screen the earlier layer within itself, and all pairs across, as a job does."""
    _, within = screen_states(earlier_of(firings, lower), background.of_first(lower), settings)
    part, across = screen_links(firings, lower, background, settings)
    feature = np.concatenate([within.feature, across.feature[lower:]])
    evidence = np.concatenate([within.correlation, across.correlation[lower:]])
    return Screened(firings, background, part, Candidates(feature, evidence, across.threshold, across.passed))


def _only(step: Step, first: int, last: int | None) -> Screened:
    """Leave the nodes of one layer to be drawn; the candidates are those of both."""
    found = step.found
    part = np.zeros_like(found.part)
    part[first:last] = found.part[first:last]
    return Screened(found.firings, found.background, part, found.candidates)
