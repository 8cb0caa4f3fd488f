"""A directory that lost files of its database is called damaged, whatever its server says."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import stratigraph
from graphdb import server
from graphdb.directory import open_directory
from graphdb.load import drop_run, load_graph
from graphdb.store import answers, connect
from tests.graphdb.small_graphs import planted
from tests.graphdb.stores import content, empty

EDGES = [(a, b, 0.01 * (a + b)) for a in range(60) for b in range(a + 1, min(a + 4, 60))]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a graph, its server stopped."""
    where = tmp_path_factory.mktemp("damaged") / "whole.db"
    with connect(where, write=True, create=True) as store:
        load_graph(store, planted(60, EDGES))
    return where


@pytest.fixture
def where(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "graph.db"))


def data(where: Path) -> Path:
    return where / "databases" / "stratigraph"


def refused(where: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Ask and load; return the one sentence that both say."""
    said = set()
    for words in (["runs"], ["query", "MATCH (n) RETURN n", "--write"], ["db", "up"]):
        assert stratigraph.main([*words, "--db", str(where)]) == 1
        captured = capsys.readouterr()
        assert captured.out == ""
        said.add(captured.err.strip())
    assert len(said) == 1
    assert server.running(open_directory(where)) is None, "no server was left"
    return said.pop()


def delete(path: Path) -> str:
    path.unlink()
    return "is gone"


def cut(path: Path) -> str:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.truncate(size // 2)
    return f"has {size // 2:,} of {size:,} bytes"


@pytest.mark.parametrize("harm", [delete, cut])
@pytest.mark.parametrize("pattern", ["Run_0.*.bucket", "Feature_0_*idx", "DEPENDS_0.*.bucket", "*.dict"])
def test_a_file_that_is_gone_or_cut(
    where: Path, capsys: pytest.CaptureFixture[str], harm: Callable[[Path], str], pattern: str
) -> None:
    (path,) = data(where).glob(pattern)
    how = harm(path)
    assert refused(where, capsys) == (
        f"stratigraph: the database in {where} is damaged: {path} {how}; restore the directory from a copy, "
        "or remove it and load the graphs again"
    )


def test_everything_is_gone(where: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(where / "databases")
    assert "is damaged: " in refused(where, capsys)


@pytest.mark.parametrize("text", [None, "", "{"])
def test_the_schema_is_gone_or_damaged(
    where: Path, capsys: pytest.CaptureFixture[str], text: str | None
) -> None:
    schema = data(where) / "schema.json"
    schema.unlink()
    if text is not None:
        schema.write_text(text)
    assert f"is damaged: {schema} " in refused(where, capsys)


def test_what_is_gone_from_under_a_kept_server(where: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = open_directory(where)
    server.acquire(directory, answers, outlive=True).release()
    try:
        (path,) = data(where).glob("Run_0.*.bucket")
        path.unlink()
        assert stratigraph.main(["runs", "--db", str(where)]) == 1
        assert f"{path} is gone" in capsys.readouterr().err
    finally:
        server.end_if_unused(directory)
    assert stratigraph.main(["runs", "--db", str(where)]) == 1
    assert f"{path} is gone" in capsys.readouterr().err, "it is not forgotten"


def test_what_was_deleted_by_asking_is_no_damage(where: Path) -> None:
    with connect(where, write=True) as store:
        drop_run(store, "aaaa00000001")
    with connect(where, write=True) as store:
        empty(store)
        load_graph(store, planted(3, run="bbbb"))
        after = content(store)
    with connect(where, write=True) as store:
        assert content(store) == after
        empty(store)
    with connect(where) as store:
        assert store.read("MATCH (n) RETURN n") == []


def test_an_index_that_was_made_anew_is_no_damage(where: Path) -> None:
    """As its server does with one that has grown."""
    noted = json.loads((where / "files.json").read_text())
    (path,) = data(where).glob("Feature_0_*idx")
    kind, _, rest = path.name.removeprefix("Feature_0_").partition(".")
    noted[f"Feature_0_{int(kind) - 1}.{rest}"] = noted.pop(path.name) * 2
    (where / "files.json").write_text(json.dumps(noted))
    with connect(where) as store:
        assert store.read("MATCH (f:Feature {id: 'tiny/0-sae/7'}) RETURN f.index AS i") == [{"i": 7}]


def test_a_directory_of_which_nothing_was_noted_is_opened(where: Path) -> None:
    (where / "files.json").unlink()
    with connect(where) as store:
        assert store.read("MATCH (r:Run) RETURN count(r) AS n") == [{"n": 1}]
    assert (where / "files.json").is_file()
