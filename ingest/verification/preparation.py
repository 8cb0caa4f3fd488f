"""From a run of links to a model and two SAEs that are those of its sites, and rows of text for them."""

from dataclasses import dataclass

from analysis.errors import MisuseError
from graphdb.verified import LinkRun
from ingest.sampling import draw, model
from ingest.sampling.autoencoder import Autoencoder
from ingest.sampling.config import SampleConfig
from ingest.sampling.corpus import Corpus, open_corpus
from ingest.sampling.loading import load_reader, load_saes
from ingest.sampling.packing import Row
from ingest.sampling.reading import Reader
from ingest.sampling.release import choose
from ingest.sampling.sites import sites_of
from ingest.sampling.tokens import tokenized
from ingest.verification.config import VerifyConfig


@dataclass(frozen=True)
class Prepared:
    """A verification that is ready to run.

    Parameters
    ----------
    run
        The links.
    reader
        The model with the SAE of the earlier layer and that of the later one.
    rows
        Fresh rows of text.
    """

    run: LinkRun
    reader: Reader
    rows: list[Row]

    @property
    def lower(self) -> Autoencoder:
        """SAE of the earlier layer."""
        return self.reader.saes[0]

    @property
    def upper(self) -> Autoencoder:
        """SAE of the later layer."""
        return self.reader.saes[1]


def prepare(run: LinkRun, config: VerifyConfig) -> Prepared:
    """Find and load what the links are of, and draw rows; the cheap checks first.

    Raises
    ------
    MisuseError
        The model or the SAEs are not those of the sites, or the corpus is too small.
    StratigraphError
        Something could not be fetched or read.
    """
    reading = config.fresh((run.lower.layer, run.upper.layer))
    model.pick_device(reading.device)
    corpus = open_corpus(reading)
    saes = load_saes(reading, choose(reading.sae_source, reading.layers, reading.sae))
    _check_sites(run, reading, saes)
    reader, shape = load_reader(reading, saes)
    return Prepared(run, reader, _draw(config, reading, corpus, reader, shape))


def _check_sites(run: LinkRun, reading: SampleConfig, saes: list[Autoencoder]) -> None:
    """Refuse SAEs that are not those of the run's sites."""
    for there, site, sae in zip((run.lower, run.upper), sites_of(reading, saes), saes, strict=True):
        if site.id != there.id:
            raise MisuseError(
                f"run {run.id} has links of {there.id}, and --model {reading.model} with --sae {reading.sae} "
                f"is {site.id}; give the model and the SAE that the samples were made with"
            )
        if sae.n_features != there.features or (there.hook and sae.hook != there.hook):
            raise MisuseError(
                f"{there.id} has {there.features} features at {there.hook or 'a hook not recorded'} in the "
                f"database, and --sae {reading.sae} has {sae.n_features} at {sae.hook}; give the SAE that "
                "the samples were made with"
            )


def _draw(
    config: VerifyConfig, reading: SampleConfig, corpus: Corpus, reader: Reader, shape: draw.Shape
) -> list[Row]:
    """Draw rows that hold the tokens asked for."""
    texts = tokenized(corpus.documents(), reader.model.tokenizer)
    pieces = draw.opened(texts, corpus.draw, shape.context - 1, reading.seed, None)
    rows = draw.take(iter(pieces), shape, config.tokens)
    kept = sum(map(shape.kept, rows))
    if kept < config.tokens:
        raise MisuseError(
            f"--corpus {corpus.name!r} fills {len(rows)} rows of {shape.context} with {kept:,} tokens of "
            f"text, and --tokens asks for {config.tokens:,}; use a larger corpus"
            + (f", or --tokens {kept}" if kept else "")
        )
    return rows
