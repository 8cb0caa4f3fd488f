"""The job: from a configuration to finished samples directories, resumed where it was left."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from analysis.errors import MisuseError, StratigraphError
from ingest.progress import progress
from ingest.samples_writer import SamplesWriter
from ingest.sampling import autoencoder, draw, sparse
from ingest.sampling.config import SampleConfig
from ingest.sampling.packing import Row
from ingest.sampling.plan import Plan
from ingest.sampling.preparation import Prepared, prepare, too_small
from ingest.sampling.quiet import quiet
from ingest.sampling.reading import token_arrays
from ingest.sampling.vocabulary import vocabulary

Announce = Callable[[Plan], None]


def plan(config: SampleConfig) -> Plan:
    """Load what the job needs, read a pilot batch, and say how many tokens the job takes, and how long.

    Raises
    ------
    MisuseError
        The request cannot be met as put.
    StratigraphError
        Something could not be fetched or read.
    """
    with quiet():
        return prepare(config).plan()


def sample(config: SampleConfig, announce: Announce | None = None) -> list[Path]:
    """Sample every layer in one pass and return the directories ``OUT/<layer>``, lowest first.

    A job that was killed goes on at its first unfinished replicate; of a finished one, files that are missing
    or do not read are made again, and where there are none it returns at once.
    `announce` is called with the plan before the first replicate.

    Raises
    ------
    MisuseError
        The request cannot be met as put, or ``OUT`` holds samples of another configuration.
    StratigraphError
        Something could not be fetched or read.
    """
    done = _finished(config)
    if done:
        return done
    with _held(config.out), quiet():
        job = prepare(config)
        if announce is not None:
            announce(job.plan())
        _begin(job)
        _run(job)
        for writer in job.writers:
            writer.finish(lambda ids: vocabulary(job.reader.model.tokenizer, ids))
    return [writer.path for writer in job.writers]


def _finished(config: SampleConfig) -> list[Path]:
    """Return the directories if all are complete and whole; refuse those of another configuration."""
    identity = config.identity()
    layers = list(config.layers)
    if not layers:
        there = [SamplesWriter(file.parent) for file in sorted(config.out.glob("*/samples.json"))]
        for writer in there:
            writer.check_ours()
        layers = next((w.manifest.get("layers", []) for w in there if w.manifest["config"] == identity), [])
    writers = [SamplesWriter(config.out / str(layer)) for layer in layers]
    for writer in writers:
        writer.check_same(identity)
    whole = all(w.complete and not w.broken() for w in writers)
    return [w.path for w in writers] if whole else []


@contextmanager
def _held(out: Path) -> Iterator[None]:
    """Keep a second job out of the directory; the lock dies with the process."""
    ours = not out.exists()
    try:
        out.mkdir(parents=True, exist_ok=True)
        handle = os.open(out, os.O_RDONLY)
    except OSError as error:
        raise MisuseError(f"--out {out} cannot be used: {error.strerror}; name another directory") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise StratigraphError(f"{out} is being written by another sample command; wait for it") from error
    finally:
        os.close(handle)
        if ours:
            with suppress(OSError):  # a request that was refused leaves no empty directory behind
                out.rmdir()


def _begin(job: Prepared) -> None:
    """Write the head of every directory that has none, and a dictionary that does not read again."""
    layers = [site.layer for site in job.sites]
    for i, (site, sae, writer) in enumerate(zip(job.sites, job.reader.saes, job.writers, strict=True)):
        dictionary, shift = autoencoder.dictionary(sae.sae), job.measured.shifts[i]
        if writer.begun:
            if not writer.has_dictionary():
                writer.write_dictionary(dictionary, shift)
            continue
        below = job.reader.below(i)
        extra: dict[str, Any] = {
            "layers": layers,
            "hook": sae.hook,
            "l0": job.measured.l0[i],
            "tokens_per_replicate": job.tokens,
            "corpus": job.corpus.described,
            "seed": job.config.seed,
            "context": job.shape.context,
            "prepend_bos": job.shape.prepend_bos,
            "sae": sae.describe(),
        }
        if below is not None:
            extra["carried_from"] = str(layers[below])
        writer.begin(site, sae.n_features, job.config.identity(), extra, dictionary, shift)


def _run(job: Prepared) -> None:
    """Draw, read and write the replicates that are not there yet; pass over the draws of those that are."""
    shifts = [_tensor(writer.shift(), job.reader.model.device) for writer in job.writers]
    pending, first = job.pending, 0
    total = job.tokens * job.config.replicates
    done = total - job.tokens * len(pending)
    with progress("sampling", total, done, "tokens") as advance:
        for number in range(job.config.replicates):
            rows = draw.take(job.pieces, job.shape, job.tokens)
            if sum(job.shape.kept(row) for row in rows) < job.tokens:
                raise too_small(job.config, job.tokens, number)
            if number in pending:
                _write(job, number, rows, first, shifts, advance)
            first += len(rows)


def _write(
    job: Prepared,
    number: int,
    rows: list[Row],
    first: int,
    shifts: list[torch.Tensor | None],
    advance: Callable[[float], None],
) -> None:
    """Read one replicate and write it to every site."""
    blocks: list[list[dict[str, sparse.Csr | None]]] = []
    for block in job.reader.replicate(rows, shifts):
        blocks.append(block)
        advance(job.tokens * len(block[0][""].count) / sum(job.shape.kept(row) for row in rows))
    tokens = token_arrays(rows, job.shape.special, first)
    for i, writer in enumerate(job.writers):
        if not writer.lacks(number):
            continue
        arrays: dict[str, Any] = dict(tokens)
        for prefix in ("", "carried_"):
            parts = [part for block in blocks if (part := block[i][prefix]) is not None]
            if parts:
                arrays |= sparse.arrays(sparse.join(parts), prefix)
        writer.write_replicate(number, arrays)


def _tensor(array: NDArray[np.float32] | None, device: str) -> torch.Tensor | None:
    return None if array is None else torch.from_numpy(array).to(device)
