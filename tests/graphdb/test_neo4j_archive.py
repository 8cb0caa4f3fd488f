"""The archive of the classes that Neo4j loads: made once, used from then on, and not needed."""

import os
import shutil
from pathlib import Path

import pytest

from graphdb.directory import create_directory
from graphdb.engines import engine_called, neo4j_archive, neo4j_jars
from graphdb.engines.engine import Launch, Ports
from graphdb.store import connect
from tests.graphdb.stores import have_neo4j


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache that holds the jars and no archive."""
    have_neo4j()
    jars = neo4j_jars.folder()
    mine = tmp_path / "cache" / "stratigraph"
    mine.mkdir(parents=True)
    shutil.copytree(jars, mine / jars.name, copy_function=os.link)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return mine


def arguments(tmp_path: Path, *, briefly: bool) -> str:
    directory = create_directory(tmp_path / "graph.db", "neo4j")
    return " ".join(engine_called("neo4j").launch(directory, Ports(1, 0), briefly).arguments)


def test_it_was_made_and_a_server_starts_from_it(tmp_path: Path) -> None:
    have_neo4j()
    made = neo4j_archive.file()
    before = made.stat().st_mtime_ns
    engine_called("neo4j").fetch(lambda _: None)
    assert made.stat().st_mtime_ns == before
    assert not [left for left in made.parent.iterdir() if left.name.startswith("archive-")]
    assert f"-XX:SharedArchiveFile={made}" in arguments(tmp_path, briefly=True)
    assert "SharedArchiveFile" not in arguments(tmp_path, briefly=False)
    with connect(tmp_path / "graph.db") as store:
        assert store.read("RETURN 1 AS one") == [{"one": 1}]
    said = (tmp_path / "graph.db" / "log" / "server.log").read_text()
    assert "archive" not in said.lower(), "Java would say that it does not fit"


def test_one_that_does_not_fit_does_no_harm(tmp_path: Path, cache: Path) -> None:
    assert not engine_called("neo4j").fetched()
    neo4j_archive.file().write_bytes(b"no archive")
    with connect(create_directory(tmp_path / "graph.db", "neo4j").path) as store:
        assert store.read("RETURN 1 AS one") == [{"one": 1}]


def test_what_cannot_be_made_is_tried_once(cache: Path) -> None:
    def launch(*_: object) -> Launch:
        return Launch(Path("/bin/false"), ("a",))

    assert not neo4j_archive.make(launch, "neo4j")
    assert neo4j_archive.made()
    assert neo4j_archive.options() == ()
    assert neo4j_archive.file().with_suffix(".failed").is_file()
