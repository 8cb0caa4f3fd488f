"""How long an inference will take on this machine, and how much memory, from some seconds of measuring.

::

    seconds = start + hashing + pooled stages + R (reading + real trial + M (null + its trial))
            + counting edges + R (reading + words)

Every term is measured on the samples themselves: trials on one replicate, and the stages that the calibrated
procedure adds, on all replicates together, on as many as some seconds allow (``ingest.inference.rehearsal``).
All replicates are counted, whatever ``--stable`` may spare.

Before there are samples made-up features of their size are measured. They depend on nothing, which is much
work for the published procedure and the least for the calibrated one, which tests what depends.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from time import perf_counter

import numba
import numpy as np

from analysis.activations import Columns, Samples
from analysis.background import background_of
from analysis.calibrated import calibrated_trial, dependence_of
from analysis.columns import columns_of
from analysis.edges import Edges
from analysis.firings import firings_of
from analysis.kernel import use_threads
from analysis.redraw import redrawn
from analysis.stability import count_edges
from ingest.inference.calibration import (
    TrialSeconds,
    noise,
    process_seconds,
    time_shuffle,
    time_trial,
    timed,
)
from ingest.inference.config import InferConfig
from ingest.inference.gathering import part_of
from ingest.inference.memory import Plan, peak_bytes
from ingest.inference.rehearsal import Rehearsal, rehearse
from ingest.inference.size import JobSize, size_of
from ingest.inference.words import Words
from ingest.samples_directory import SamplesDirectory

_COMPILING = 5.0
"""Seconds beyond which the first run of the kernels has compiled them, which a job need not do again."""
_WORD_SHARE = 8


@dataclass(frozen=True)
class Estimate:
    """What a job will take.

    Parameters
    ----------
    stages
        Seconds by stage.
    memory
        Peak in bytes.
    took
        Seconds that the estimate itself took.
    pooled
        Replicates together on which the stages of all together were measured, below 1 for a part of one; None
        where there are no such stages.
    """

    stages: Mapping[str, float]
    memory: float
    took: float
    pooled: float | None = None

    @property
    def seconds(self) -> float:
        """Seconds of the whole job."""
        return sum(self.stages.values())

    @property
    def seconds_once_started(self) -> float:
        """The same for a process that has its libraries loaded."""
        return self.seconds - self.stages["start"]


def estimate(samples: SamplesDirectory, config: InferConfig, threads: int | None = None) -> Estimate:
    """Estimate an inference from its samples directory; writes nothing there.

    Raises
    ------
    DataError
        A replicate that is read breaks the format.
    """
    began = perf_counter()
    size = size_of(samples, config)
    use_threads(threads)
    start = warm_up(config)
    replicate, reading = timed(lambda: samples.read(0))
    _, hashing = timed(lambda: samples.digests(1))
    words = 0.0 if samples.vocabulary is None else _word_seconds(replicate)
    columns, transposing = timed(lambda: columns_of(replicate.activations))
    pooled = None
    if config.procedure == "published":
        stages = _published(size, config, replicate, 1.0, reading + transposing)
    else:
        found = rehearse(_reader(samples, columns), size.replicates, config.calibrated())
        stages = _calibrated(size, found, reading + transposing)
        pooled = found.amount
    stages = {"start": start, "reading": hashing * size.replicates, **stages}
    stages["words"] = size.replicates * (words + reading) if words else 0.0
    return Estimate(stages, _peak(size), perf_counter() - began, pooled)


def estimate_unseen(size: JobSize, config: InferConfig, threads: int | None = None) -> Estimate:
    """Estimate an inference whose samples are not there yet, on made-up features of its `size`.

    Of the calibrated procedure it is the least that a job takes, since made-up features depend on nothing.
    """
    began = perf_counter()
    use_threads(threads)
    start = warm_up(config)
    replicate, share = noise(size.n_features, size.tokens, size.l0)
    columns, reading = timed(lambda: columns_of(replicate.activations))
    if config.procedure == "published":
        stages = _published(size, config, replicate, share, reading / share)
    else:
        found = rehearse(lambda _: columns, 1, config.calibrated())
        one = _calibrated(replace(size, replicates=1), found, reading)
        stages = {name: seconds * size.replicates / share for name, seconds in one.items()}
    return Estimate({"start": start, **stages}, _peak(size), perf_counter() - began)


def _reader(samples: SamplesDirectory, first: Columns) -> Callable[[int], Columns]:
    """Read replicates by feature; the first is there already."""
    return lambda k: columns_of(samples.read(k).activations) if k else first


def _published(
    size: JobSize, config: InferConfig, replicate: Samples, share: float, reading: float
) -> dict[str, float]:
    """Seconds of the published trials and of what follows them, but for the words."""
    settings = config.settings()
    real = time_trial(replicate.activations, share, settings)
    null, shuffling = time_shuffle(replicate.activations, share)
    return _trials(size, reading, real, time_trial(null, share, settings), shuffling)


def _calibrated(size: JobSize, found: Rehearsal, reading: float) -> dict[str, float]:
    """Seconds of the calibrated procedure and of what follows it, but for the words."""
    return {
        # Each replicate is read twice to be laid end to end.
        "pooling": 2 * size.replicates * reading + found.laying_out,
        "background": found.background,
        "screen": found.screen,
        "neighbourhoods": found.neighbourhoods,
        "tests": found.tests,
        **_trials(size, reading, found.real, found.null, found.drawing),
    }


def _trials(
    size: JobSize, reading: float, real: TrialSeconds, chance: TrialSeconds, drawing: float
) -> dict[str, float]:
    """Seconds of all trials and of counting, given those of a replicate."""
    a_replicate = reading + real.total + size.nulls * (drawing + chance.total)
    # Each trial's edges are read and counted twice: for the table, and for the edges that are stored.
    edges = 2 * size.replicates * (real.edges + size.nulls * chance.edges)
    return {
        "trials": size.replicates * a_replicate,
        "counting edges": edges * _edge_seconds(size.n_features),
        "counting firings": size.replicates * reading,
    }


def foretold_size(tokens: int, l0: float, n_features: int, replicates: int, config: InferConfig) -> JobSize:
    """Return the size of a job on samples that are still to be drawn."""
    firings = int(tokens * l0)
    file_bytes = 8 * firings + 28 * tokens
    k = config.settings().candidates
    return JobSize(
        n_features, tokens, firings, file_bytes, 0, True, replicates, config.nulls, k, config.procedure
    )


def _peak(size: JobSize) -> float:
    return peak_bytes(size, Plan(numba.get_num_threads()))


def warm_up(config: InferConfig) -> float:
    """Load the kernels, on next to nothing; returns the seconds that a job takes before its work."""
    imported = process_seconds()
    run = _run_published if config.procedure == "published" else _run_calibrated
    _, loading = timed(lambda: run(config))
    return imported + (loading if loading < _COMPILING else 1.0)


def _run_published(config: InferConfig) -> None:
    tiny, _ = noise(64, 500, 4.0)
    time_trial(time_shuffle(tiny.activations, 1.0)[0], 1.0, config.settings())


def _run_calibrated(config: InferConfig) -> None:
    tiny, _ = noise(64, 500, 4.0)
    columns = columns_of(tiny.activations)
    firings, settings = firings_of([columns]), config.calibrated()
    background = background_of(firings)
    dependence_of(firings, background, settings)
    null = redrawn(columns, background.loading, 0, 0, 0, background.crowd)
    calibrated_trial(firings_of([null]), background, settings)


def _edge_seconds(n_features: int, edges: int = 100_000) -> float:
    """Seconds to count one edge of one trial."""
    rng = np.random.default_rng(0)
    key = np.unique(rng.integers(0, max(1, n_features) ** 2, edges))
    ends = (key // n_features).astype(np.int32), (key % n_features).astype(np.int32)
    trial = Edges(*ends, np.ones(len(key)), np.ones(len(key)), 0)
    _, seconds = timed(lambda: count_edges([trial, trial], n_features))
    return seconds / (2 * len(key))


def _word_seconds(replicate: Samples) -> float:
    """Seconds to gather the words of one replicate, from a part of the features."""
    if replicate.token_id is None:
        return 0.0
    columns = columns_of(replicate.activations)
    last = max(1, columns.n_features // _WORD_SHARE)
    part = part_of(columns, 0, last)
    words = Words.none(last).plus(replicate, part)
    _, merging = timed(lambda: words.plus(replicate, part))
    return merging * columns.n_features / last
