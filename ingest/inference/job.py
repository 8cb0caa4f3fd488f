"""The inference job: every trial once, then the graph. A killed job resumes at the first unfinished trial."""

from datetime import UTC, datetime
from pathlib import Path

from analysis.columns import columns_of
from analysis.errors import DataError, MisuseError, StratigraphError
from analysis.kernel import use_threads
from analysis.published import published_trial
from analysis.run import Run, digest_of, library_versions, run_id
from analysis.shuffle import shuffled
from graphdb.graph_directory import is_finished, write_graph
from ingest.inference.assemble import assemble
from ingest.inference.config import InferConfig, Resources
from ingest.inference.memory import GB, held_bytes, plan_within
from ingest.inference.size import size_of
from ingest.inference.workspace import as_os_error, claim, has_trial, hold, save_trial, trial_name
from ingest.progress import Advance, progress
from ingest.samples_directory import SamplesDirectory, open_samples


def infer(samples_path: Path, out: Path, config: InferConfig, resources: Resources | None = None) -> bool:
    """Infer the graph of one site.

    Parameters
    ----------
    samples_path
        A samples directory.
    out
        The graph directory to make, or to resume.
    config, resources
        What is computed, and with what.

    Returns
    -------
    Whether anything was left to do: False when `out` was finished already.

    Raises
    ------
    MisuseError
        Fewer replicates than asked, `out` belongs to another run, or too little memory.
    DataError
        A file of the samples breaks the format; what was finished stays.
    """
    resources = resources or Resources()
    samples = open_samples(samples_path)
    run, digests = _plan(samples, config)
    budget = None if resources.memory is None else resources.memory * GB
    plan = plan_within(size_of(samples, config), use_threads(resources.threads), budget, held_bytes())
    # Better known now than after hours of trials.
    samples.check_companions()
    use_threads(plan.threads)
    try:
        with hold(out):
            run = claim(out, run, digests)
            if is_finished(out):
                return False
            _all_trials(samples, out, config, run.config["replicates"])
            graph = assemble(samples, out, run, plan)
            with progress("writing", 1, unit="graph") as advance, as_os_error():
                write_graph(out, graph)
                advance(1)
    except OSError as error:
        raise StratigraphError(
            f"{out}: could not be written ({error.strerror or error}); make room and repeat the command, "
            "finished trials are kept"
        ) from error
    return True


def _plan(samples: SamplesDirectory, config: InferConfig) -> tuple[Run, dict[str, str]]:
    """Resolve the configuration against what is on disk, and name the run."""
    present = len(samples.replicates)
    if config.replicates is None and samples.manifest.get("complete") is False:
        raise MisuseError(
            f"{samples.path} is unfinished, {present} replicates so far; "
            f"finish sampling, or take them as they are with --replicates {present}"
        )
    replicates = config.replicates or present
    if replicates > present:
        raise MisuseError(
            f"--replicates is {replicates}; {samples.path} holds {present}, sample more or ask less"
        )
    if not replicates:
        raise DataError(f"{samples.path} holds no replicate; sample it again")
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


def _all_trials(samples: SamplesDirectory, out: Path, config: InferConfig, replicates: int) -> None:
    """Run every trial that is not finished yet."""
    names = [trial_name(k, m) for k in range(replicates) for m in (None, *range(config.nulls))]
    done = sum(has_trial(out, name) for name in names)
    with progress("trials", len(names), done, "trials") as advance:
        for k in range(replicates):
            _trials_of(samples, k, out, config, advance)


def _trials_of(samples: SamplesDirectory, k: int, out: Path, config: InferConfig, advance: Advance) -> None:
    """Run what is left to do on replicate `k`: the real trial, and a null trial of every stream."""
    streams = [m for m in (None, *range(config.nulls)) if not has_trial(out, trial_name(k, m))]
    if not streams:
        return
    columns = columns_of(samples.read(k).activations)
    for stream in streams:
        given = columns if stream is None else shuffled(columns, config.seed, k, stream)
        save_trial(out, trial_name(k, stream), published_trial(given, config.settings()))
        # Not held while the next is made.
        del given
        advance(1)
