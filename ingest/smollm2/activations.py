"""The residual stream of the training texts, kept on disk while the SAEs are trained.

Files, under one directory: ``blocks.N.hook_resid_post-0003.npy``, float16 of shape (tokens, width), one per
hook and part. A part that is whole is not computed again.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ingest.progress import progress
from ingest.sampling.model import Model, residuals
from ingest.sampling.packing import Piece, Row, pack
from ingest.smollm2.texts import Document

ROWS = 16
"""Rows in a forward pass."""
_PART = 1024
"""Rows in a file."""


def rows_of(model: Model, documents: Iterator[Document]) -> list[Row]:
    """Pack documents into rows of the model's context."""
    return list(pack(_pieces(model, documents), model.context, model.bos, model.prepend_bos))


def _pieces(model: Model, documents: Iterator[Document]) -> Iterator[Piece]:
    for number, document in enumerate(documents):
        ids = model.tokenizer(document.text, add_special_tokens=False, verbose=False)["input_ids"]
        yield Piece(number, 0, np.array(ids, np.int32))


def stream(model: Model, hooks: tuple[str, ...], rows: list[Row]) -> Iterator[dict[str, torch.Tensor]]:
    """Run rows through the model, `ROWS` at once; yields [tokens of text, width] for each hook."""
    for at in range(0, len(rows), ROWS):
        tokens = np.stack([row.tokens for row in rows[at : at + ROWS]])
        text = torch.from_numpy(~model.special[tokens])
        found = residuals(model, torch.from_numpy(tokens).long(), list(hooks))
        yield {hook: found[hook].cpu()[text] for hook in hooks}


def keep(model: Model, hooks: tuple[str, ...], rows: list[Row], directory: Path) -> None:
    """Write the residual stream of all rows, going on where it was left."""
    directory.mkdir(parents=True, exist_ok=True)
    parts = range(0, len(rows), _PART)
    there = [
        number for number in range(len(parts)) if all(_part(directory, h, number).is_file() for h in hooks)
    ]
    done = sum(len(rows[parts[number] : parts[number] + _PART]) for number in there)
    with progress("activations", len(rows), done, unit="rows") as advance:
        for number, at in enumerate(parts):
            if number in there:
                continue
            found: dict[str, list[NDArray[np.float16]]] = {hook: [] for hook in hooks}
            for start in range(at, min(at + _PART, len(rows)), ROWS):
                chosen = rows[start : min(start + ROWS, at + _PART)]
                for streams in stream(model, hooks, chosen):
                    for hook, values in streams.items():
                        found[hook].append(values.half().numpy())
                advance(len(chosen))
            for hook, batches in found.items():
                _write(np.concatenate(batches), _part(directory, hook, number))


def kept(directory: Path, hook: str) -> torch.Tensor:
    """Read what was kept of one hook, float16[tokens, width], parts in order."""
    files = sorted(directory.glob(f"{hook}-*.npy"))
    return torch.from_numpy(np.concatenate([np.load(file) for file in files]))


def _part(directory: Path, hook: str, number: int) -> Path:
    return directory / f"{hook}-{number:04}.npy"


def _write(values: NDArray[Any], file: Path) -> None:
    unfinished = file.with_name(f"{file.name}.part")
    with unfinished.open("wb") as stream:
        np.save(stream, values)
    unfinished.replace(file)
