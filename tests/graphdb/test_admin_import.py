"""What `export` writes for neo4j-admin is, imported, what `load` makes."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

import stratigraph
from analysis.errors import DataError
from analysis.layer_graph import LayerGraph
from graphdb.admin_import import write_import
from graphdb.directory import create_directory
from graphdb.graph_directory import write_graph
from graphdb.load import load_graph
from graphdb.store import Store, connect
from tests.graphdb.small_graphs import planted
from tests.graphdb.stores import content, have_neo4j
from tests.graphdb.test_bulk import hostile


def of_all_kinds() -> list[LayerGraph]:
    """Two runs over one site, the older of more tokens; others without words, edges, or kept ones."""
    second = planted(12, run="bbbb00000001", created="2026-05-01T00:00:00Z", seed=3, word="v", tokens=5)
    other = planted(4, [], layer=1, run="cccc00000001", words=False)
    none_kept = planted(5, layer=2, run="dddd00000001")
    none_kept = replace(
        none_kept, edges=none_kept.edges.with_columns(pl.lit(False).alias("kept")), r_star=None
    )
    return [hostile(), second, other, none_kept]


@pytest.mark.parametrize("address", ["neo4j"], indirect=True)
def test_an_import_equals_loads(store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    have_neo4j()
    names = []
    for place, graph in enumerate(of_all_kinds()):
        names.append(str(tmp_path / f"graph-{place}"))
        write_graph(Path(names[-1]), graph)
        load_graph(store, graph)
    out, imported = tmp_path / "out of it", tmp_path / "imported.db"
    assert stratigraph.main(["export", *names, "--to", "neo4j-admin", "--out", str(out)]) == 0
    assert "neo4j-admin database import full neo4j @import.args" in capsys.readouterr().out

    # one that was killed: no server starts over what it left, and it is made again
    create_directory(imported, "neo4j")
    (imported / "neo4j").mkdir()
    (imported / "neo4j" / "unfinished-import").touch()
    assert stratigraph.main(["runs", "--db", str(imported)]) == 1
    assert "did not finish; run `stratigraph db import` again" in capsys.readouterr().err
    assert stratigraph.main(["db", "import", "--from", str(out), "--db", str(imported)]) == 0
    with connect(imported, write=True) as made:
        assert content(made) == content(store)
        names_of = {row["name"] for row in made.read("SHOW INDEXES YIELD name")}
    made_by_us = {"site_id", "feature_id", "run_id", "community_id", "community_run"}
    assert {f"stratigraph_{name}" for name in made_by_us} <= names_of
    assert stratigraph.main(["db", "import", "--from", str(out), "--db", str(imported)]) == 2
    assert "holds a database already" in capsys.readouterr().err


def test_an_import_that_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    have_neo4j()
    out, imported = tmp_path / "out", tmp_path / "imported.db"
    write_import(out, [planted(4)])
    (out / "depends-0.csv").unlink()
    assert stratigraph.main(["db", "import", "--from", str(out), "--db", str(imported)]) == 1
    assert "depends-0.csv" in capsys.readouterr().err
    assert stratigraph.main(["runs", "--db", str(imported)]) == 1
    assert "did not finish" in capsys.readouterr().err


def test_one_run_twice_counts_once(tmp_path: Path) -> None:
    write_import(tmp_path / "once", [planted(4)])
    write_import(tmp_path / "twice", [planted(4), planted(4)])
    for file in (tmp_path / "once").iterdir():
        assert file.read_bytes() == (tmp_path / "twice" / file.name).read_bytes()


def test_a_site_of_two_widths(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="4 features in run aaaa00000001 and 5 features in run bbbb; a site"):
        write_import(tmp_path / "out", [planted(4), planted(5, run="bbbb")])
    assert not (tmp_path / "out" / "import.args").exists()


def test_misuse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_graph(tmp_path / "graph", planted(4))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    create_directory(tmp_path / "arcade.db")
    base = ["export", str(tmp_path / "graph"), "--to", "neo4j-admin", "--out"]
    new = str(tmp_path / "new.db")
    for arguments, said in (
        ([*base, str(tmp_path / "full")], "is there and not empty"),
        (["db", "import", "--db", new], "expected both or neither"),
        (["db", "up", "--db", new, "--from", str(tmp_path)], "expected both or neither"),
        (["db", "import", "--db", new, "--engine", "arcadedb", "--from", str(tmp_path)], "one of arcadedb"),
        (["db", "import", "--db", str(tmp_path / "arcade.db"), "--from", str(tmp_path)], "one of arcadedb"),
    ):
        assert stratigraph.main(arguments) == 2
        assert said in capsys.readouterr().err
    assert not Path(new).exists()


def test_a_folder_without_an_export(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    have_neo4j()
    where = str(tmp_path / "new.db")
    assert stratigraph.main(["db", "import", "--db", where, "--from", str(tmp_path)]) == 2
    assert "has no import.args" in capsys.readouterr().err
    assert not Path(where).exists(), "the next try may be of the other engine"
