"""Documents as token ids, and pieces of them."""

from collections.abc import Iterable, Iterator
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from ingest.sampling.packing import Piece
from ingest.sampling.untyped import Tokenizer

_BATCH = 128
_LONG = 1 << 20
"""Characters of a document tokenised at once; longer ones are cut before a line break."""


def tokenized(documents: Iterable[str], tokenizer: Tokenizer) -> Iterator[NDArray[np.int32]]:
    """Tokenise documents one after another, without the tokenizer's own special tokens."""

    def ids(texts: list[str]) -> list[list[int]]:
        found: list[list[int]] = tokenizer(
            texts, add_special_tokens=False, return_attention_mask=False, verbose=False
        )["input_ids"]
        return found

    batch: list[str] = []
    for text in chain(documents, [None]):
        if text is not None and len(text) < _LONG:
            batch.append(text)
            if len(batch) < _BATCH:
                continue
        if batch:
            yield from (np.asarray(one, np.int32) for one in ids(batch))
            batch = []
        if text is not None and len(text) >= _LONG:
            yield np.concatenate([np.asarray(ids([part])[0], np.int32) for part in _parts(text)])


def _parts(text: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        end = text.find("\n", at + _LONG) if at + _LONG < len(text) else -1
        yield text[at : end if end > 0 else len(text)]
        at = end if end > 0 else len(text)


def cut(tokens: NDArray[np.int32], document: int, size: int) -> Iterator[Piece]:
    """Cut one document into pieces of at most `size` tokens."""
    for at in range(0, len(tokens), size):
        yield Piece(document, at, tokens[at : at + size])
