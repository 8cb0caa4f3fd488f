"""The inference job: every trial once, then the graph. A killed job resumes at the first unfinished trial."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import polars as pl

from analysis.activations import Columns
from analysis.columns import columns_of
from analysis.errors import MisuseError, StratigraphError
from analysis.kernel import use_threads
from analysis.run import Run, digest_of, library_versions, run_id
from analysis.stability import least_stable
from graphdb.graph_directory import fault_of, is_finished, write_graph
from ingest.inference.assemble import assemble
from ingest.inference.config import InferConfig, Resources
from ingest.inference.counting import Trials
from ingest.inference.dependence import adopt, kept_by_test, pool
from ingest.inference.keeping import published_keep
from ingest.inference.memory import GB, Allowance, Plan, held_bytes, plan_within
from ingest.inference.procedure import Procedure, calibrated, device_of, published
from ingest.inference.size import size_of
from ingest.inference.stopping import Look, look_until_stable, pooled_place
from ingest.inference.workspace import as_os_error, claim, has_trial, hold, save_trial, trial_name
from ingest.progress import progress
from ingest.samples_directory import COMPANIONS, SamplesDirectory, open_samples
from ingest.unwritable import remedy


def infer(
    samples_path: Path,
    out: Path,
    config: InferConfig,
    resources: Resources | None = None,
    looked: Callable[[Look], None] = lambda _: None,
    mending: Callable[[str], None] = lambda _: None,
) -> bool:
    """Infer the graph of one site.

    Parameters
    ----------
    samples_path
        A samples directory.
    out
        The graph directory to make, or to resume.
    config, resources
        What is computed, and with what.
    looked
        Is told of each look at the kept edges, where `config` asks for them.
    mending
        Is told what does not read of a finished graph, before it is put together again from its trials.

    Returns
    -------
    Whether anything was left to do: False when `out` was finished already, and reads.

    Raises
    ------
    MisuseError
        Fewer replicates than asked, `out` belongs to another run, too little memory, or no such device.
    DataError
        A file of the samples breaks the format; what was finished stays.
    """
    resources = resources or Resources()
    if resources.device == "cuda" and config.procedure != "published":
        raise MisuseError(
            f"--device is 'cuda' and --procedure {config.procedure!r}; only published trials run on a GPU, "
            "use --device auto or cpu"
        )
    if resources.device == "cuda":
        device_of(resources)
    samples = open_samples(samples_path)
    run, digests = _plan(samples, config)
    budget = None if resources.memory is None else resources.memory * GB
    libraries = held_bytes()
    plan = plan_within(size_of(samples, config), use_threads(resources.threads), budget, libraries)
    # Better known now than after hours of trials.
    samples.check_companions()
    allowance = Allowance(use_threads(plan.threads), budget, libraries)
    try:
        with hold(out):
            run = claim(out, run, digests)
            if is_finished(out):
                fault = fault_of(out)
                if fault is None:
                    return False
                mending(fault)
            most = run.config["replicates"]
            looks = _looks(samples, out, config, resources, most, plan, allowance, looked)
            replicates = looks[-1].replicates if looks else most
            run = _ended(run, digests, replicates)
            procedure = _procedure(samples, out, config, resources, replicates, allowance)
            _all_trials(samples, out, config, procedure, replicates)
            graph = assemble(samples, out, run, plan, looks, most)
            with progress("writing", 1, unit="graph") as advance, as_os_error():
                write_graph(out, graph)
                advance(1)
    except OSError as error:
        raise StratigraphError(
            f"{out}: could not be written ({error.strerror or error}); "
            f"{remedy(error, 'finished trials are kept')}"
        ) from error
    return True


def _plan(samples: SamplesDirectory, config: InferConfig) -> tuple[Run, dict[str, str]]:
    """Resolve the configuration against what is on disk, and name the run."""
    replicates = samples.usable(config.replicates)
    config.check_looks(replicates)
    resolved = config.resolved(replicates)
    with progress("reading", replicates, unit="files") as advance:
        digests = samples.digests(replicates, advance)
    inputs = digest_of(digests)
    run = Run(
        id=run_id("layer", resolved, inputs),
        kind="layer",
        procedure=config.procedure,
        fdr=config.fdr,
        seed=config.seed,
        config=resolved,
        inputs=inputs,
        versions=library_versions(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    return run, digests


def _looks(
    samples: SamplesDirectory,
    out: Path,
    config: InferConfig,
    resources: Resources,
    replicates: int,
    plan: Plan,
    allowance: Allowance,
    looked: Callable[[Look], None],
) -> tuple[Look, ...]:
    """Look at what is kept after more and more replicates until it is stable, where that is asked for."""
    if config.stable is None:
        return ()

    def by_test(count: int) -> pl.DataFrame:
        place = pooled_place(out, count)
        pool(samples, place, config, count, allowance)
        return kept_by_test(place, config.fdr)

    def by_count(count: int) -> pl.DataFrame:
        _all_trials(samples, out, config, published(config, resources), count)
        trials = Trials.of(out, samples.n_features, count, config.nulls, plan.edges_at_once)
        with progress("counting edges", len(trials.blocks) * (2 + config.nulls), unit="parts") as advance:
            r_star = least_stable(trials.table(advance), config.fdr)
            return trials.kept(published_keep(r_star), advance)

    kept_after = by_count if config.procedure == "published" else by_test
    looks = look_until_stable(out, samples.n_features, replicates, config.stable, kept_after, looked)
    adopt([pooled_place(out, look.replicates) for look in looks], out)
    return looks


def _ended(run: Run, digests: Mapping[str, str], replicates: int) -> Run:
    """Return the run that `run` has become by ending after so many replicates, having read no other."""
    if run.config["replicates"] == replicates:
        return run
    unread = [name for name in digests if name not in COMPANIONS][replicates:]
    config = {**run.config, "replicates": replicates}
    inputs = digest_of({name: digest for name, digest in digests.items() if name not in unread})
    return replace(run, id=run_id(run.kind, config, inputs), config=config, inputs=inputs)


def _procedure(
    samples: SamplesDirectory,
    out: Path,
    config: InferConfig,
    resources: Resources,
    replicates: int,
    allowance: Allowance,
) -> Procedure:
    """Return how trials are made; the calibrated procedure looks at all replicates together first."""
    if config.procedure == "published":
        return published(config, resources)
    return calibrated(config, pool(samples, out, config, replicates, allowance))


def _all_trials(
    samples: SamplesDirectory, out: Path, config: InferConfig, procedure: Procedure, replicates: int
) -> None:
    """Run every trial that is not finished yet."""
    every = [(k, m) for k in range(replicates) for m in (None, *range(config.nulls))]
    pending = [(k, m) for k, m in every if not has_trial(out, trial_name(k, m))]
    held = _Held(samples)

    def source(k: int, stream: int | None) -> Columns:
        columns = held.read(k)
        return columns if stream is None else procedure.null(columns, k, stream)

    with progress("trials", len(every), len(every) - len(pending), "trials") as advance:
        trials = procedure.run(partial(source, k, stream) for k, stream in pending)
        for (k, stream), trial in zip(pending, trials, strict=True):
            save_trial(out, trial_name(k, stream), trial)
            advance(1)


class _Held:
    """The replicate read last; its real trial and its nulls follow each other."""

    def __init__(self, samples: SamplesDirectory) -> None:
        self._samples = samples
        self._last: tuple[int, Columns] | None = None

    def read(self, k: int) -> Columns:
        """Return replicate `k` by feature."""
        if self._last is None or self._last[0] != k:
            # Not held while the next is read.
            self._last = None
            self._last = (k, columns_of(self._samples.read(k).activations))
        return self._last[1]
