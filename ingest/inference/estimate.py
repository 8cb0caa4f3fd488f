"""How long an inference will take on this machine, and how much memory, from a few seconds of measuring.

::

    seconds = start + hashing + R (reading + real trial + M (shuffle + null trial))
            + counting edges + R (reading + words)

Every term is measured (``ingest.inference.calibration``) on one replicate, or on made-up features of its
size.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter

import numba
import numpy as np

from analysis.activations import Samples
from analysis.columns import columns_of
from analysis.edges import Edges
from analysis.kernel import use_threads
from analysis.published import PublishedSettings
from analysis.stability import count_edges
from ingest.inference.calibration import noise, process_seconds, time_shuffle, time_trial, timed
from ingest.inference.config import InferConfig
from ingest.inference.gathering import part_of
from ingest.inference.memory import Plan, peak_bytes
from ingest.inference.size import JobSize, size_of
from ingest.inference.words import Words
from ingest.samples_directory import SamplesDirectory

LOADED_A_SECOND = 3000
"""Rows that a database takes in a second; measured on the default directory (docs/log.md)."""
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
    """

    stages: Mapping[str, float]
    memory: float
    took: float

    @property
    def seconds(self) -> float:
        """Seconds of the whole job."""
        return sum(self.stages.values())

    @property
    def seconds_once_started(self) -> float:
        """The same for a process that has its libraries loaded."""
        return self.seconds - self.stages["start"]


def estimate(samples: SamplesDirectory, config: InferConfig, threads: int | None = None) -> Estimate:
    """Estimate an inference from its samples directory; reads one replicate.

    Raises
    ------
    DataError
        That replicate breaks the format.
    """
    began = perf_counter()
    size = size_of(samples, config)
    use_threads(threads)
    start = _warm_up(config.settings())
    replicate, reading = timed(lambda: samples.read(0))
    _, hashing = timed(lambda: samples.digests(1))
    words = 0.0 if samples.vocabulary is None else _word_seconds(replicate)
    stages = _stages(size, config, replicate, 1.0, reading)
    stages = {"start": start, "reading": hashing * size.replicates, **stages}
    stages["words"] = size.replicates * (words + reading) if words else 0.0
    return Estimate(stages, _peak(size), perf_counter() - began)


def estimate_unseen(size: JobSize, config: InferConfig, threads: int | None = None) -> Estimate:
    """Estimate an inference whose samples are not there yet, on made-up features of its `size`."""
    began = perf_counter()
    use_threads(threads)
    start = _warm_up(config.settings())
    replicate, share = noise(size.n_features, size.tokens, size.l0)
    _, reading = timed(lambda: columns_of(replicate.activations))
    stages = {"start": start, **_stages(size, config, replicate, share, reading / share)}
    return Estimate(stages, _peak(size), perf_counter() - began)


def _stages(
    size: JobSize,
    config: InferConfig,
    replicate: Samples,
    share: float,
    reading: float,
) -> dict[str, float]:
    """Seconds of the trials and of what follows them, but for the words."""
    settings = config.settings()
    _, transposing = timed(lambda: columns_of(replicate.activations))
    reading += transposing / share
    real = time_trial(replicate.activations, share, settings)
    null, shuffling = time_shuffle(replicate.activations, share)
    chance = time_trial(null, share, settings)
    a_replicate = reading + real.total + size.nulls * (shuffling + chance.total)
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


def load_seconds(n_features: int) -> float:
    """Estimate the seconds to load a graph of `n_features` features with thirty stored edges each."""
    return 33 * n_features / LOADED_A_SECOND


def _peak(size: JobSize) -> float:
    return peak_bytes(size, Plan(numba.get_num_threads()))


def _warm_up(settings: PublishedSettings) -> float:
    """Load the kernels, on next to nothing; returns the seconds that a job takes before its work."""
    imported = process_seconds()

    def run() -> None:
        tiny, _ = noise(64, 500, 4.0)
        time_trial(time_shuffle(tiny.activations, 1.0)[0], 1.0, settings)

    _, loading = timed(run)
    return imported + (loading if loading < _COMPILING else 1.0)


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
