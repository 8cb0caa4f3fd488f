"""The texts as documents: passages of books and whole speeches, some held out from training.

Books are wrapped at some 70 characters; a paragraph of prose is joined to one line, as models know text, and
verse keeps its lines. Which documents are held out hangs on their place in their book alone.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from ingest.smollm2.packages import members

Kind = Literal["prose", "speech"]

_PASSAGE = 4000
"""Characters after which a passage of a book ends with the paragraph."""
_WRAPPED = 50
"""Mean length of line, in characters, from which a paragraph is wrapped prose and not verse."""
_HELD_OUT = 20
"""One document of so many is held out."""


@dataclass(frozen=True)
class Document:
    """A text with where it comes from.

    Parameters
    ----------
    work
        The file it is from: ``austen-emma``, ``1790_george_washington_n``.
    part
        Its number in the work, from 0.
    kind
        What it is.
    text
        The text.
    """

    work: str
    part: int
    kind: Kind
    text: str


def books(archive: Path) -> Iterator[Document]:
    """Read the books, in passages."""
    for work, data in members(archive, "package/gutenberg").items():
        for part, text in enumerate(passages(data.decode("latin-1"))):
            yield Document(work, part, "prose", text)


def speeches(archive: Path) -> Iterator[Document]:
    """Read the speeches, each a document."""
    for number, (work, data) in enumerate(members(archive, "package/data").items()):
        yield Document(work, number, "speech", data.decode())


def passages(text: str) -> Iterator[str]:
    """Cut a book into passages of whole paragraphs."""
    passage: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text.replace("\r\n", "\n")):
        if unwrapped := unwrap(paragraph):
            passage.append(unwrapped)
        if sum(map(len, passage)) >= _PASSAGE:
            yield "\n\n".join(passage)
            passage = []
    if passage:
        yield "\n\n".join(passage)


def unwrap(paragraph: str) -> str:
    """Join the lines of a paragraph if their length says that they were wrapped, else keep them."""
    lines = [re.sub(r"\s+", " ", line).strip() for line in paragraph.splitlines()]
    lines = [line for line in lines if line]
    before = lines[:-1]
    wrapped = before and sum(map(len, before)) / len(before) >= _WRAPPED
    return (" " if wrapped else "\n").join(lines)


def held_out(document: Document) -> bool:
    """Tell whether no SAE was trained on a document."""
    return document.part % _HELD_OUT == _HELD_OUT - 1


def write(documents: Iterator[Document], file: Path) -> int:
    """Write documents as lines of JSON, in place only when complete, and return how many there are."""
    part = file.with_name(f"{file.name}.part")
    count = 0
    with part.open("w") as stream:
        for document in documents:
            stream.write(json.dumps(asdict(document)) + "\n")
            count += 1
    part.replace(file)
    return count


def read(file: Path) -> Iterator[Document]:
    """Read what `write` wrote."""
    with file.open() as stream:
        for line in stream:
            yield Document(**json.loads(line))
