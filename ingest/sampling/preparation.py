"""Everything before the first replicate: load, check, tokenise, measure; the cheap checks first."""

from collections.abc import Iterator
from dataclasses import dataclass

from analysis.errors import MisuseError
from analysis.site import Site
from ingest.samples_writer import SamplesWriter
from ingest.sampling import draw, model, pilot
from ingest.sampling.config import SampleConfig
from ingest.sampling.corpus import Corpus, open_corpus
from ingest.sampling.loading import load_reader, load_saes
from ingest.sampling.packing import Piece
from ingest.sampling.plan import Plan
from ingest.sampling.reading import Reader
from ingest.sampling.release import choose
from ingest.sampling.sites import sites_of
from ingest.sampling.tokens import tokenized


@dataclass(frozen=True)
class Prepared:
    """A job that is ready to run.

    Parameters
    ----------
    config, corpus, reader, shape
        What was asked for, and what reads it.
    sites, writers
        One per layer, lowest first.
    pieces
        The draw, behind the pilot.
    measured
        What the pilot found.
    tokens
        Least number of tokens in a replicate.
    """

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
    def pending(self) -> list[int]:
        """Replicates that some site lacks on disk, ascending."""
        return [k for k in range(self.config.replicates) if any(w.lacks(k) for w in self.writers)]

    def plan(self) -> Plan:
        """Say what is still to be done."""
        return Plan(
            sites=tuple(self.sites),
            l0=tuple(self.measured.l0),
            n_features=tuple(sae.n_features for sae in self.reader.saes),
            tokens_per_replicate=self.tokens,
            replicates=self.config.replicates,
            finished=self.config.replicates - len(self.pending),
            tokens_per_second=self.measured.tokens_per_second,
            broken=tuple(file for writer in self.writers for file in writer.broken()),
        )


def prepare(config: SampleConfig) -> Prepared:
    """Find corpus and SAEs by name, load SAEs and model, open the draw and read the pilot.

    Raises
    ------
    MisuseError
        The request cannot be met as put.
    StratigraphError
        Something could not be fetched or read.
    """
    model.pick_device(config.device)
    corpus = open_corpus(config)
    choices = choose(config.sae_source, config.layers, config.sae)
    writers = [SamplesWriter(config.out / str(choice.layer)) for choice in choices]
    identity = config.identity()
    for writer in writers:
        writer.check_same(identity)
    saes = load_saes(config, choices)
    reader, shape = load_reader(config, saes)
    return _measure(config, corpus, reader, sites_of(config, saes), writers, shape)


def _measure(
    config: SampleConfig,
    corpus: Corpus,
    reader: Reader,
    sites: list[Site],
    writers: list[SamplesWriter],
    shape: draw.Shape,
) -> Prepared:
    """Open the draw, read the pilot, and see that the corpus is large enough."""
    texts = tokenized(corpus.documents(), reader.model.tokenizer)
    scratch = config.out if config.out.is_dir() else None
    pieces = draw.opened(texts, corpus.draw, shape.context - 1, config.seed, scratch)
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
    return Prepared(config, corpus, reader, sites, writers, stream, shape, measured, tokens)


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
        raise too_small(config, tokens, allowed, (len(pieces.tokens), text))


def too_small(
    config: SampleConfig, tokens: int, allowed: int, read: tuple[int, int] | None = None
) -> MisuseError:
    """Say how many replicates a corpus allows, and why where of the tokens `read` few are text."""
    strange = ""
    if read is not None and read[1] < read[0] / 2:
        strange = f" (of its {read[0]:,} tokens only {read[1]:,} are text that the tokenizer knows)"
    return MisuseError(
        f"--corpus {config.corpus!r} allows at most {allowed} replicates of {tokens:,} tokens that share "
        f"no text{strange}, and {config.replicates} were asked for; use a larger corpus"
        f"{' in the language of the model' if strange else ''}, "
        + (f"--replicates {allowed}, or fewer --activations" if allowed else "or fewer --activations")
    )
