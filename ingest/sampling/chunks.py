"""A local corpus too large to permute: chunks of it in random order, many open at once.

Files are cut into chunks: json lines and plain text into ranges of bytes that begin and end at line ends,
parquet into its row groups, a json array is one. Chunks are opened in one seeded random order and read in
turn, a document of each, so that the documents of any stretch of the stream come from places all over the
corpus. A plain text longer than a chunk becomes several documents.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ingest.sampling import local_text

BYTES = 1 << 16
"""Bytes of a chunk, about twenty documents; more where there would be over ``_MOST`` chunks."""
OPEN = 64
"""Chunks read in turn."""
_OPEN_BYTES = 1 << 29
"""Bytes of the chunks open at once, since a json array is held whole and a row group in part."""
_MOST = 1 << 16


@dataclass(frozen=True)
class Chunk:
    """Part of a file: bytes `begin` to `end` of lines, or row group `begin` of parquet, of `size` bytes."""

    file: Path
    begin: int
    end: int
    size: int


def chunks_of(files: list[Path], size: int) -> list[Chunk]:
    """Cut files into chunks of about `size` bytes, in their order."""
    found: list[Chunk] = []
    for file in files:
        total = file.stat().st_size
        kind = local_text.suffix_of(file.name)
        if kind == ".parquet":
            sizes = local_text.row_groups(file)
            found += [Chunk(file, i, i + 1, n) for i, n in enumerate(sizes)]
        elif kind == ".json":
            found.append(Chunk(file, 0, total, total))
        else:
            found += [Chunk(file, at, min(at + size, total), size) for at in range(0, total, size)]
    return found


def scattered(files: list[Path], column: str | None, seed: int) -> Iterator[str]:
    """Read every document once, from chunks in random order, many in turn."""
    total = sum(file.stat().st_size for file in files)
    chunks = chunks_of(files, max(BYTES, total // _MOST))
    waiting = deque(chunks[i] for i in np.random.default_rng([seed, 2]).permutation(len(chunks)))
    reading: deque[tuple[Iterator[str], int]] = deque()
    held = 0
    while waiting or reading:
        while waiting and len(reading) < OPEN and (not reading or held + waiting[0].size <= _OPEN_BYTES):
            chunk = waiting.popleft()
            reading.append((_documents(chunk, column or "text"), chunk.size))
            held += chunk.size
        documents, size = reading.popleft()
        text = next(documents, None)
        if text is None:
            held -= size
            continue
        yield text
        reading.append((documents, size))


def _documents(chunk: Chunk, column: str) -> Iterator[str]:
    kind = local_text.suffix_of(chunk.file.name)
    if kind == ".parquet":
        yield from local_text.parquet(chunk.file, column, chunk.begin)
    elif kind == ".json":
        yield from local_text.documents([chunk.file], column)
    elif kind == ".txt":
        text = local_text.plain(b"".join(_lines(chunk)))
        if text:
            yield text
    else:
        # a line's number would need the file read up to it, so a refusal counts from the chunk's first byte
        for number, line in enumerate(_lines(chunk), 1):
            if line.strip():
                where = f"{chunk.file} line {number} after byte {chunk.begin}"
                yield local_text.record_of(line, column, where, chunk.file)


def _lines(chunk: Chunk) -> Iterator[bytes]:
    """Read the lines that begin in a chunk."""
    with chunk.file.open("rb") as stream:
        if chunk.begin:
            stream.seek(chunk.begin - 1)
            stream.readline()
        while stream.tell() < chunk.end:
            yield stream.readline()
