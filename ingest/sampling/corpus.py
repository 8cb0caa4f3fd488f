"""The corpus behind a ``--corpus``: built in, local, or on the hub; documents one after another."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.errors import MisuseError
from ingest.sampling import chunks, hub_text, local_text
from ingest.sampling.config import BUILT_IN, SampleConfig
from ingest.sampling.paths import files_of, looks_local

DRAWS = {
    "permutation": "all pieces in one random order",
    "chunks": "random parts of the files in turn, through a shuffle buffer",
    "buffer": "a stream through a shuffle buffer",
    "generator": "independent documents as they come",
}
"""How pieces are drawn from a corpus."""

_PERMUTED_BYTES = 1 << 30
"""Local corpora beyond this are drawn by chunks: tokenising them whole would take longer than most jobs."""


@dataclass(frozen=True)
class Corpus:
    """Documents to draw from.

    Parameters
    ----------
    name
        What the user called it.
    draw
        One of ``DRAWS``.
    documents
        Starts a fresh pass over the texts, always in the same order.
    described
        What a samples directory records of it.
    """

    name: str
    draw: str
    documents: Callable[[], Iterator[str]]
    described: dict[str, Any]


def open_corpus(config: SampleConfig) -> Corpus:
    """Find the corpus and look at its first document, before any model is loaded.

    Raises
    ------
    MisuseError
        There is no such corpus, or no such column in it.
    StratigraphError
        It could not be fetched.
    """
    if config.corpus == BUILT_IN:
        return Corpus(
            BUILT_IN, "generator", lambda: _generated(config.seed), {"name": BUILT_IN, "draw": "generator"}
        )
    files = files_of(config.corpus)
    if files:
        return _local(config)
    if looks_local(config.corpus) or local_text.suffix_of(config.corpus):
        raise MisuseError(
            f"--corpus {config.corpus!r}: no such file; expected {', '.join(local_text.SUFFIXES)}, "
            "a directory or glob of them, or the name of a dataset on the hub"
        )
    column = config.text_column or "text"
    documents = hub_text.open_dataset(
        config.corpus, config.dataset_config, config.split or "train", column, config.seed
    )
    described = {
        "name": config.corpus,
        "draw": "buffer",
        "config": config.dataset_config,
        "split": config.split or "train",
        "text_column": column,
    }
    return Corpus(config.corpus, "buffer", documents, described)


def _generated(seed: int) -> Iterator[str]:
    from ingest.organism import documents  # noqa: PLC0415  only this corpus needs the grammar

    return (document.text for document in documents(seed))


def _local(config: SampleConfig) -> Corpus:
    for flag, value in (("--dataset-config", config.dataset_config), ("--split", config.split)):
        if value is not None:
            raise MisuseError(
                f"{flag} {value!r} is for datasets on the hub; {config.corpus!r} is local, leave it out"
            )
    files = local_text.text_files(config.corpus, config.out)
    local_text.check(files, config.text_column)
    size = sum(file.stat().st_size for file in files)
    described = {"name": Path(config.corpus).name, "files": len(files), "bytes": size}
    if size <= _PERMUTED_BYTES:
        return Corpus(
            config.corpus,
            "permutation",
            lambda: local_text.documents(files, config.text_column),
            {**described, "draw": "permutation"},
        )
    return Corpus(
        config.corpus,
        "chunks",
        lambda: chunks.scattered(files, config.text_column, config.seed),
        {**described, "draw": "chunks"},
    )
