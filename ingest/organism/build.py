"""Rebuilds the model, its SAEs and the card: ``python -m ingest.organism.build``.

Everything follows from the recipe's seed. On one thread the same machine and
library versions give the same bytes; elsewhere rounding differs, and the figures
in the card agree to about their second digit.
"""

from __future__ import annotations

import json
import logging
import platform
import shutil
import tempfile
import time
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import torch

from ingest.organism import DATA_DIRECTORY
from ingest.organism.corpus import make_tokenizer
from ingest.organism.measure import measure
from ingest.organism.recipe import Recipe
from ingest.organism.train_model import save_model, train_model
from ingest.organism.train_saes import train_saes

LARGEST = 8_000_000
"""Bytes that the data directory may take: it is part of the repository."""

_LIBRARIES = ("torch", "transformers", "tokenizers", "sae-lens", "transformer-lens")
_LOG = logging.getLogger(__name__)


def size(directory: Path) -> int:
    """Add up the bytes of the files in a directory."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def build(directory: Path, recipe: Recipe) -> None:
    """Make model, SAEs and card, and put them in place of what `directory` holds.

    Raises
    ------
    ValueError
        If the result is larger than `LARGEST`; `directory` is then left as it was.
    """
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        fresh = Path(name) / "data"
        tokenizer = make_tokenizer(recipe.stream("vocabulary"), recipe.context)
        model = train_model(tokenizer, recipe)
        save_model(model, tokenizer, fresh / "model")
        train_saes(fresh / "model", fresh / "saes", recipe)
        _LOG.info("measuring on held-out documents")
        quality = measure(fresh / "model", fresh / "saes", recipe)
        card = {
            "recipe": asdict(recipe),
            "versions": {"python": platform.python_version()}
            | {library: version(library) for library in _LIBRARIES},
            "training_tokens": recipe.steps * recipe.rows * recipe.context,
            "parameters": model.num_parameters(),
            "vocabulary": len(tokenizer),
            # Of the weights and tokenizer; this card adds about two thousand.
            "bytes": size(fresh),
            "minutes": round((time.monotonic() - began) / 60, 1),
            **quality,
        }
        if size(fresh) > LARGEST:
            raise ValueError(
                f"the result takes {size(fresh)} bytes, more than {LARGEST}; choose fewer latents"
            )
        (fresh / "card.json").write_text(json.dumps(card, indent=2) + "\n")
        shutil.rmtree(directory, ignore_errors=True)
        # Without their modes: safetensors makes files that only their owner reads.
        shutil.copytree(fresh, directory, copy_function=shutil.copyfile)
    _LOG.info("%s holds the model and its SAEs: %.1f MB", directory, size(directory) / 1e6)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    # The order of a sum depends on the number of threads.
    torch.set_num_threads(1)
    build(DATA_DIRECTORY, Recipe())
