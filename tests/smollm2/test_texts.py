"""Books into passages: what is joined, what keeps its lines, what is held out."""

import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.smollm2 import texts
from ingest.smollm2.texts import Document, books, held_out, passages, read, speeches, unwrap, write

VERSE = "Tyger Tyger, burning bright,\nIn the forests of the night;\nWhat immortal hand or eye,"
PROSE = (
    "Sir Walter Elliot, of Kellynch Hall, in Somersetshire, was a man who,\n"
    "for his own amusement, never took up any book but the Baronetage;\n"
    "there he found occupation."
)


def test_prose_is_joined_and_verse_keeps_its_lines() -> None:
    assert unwrap(VERSE) == VERSE
    assert unwrap(PROSE) == PROSE.replace("\n", " ")


@given(st.lists(st.text("ab .\n", min_size=1, max_size=3000), max_size=12))
def test_passages_hold_every_word_in_order(paragraphs: list[str]) -> None:
    book = "\n\n".join(paragraphs)
    found = list(passages(book))
    assert " ".join(found).split() == book.split()
    assert all(found)
    assert all(len(passage) >= texts._PASSAGE for passage in found[:-1])


def test_one_in_twenty_is_held_out() -> None:
    documents = [Document("austen-emma", part, "prose", "") for part in range(200)]
    assert sum(map(held_out, documents)) == 10


def archive(file: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(file, "w:gz") as tar:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return file


def test_archives_are_read_in_the_order_of_names_and_nothing_else_of_them(tmp_path: Path) -> None:
    packed = archive(
        tmp_path / "a.tgz",
        {
            "package/gutenberg/milton.txt": "Of Man\xe9s first disobedience".encode("latin-1"),
            "package/gutenberg/austen.txt": PROSE.encode(),
            "package/gutenberg/README.md": b"not a book",
            "package/data/1801_jefferson.txt": "Fellow citizens …".encode(),
            "package/data/1801_jefferson.json": b"{}",
        },
    )
    assert [(d.work, d.part, d.kind) for d in books(packed)] == [
        ("austen", 0, "prose"),
        ("milton", 0, "prose"),
    ]
    assert list(books(packed))[1].text == "Of Man\xe9s first disobedience"
    assert list(speeches(packed)) == [Document("1801_jefferson", 0, "speech", "Fellow citizens …")]


def test_documents_are_read_back_as_written(tmp_path: Path) -> None:
    made = [Document("a", 0, "prose", "“line”\n\nnext"), Document("b", 1, "speech", "")]
    assert write(iter(made), tmp_path / "t.jsonl") == 2
    assert list(read(tmp_path / "t.jsonl")) == made


def test_what_is_not_complete_is_not_there(tmp_path: Path) -> None:
    def failing() -> object:
        yield Document("a", 0, "prose", "x")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write(failing(), tmp_path / "t.jsonl")  # type: ignore[arg-type]
    assert not (tmp_path / "t.jsonl").exists()
