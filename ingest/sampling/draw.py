"""The draw: pieces of documents in seeded random order, and replicates cut from it.

A piece is at most one row's worth of one document. Local corpora are tokenised once and drawn without
replacement, by a true permutation of all their pieces; those too large for that by chunks from all over
them, and streams as they come, both through a shuffle buffer; documents of the generator are independent
already. What one replicate has touched, no other gets, not even the rest of a piece.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.errors import MisuseError
from ingest.sampling.packing import Piece, Row, pack
from ingest.sampling.tokens import cut

BUFFER = 4096
"""Pieces held back for shuffling a stream from the hub, which has to come over the network first."""
LARGE_BUFFER = 4 * BUFFER
"""Pieces held back for shuffling chunks of local files: some 8 MB of text in rows of 128, of 100 chunks."""


@dataclass(frozen=True)
class Shape:
    """How pieces become rows: context size, BOS, and which token ids are no text."""

    context: int
    bos: int | None
    prepend_bos: bool
    special: NDArray[np.bool_]

    def kept(self, row: Row) -> int:
        """Count the tokens of a row that are text."""
        return len(row.tokens) - int(self.special[row.tokens].sum())


def in_order(documents: Iterator[NDArray[np.int32]], size: int) -> Iterator[Piece]:
    """Cut documents as they come."""
    for number, tokens in enumerate(documents):
        yield from cut(tokens, number, size)


def buffered(pieces: Iterator[Piece], seed: int, size: int = BUFFER) -> Iterator[Piece]:
    """Shuffle a stream through a buffer: each piece that comes in sends a random one out."""
    random = np.random.default_rng([seed, 1])
    held: list[Piece] = []
    for piece in pieces:
        if len(held) < size:
            held.append(piece)
            continue
        slot = int(random.integers(size))
        yield held[slot]
        held[slot] = piece
    yield from (held[i] for i in random.permutation(len(held)))


@dataclass(frozen=True)
class Permuted:
    """A local corpus, tokenised, and all its pieces in one random order.

    Parameters
    ----------
    tokens : shape (tokens,)
        The documents one after another, in a scratch file.
    begins : shape (pieces + 1,)
        Where each piece begins in ``tokens``.
    document, offset : shape (pieces,)
        Which document it is of, and where in it.
    seed
        Seed of the permutation.
    """

    tokens: NDArray[np.int32]
    begins: NDArray[np.int64]
    document: NDArray[np.int32]
    offset: NDArray[np.int64]
    seed: int

    @classmethod
    def read(
        cls, documents: Iterator[NDArray[np.int32]], size: int, seed: int, scratch: Path | None
    ) -> "Permuted":
        """Tokenise everything; the tokens go to an unnamed file in `scratch`, gone with the process.

        Without a directory it lies where temporary files do.
        """
        lengths: list[int] = []
        with tempfile.TemporaryFile(dir=scratch) as file:
            for tokens in documents:
                tokens.tofile(file)
                lengths.append(len(tokens))
            file.flush()
            total = sum(lengths)
            mapped = np.memmap(file, np.int32, "r", shape=(total,)) if total else np.zeros(0, np.int32)
        pieces = -(-np.asarray(lengths, np.int64) // size)
        document = np.repeat(np.arange(len(lengths), dtype=np.int32), pieces)
        offset = size * (np.arange(len(document)) - np.repeat(np.cumsum(pieces) - pieces, pieces))
        begins = np.append(np.cumsum([0, *lengths])[document] + offset, total)
        return cls(mapped, begins, document, offset, seed)

    def __iter__(self) -> Iterator[Piece]:
        """Go through all pieces, each once."""
        for i in np.random.default_rng([self.seed, 0]).permutation(len(self.document)):
            tokens = self.tokens[int(self.begins[i]) : int(self.begins[i + 1])]
            yield Piece(int(self.document[i]), int(self.offset[i]), np.asarray(tokens))


def opened(
    documents: Iterator[NDArray[np.int32]], way: str, size: int, seed: int, scratch: Path | None
) -> "Permuted | Iterator[Piece]":
    """Cut documents into pieces of at most `size` tokens and put them in the order of a draw.

    `way` is that of the corpus (``corpus.DRAWS``); `scratch` as for ``Permuted.read``.
    """
    if way == "permutation":
        return Permuted.read(documents, size, seed, scratch)
    pieces = in_order(documents, size)
    sizes = {"buffer": BUFFER, "chunks": LARGE_BUFFER}
    return buffered(pieces, seed, sizes[way]) if way in sizes else pieces


def take(pieces: Iterator[Piece], shape: Shape, tokens: int) -> list[Row]:
    """Pack the rows of one replicate: the fewest that hold `tokens` tokens of text; fewer if the corpus ends.

    Raises
    ------
    MisuseError
        Almost everything that comes is no text.
    """
    rows: list[Row] = []
    kept = 0
    most = 100 + 10 * tokens // max(1, shape.context - 1)
    for row in pack(pieces, shape.context, shape.bos, shape.prepend_bos):
        rows.append(row)
        kept += shape.kept(row)
        if kept >= tokens:
            return rows
        if len(rows) > most:
            raise MisuseError(
                f"--corpus: of {len(rows) * shape.context:,} tokens read only {kept:,} are text the "
                "tokenizer knows; use a corpus in the model's language"
            )
    return rows


def count_replicates(pieces: Iterator[Piece], shape: Shape, tokens: int, most: int) -> int:
    """Count how many whole replicates a corpus allows, up to `most`."""
    for number in range(most):
        if sum(shape.kept(row) for row in take(pieces, shape, tokens)) < tokens:
            return number
    return most
