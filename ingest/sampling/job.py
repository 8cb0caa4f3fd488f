"""The job: from a configuration to finished samples directories, resumed where it was left."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from analysis.errors import MisuseError, StratigraphError
from analysis.site import Site
from ingest.progress import progress
from ingest.samples_writer import SamplesWriter
from ingest.sampling import autoencoder, draw, model, pilot, sparse
from ingest.sampling.config import SampleConfig
from ingest.sampling.corpus import Corpus, open_corpus
from ingest.sampling.packing import Piece, Row
from ingest.sampling.plan import Plan
from ingest.sampling.quiet import quiet
from ingest.sampling.reading import Reader, token_arrays
from ingest.sampling.release import choose
from ingest.sampling.sites import sites_of
from ingest.sampling.tokens import tokenized
from ingest.sampling.vocabulary import vocabulary

Announce = Callable[[Plan], None]


@dataclass(frozen=True)
class _Job:
    """Everything that is loaded and measured before the first replicate."""

    config: SampleConfig
    corpus: Corpus
    reader: Reader
    sites: list[Site]
    writers: list[SamplesWriter]
    pieces: Iterator[Piece]
    shape: draw.Shape
    measured: pilot.Pilot
    tokens: int

    @property
    def finished(self) -> int:
        return min(writer.finished for writer in self.writers)

    def plan(self) -> Plan:
        return Plan(
            sites=tuple(self.sites),
            l0=tuple(self.measured.l0),
            n_features=tuple(sae.n_features for sae in self.reader.saes),
            tokens_per_replicate=self.tokens,
            replicates=self.config.replicates,
            finished=self.finished,
            tokens_per_second=self.measured.tokens_per_second,
        )


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
        return _prepare(config).plan()


def sample(config: SampleConfig, announce: Announce | None = None) -> list[Path]:
    """Sample every layer in one pass and return the directories ``OUT/<layer>``, lowest first.

    A job that was killed goes on at its first unfinished replicate; a finished one returns at once.
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
        job = _prepare(config)
        if announce is not None:
            announce(job.plan())
        _begin(job)
        _run(job)
        for writer in job.writers:
            writer.finish(lambda ids: vocabulary(job.reader.model.tokenizer, ids))
    return [writer.path for writer in job.writers]


def _finished(config: SampleConfig) -> list[Path]:
    """Return the directories if all are complete; refuse those of another configuration."""
    identity = config.identity()
    layers = list(config.layers)
    if not layers:
        there = (SamplesWriter(file.parent) for file in sorted(config.out.glob("*/samples.json")))
        layers = next((w.manifest["layers"] for w in there if w.manifest["config"] == identity), [])
    writers = [SamplesWriter(config.out / str(layer)) for layer in layers]
    for writer in writers:
        writer.check_same(identity)
    return [w.path for w in writers] if all(w.complete for w in writers) else []


@contextmanager
def _held(out: Path) -> Iterator[None]:
    """Keep a second job out of the directory; the lock dies with the process."""
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


def _prepare(config: SampleConfig) -> _Job:
    """Check cheap things first, then load SAEs and model, open the draw and read the pilot."""
    device = model.pick_device(config.device)
    corpus = open_corpus(config)
    choices = choose(config.sae_source, config.layers)
    writers = [SamplesWriter(config.out / str(choice.layer)) for choice in choices]
    identity = config.identity()
    for writer in writers:
        writer.check_same(identity)
    saes = [autoencoder.load(choice, device) for choice in choices]
    for name in ("model_name", "model_class_name"):
        autoencoder.agreed(saes, name)
    context = autoencoder.agreed(saes, "context_size")
    language = model.load(
        config.model,
        config.model_source,
        device,
        autoencoder.agreed(saes, "model_from_pretrained_kwargs"),
        context,
        autoencoder.agreed(saes, "prepend_bos"),
    )
    model.check_hooks(language, [sae.hook for sae in saes])
    shape = draw.Shape(language.context, language.bos, language.prepend_bos, language.special)
    reader = Reader.of(language, saes, config.batch)
    return _measure(config, corpus, reader, sites_of(config, saes), writers, shape)


def _measure(
    config: SampleConfig,
    corpus: Corpus,
    reader: Reader,
    sites: list[Site],
    writers: list[SamplesWriter],
    shape: draw.Shape,
) -> _Job:
    """Open the draw, read the pilot, and see that the corpus is large enough."""
    pieces = _draw(config, corpus, reader, shape)
    widths = [sae.n_features for sae in reader.saes]
    wanted = pilot.pilot_tokens(shape.context)
    if isinstance(pieces, draw.Permuted):
        wanted = min(wanted, max(1, len(pieces.tokens) // 10))
        most_l0 = [float(getattr(sae.sae.cfg, "k", sae.n_features)) for sae in reader.saes]
        _check_size(config, pieces, shape, wanted, pilot.budget(config.activations, widths, most_l0))
    stream = iter(pieces)
    rows = draw.take(stream, shape, wanted)
    if not rows:
        raise MisuseError(
            f"--corpus {corpus.name!r} does not fill one row of {shape.context} tokens; use a larger one"
        )
    measured = pilot.measure(reader, rows)
    tokens = pilot.budget(config.activations, widths, measured.l0)
    begun = [writer for writer in writers if writer.begun]
    if begun:
        tokens = int(begun[0].manifest["tokens_per_replicate"])
    if isinstance(pieces, draw.Permuted):
        _check_size(config, pieces, shape, wanted, tokens)
    return _Job(config, corpus, reader, sites, writers, stream, shape, measured, tokens)


def _draw(
    config: SampleConfig, corpus: Corpus, reader: Reader, shape: draw.Shape
) -> "draw.Permuted | Iterator[Piece]":
    texts = tokenized(corpus.documents(), reader.model.tokenizer)
    size = shape.context - 1
    if corpus.draw == "permutation":
        config.out.mkdir(parents=True, exist_ok=True)
        return draw.Permuted.read(texts, size, config.seed, config.out)
    pieces = draw.in_order(texts, size)
    return draw.buffered(pieces, config.seed) if corpus.draw == "buffer" else pieces


def _check_size(
    config: SampleConfig, pieces: "draw.Permuted", shape: draw.Shape, pilot_size: int, tokens: int
) -> None:
    """Refuse a local corpus that does not hold the replicates asked for."""
    slack = 2 * shape.context
    text = len(pieces.tokens) - int(shape.special[pieces.tokens].sum())
    if text >= pilot_size + slack + config.replicates * (tokens + slack):
        return
    stream = iter(pieces)
    draw.take(stream, shape, pilot_size)
    allowed = draw.count_replicates(stream, shape, tokens, config.replicates)
    if allowed < config.replicates:
        raise too_small(config, tokens, allowed)


def too_small(config: SampleConfig, tokens: int, allowed: int) -> MisuseError:
    """Say how many replicates a corpus allows."""
    return MisuseError(
        f"--corpus {config.corpus!r} allows at most {allowed} replicates of {tokens:,} tokens that share "
        f"no text, and {config.replicates} were asked for; use a larger corpus, "
        + (f"--replicates {allowed}, or fewer --activations" if allowed else "or fewer --activations")
    )


def _begin(job: _Job) -> None:
    """Write the head of every directory that has none."""
    layers = [site.layer for site in job.sites]
    for i, (site, sae, writer) in enumerate(zip(job.sites, job.reader.saes, job.writers, strict=True)):
        if writer.begun:
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
        shift = job.measured.shifts[i]
        writer.begin(
            site, sae.n_features, job.config.identity(), extra, autoencoder.dictionary(sae.sae), shift
        )


def _run(job: _Job) -> None:
    """Draw, read and write the replicates that are not there yet; pass over the draws of those that are."""
    shifts = [_tensor(writer.shift(), job.reader.model.device) for writer in job.writers]
    total, done, first = job.tokens * job.config.replicates, job.tokens * job.finished, 0
    start = job.finished
    with progress("sampling", total, done, "tokens") as advance:
        for number in count():
            if number == job.config.replicates:
                return
            rows = draw.take(job.pieces, job.shape, job.tokens)
            if sum(job.shape.kept(row) for row in rows) < job.tokens:
                raise too_small(job.config, job.tokens, number)
            if number >= start:
                _write(job, number, rows, first, shifts, advance)
            first += len(rows)


def _write(
    job: _Job,
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
        if number < writer.finished:
            continue
        arrays: dict[str, Any] = dict(tokens)
        for prefix in ("", "carried_"):
            parts = [part for block in blocks if (part := block[i][prefix]) is not None]
            if parts:
                arrays |= sparse.arrays(sparse.join(parts), prefix)
        writer.write_replicate(number, arrays)


def _tensor(array: NDArray[np.float32] | None, device: str) -> torch.Tensor | None:
    return None if array is None else torch.from_numpy(array).to(device)
