"""The small model ("organism"): a language whose structure is known, and a model of it.

A generator plants word classes and grammar in text and labels every word; a
GPT-2-shaped model trained on that text and SAEs on each of its layers are kept
in `data/`, in the formats of Hugging Face and SAELens, so that whatever works on
them works on the real models. `python -m ingest.organism.build` rebuilds all of
it. Importing this package loads no model code.
"""

from __future__ import annotations

from pathlib import Path

from ingest.organism.classes import CLASSES
from ingest.organism.grammar import Document, document, documents

DATA_DIRECTORY = Path(__file__).parent / "data"
MODEL_DIRECTORY = DATA_DIRECTORY / "model"
"""A Hugging Face directory: `TransformerBridge.boot_transformers(str(MODEL_DIRECTORY))`."""
SAE_DIRECTORY = DATA_DIRECTORY / "saes"
"""One SAELens directory a layer, named by its hook: `SAE.load_from_disk(SAE_DIRECTORY / hook)`."""
CARD = DATA_DIRECTORY / "card.json"
"""What was built, from what, and how good it is."""

__all__ = [
    "CARD",
    "CLASSES",
    "MODEL_DIRECTORY",
    "SAE_DIRECTORY",
    "Document",
    "document",
    "documents",
]
