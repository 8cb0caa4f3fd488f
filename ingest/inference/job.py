"""The inference job: every trial once, then the graph. A killed job resumes at the first unfinished trial."""

from datetime import UTC, datetime
from pathlib import Path

from analysis.columns import columns_of
from analysis.errors import DataError, MisuseError, StratigraphError
from analysis.kernel import use_threads
from analysis.published import published_trial
from analysis.run import Run, digest_of, library_versions, run_id
from analysis.shuffle import shuffled
from analysis.token_mass import CAP
from graphdb.graph_directory import is_finished, write_graph
from ingest.inference.assemble import assemble
from ingest.inference.config import InferConfig, Resources
from ingest.inference.words import CONTEXTS, LEFT, RIGHT
from ingest.inference.workspace import claim, has_trial, hold, save_trial, trial_name
from ingest.progress import Advance, progress
from ingest.samples_directory import SamplesDirectory, open_samples

GB = 1e9
_LIBRARIES = 0.35 * GB
_LIST_BYTES = 60
"""Bytes of a candidate: in the lists of two threads, merged, and its coefficient."""
_EDGE_BYTES = 80
"""Bytes of an edge of one trial while edges are counted."""
_WORDS_BYTES = 2 * CAP * 12 + 4 * CONTEXTS * (LEFT + 1 + RIGHT) * 4
"""Bytes of a feature's heaviest tokens and of its windows of token ids, while they are merged."""


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
    _check_memory(samples, run.config["replicates"], config, resources.memory)
    use_threads(resources.threads)
    try:
        with hold(out):
            run = claim(out, run, digests)
            if is_finished(out):
                return False
            replicates, nulls = run.config["replicates"], run.config["nulls"]
            names = [trial_name(k, m) for k in range(replicates) for m in (None, *range(nulls))]
            done = sum(has_trial(out, name) for name in names)
            with progress(f"infer {samples.site.id}", len(names) + replicates, done, "steps") as advance:
                for k in range(replicates):
                    _trials_of(samples, k, out, config, advance)
                write_graph(out, assemble(samples, out, run, advance))
    except OSError as error:
        raise StratigraphError(
            f"{out}: could not be written ({error.strerror}); make room and repeat the command, "
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
    digests = samples.digests(replicates)
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


def _trials_of(samples: SamplesDirectory, k: int, out: Path, config: InferConfig, advance: Advance) -> None:
    """Run what is left to do on replicate `k`: the real trial, and a null trial of every stream."""
    streams = [m for m in (None, *range(config.nulls)) if not has_trial(out, trial_name(k, m))]
    if not streams:
        return
    activations = samples.read(k).activations
    columns = columns_of(activations)
    for stream in streams:
        given = activations if stream is None else shuffled(columns, config.seed, k, stream)
        save_trial(out, trial_name(k, stream), published_trial(given, config.settings()))
        advance(1)


def needed_memory(samples: SamplesDirectory, replicates: int, config: InferConfig) -> float:
    """Estimate the peak of a job in bytes, from the sizes of its files.

    A trial holds the largest replicate about five times: by token and by feature, shuffled and not, and in
    the screen's order. The end of the job holds the edges of all trials, twenty a feature and trial allowed
    for, and for each feature its heaviest tokens and its contexts.
    """
    files = [samples.path / r.file for r in samples.replicates[:replicates]]
    sizes = [file.stat().st_size for file in files if file.exists()]
    trial = 5 * max(sizes, default=0) + samples.n_features * config.settings().candidates * _LIST_BYTES
    edges = replicates * (1 + config.nulls) * samples.n_features * 20 * _EDGE_BYTES
    words = 0 if samples.vocabulary is None else samples.n_features * _WORDS_BYTES
    return _LIBRARIES + max(trial, edges + words + 2 * max(sizes, default=0))


def _check_memory(
    samples: SamplesDirectory, replicates: int, config: InferConfig, budget: float | None
) -> None:
    need = needed_memory(samples, replicates, config) / GB
    if budget is not None and need > budget:
        raise MisuseError(
            f"--memory is {budget} GB; this job needs about {need:.2f} GB, "
            "allow more, or sample fewer tokens or replicates"
        )
