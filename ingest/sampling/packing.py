"""Rows of the model's context, packed from pieces of documents, each token knowing where it came from.

Rows are those of SAELens: BOS first where the metadata says so, BOS between two pieces, a piece that does not
fit goes on in the next row. No padding, so no attention mask to get wrong.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Int32 = NDArray[np.int32]


@dataclass(frozen=True)
class Piece:
    """A run of tokens of one document: which document of the draw, and where in it the run begins."""

    document: int
    offset: int
    tokens: Int32


@dataclass(frozen=True)
class Row:
    """One row: token ids, and for each its document and place there (-1 for a BOS that packing put in)."""

    tokens: Int32
    document: Int32
    offset: Int32


def pack(pieces: Iterable[Piece], context: int, bos: int | None, prepend_bos: bool) -> Iterator[Row]:
    """Fill rows of `context` tokens; what is left over at the end is dropped."""
    row, at = _empty(context), 0
    for piece in pieces:
        tokens, taken = piece.tokens, 0
        while taken < len(tokens):
            wanted = taken == 0 if at else prepend_bos
            if wanted and bos is not None and tokens[taken] != bos:
                row.tokens[at] = bos
                at += 1
            n = min(context - at, len(tokens) - taken)
            row.tokens[at : at + n] = tokens[taken : taken + n]
            row.document[at : at + n] = piece.document
            row.offset[at : at + n] = np.arange(piece.offset + taken, piece.offset + taken + n)
            at, taken = at + n, taken + n
            if at == context:
                yield row
                row, at = _empty(context), 0


def _empty(context: int) -> Row:
    return Row(np.empty(context, np.int32), np.full(context, -1, np.int32), np.full(context, -1, np.int32))
