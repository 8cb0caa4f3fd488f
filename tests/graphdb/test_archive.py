"""The archive of the classes that ArcadeDB loads: made once, used from then on, and not needed."""

from pathlib import Path

import pytest

from graphdb.commands import fetching
from graphdb.directory import create_directory
from graphdb.engines import archive, engine_called
from graphdb.engines.engine import Launch, Ports
from graphdb.store import connect


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "stratigraph"


def arguments(tmp_path: Path, *, briefly: bool = True) -> str:
    directory = create_directory(tmp_path / "graph.db")
    return " ".join(engine_called("arcadedb").launch(directory, Ports(1, 2), briefly).arguments)


def test_it_is_made_once_and_a_server_starts_from_it(tmp_path: Path, cache: Path) -> None:
    engine = engine_called("arcadedb")
    assert not engine.fetched()
    assert "AOTCache" not in arguments(tmp_path)
    came: list[int] = []
    engine.fetch(came.append)
    assert engine.fetched()
    assert came == [1]
    (made,) = cache.iterdir()
    assert made == archive.file()
    assert f"-XX:AOTCache={made}" in arguments(tmp_path)
    with connect(tmp_path / "graph.db", create=True) as store:
        assert store.read("RETURN 1 AS one") == [{"one": 1}]
    said = (tmp_path / "graph.db" / "log" / "server.log").read_text()
    assert "aot" not in said.lower(), "Java would say that it does not fit"


def test_a_load_makes_it_before_it_makes_a_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(fetching, "fetch", lambda engine: asked.append(engine.name))
    there = create_directory(tmp_path / "there.db").path
    for where in (there, "bolt://localhost:7687"):
        fetching.fetch_for(str(where))
    assert not asked
    fetching.fetch_for(str(tmp_path / "absent.db"))
    assert asked == ["arcadedb"]
    assert not (tmp_path / "absent.db").exists()


def test_one_that_does_not_fit_does_no_harm(tmp_path: Path, cache: Path) -> None:
    cache.mkdir(parents=True)
    archive.file().write_bytes(b"no archive")
    with connect(tmp_path / "graph.db", create=True) as store:
        assert store.read("RETURN 1 AS one") == [{"one": 1}]


def test_what_cannot_be_made_is_tried_once(cache: Path) -> None:
    def launch(*_: object) -> Launch:
        return Launch(Path("/bin/false"), ("a", "b"))

    assert not archive.make(launch, "stratigraph")
    assert archive.made()
    assert [path.suffix for path in cache.iterdir()] == [".failed"]
    assert archive.options() == ()
