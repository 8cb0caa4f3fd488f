"""The verbs as a person types them."""

import argparse
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from analysis.errors import MisuseError, StratigraphError
from graphdb import server
from graphdb.commands import add_commands as add_database_commands
from graphdb.directory import create_directory
from graphdb.load import load_graph
from graphdb.store import Store
from queries.commands import add_commands
from queries.features import FEATURE_COLUMNS
from queries.neighbors import NEIGHBOR_COLUMNS
from queries.notebook import Graph
from tests.graphdb.small_graphs import planted

Run = Callable[..., str]


def command_line() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(required=True)
    add_commands(commands)
    add_database_commands(commands)
    return parser


@pytest.fixture
def run(store: Store, address: str, capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Run a verb over two loaded runs and return what it wrote to stdout."""
    load_graph(store, planted(40, [(0, i, 0.1 * i) for i in range(1, 40)], seed=2))
    load_graph(store, planted(40, run="bbbb", layer=1, seed=2))

    def ask(*words: str) -> str:
        arguments = command_line().parse_args([*words, "--db", address])
        assert arguments.run(arguments) == 0
        return capfdbinary.readouterr().out.decode()

    return ask


def test_json_keys(run: Run) -> None:
    found = json.loads(run("feature", "tiny/0-sae/0", "--format", "json"))
    assert len(found) == 1
    assert list(found[0]) == list(FEATURE_COLUMNS)
    near = json.loads(run("neighbors", "tiny/0-sae/0", "--all", "--limit", "0", "--format", "json"))
    assert len(near) == 39
    assert list(near[0]) == list(NEIGHBOR_COLUMNS)
    assert [row["weight"] for row in near] == [0.1 * i for i in range(39, 0, -1)]
    assert len(json.loads(run("neighbors", "tiny/0-sae/0", "--all", "--format", "json"))) == 20
    assert [row["id"] for row in json.loads(run("runs", "--format", "json"))] == ["aaaa00000001", "bbbb"]
    assert json.loads(run("replicates", "bb", "--format", "json"))[0]["observed"] == 40
    assert json.loads(run("query", "hubs", "--param", "limit=2", "--format", "json"))[0]["id"]
    assert json.loads(run("query", "MATCH (n:Nope) RETURN n", "--format", "json")) == []


def test_replicates_say_by_what_edges_are_kept(run: Run, store: Store) -> None:
    assert "at an FDR of 0.1, r* = 2: 28 edges kept" in run("replicates", "bb")
    calibrated = planted(40, run="cccc", layer=2, procedure="calibrated")
    load_graph(store, calibrated)
    said = run("replicates", "cc")
    assert f"{calibrated.kept} edges kept by q <= 0.1 on all replicates" in said
    assert "these counts decide nothing" in said
    assert "r*" not in said


def test_csv_and_parquet_hold_every_row_unrounded(run: Run, tmp_path: Path) -> None:
    text = run("query", "edges", "--param", "run=aa", "--format", "csv")
    table = pl.read_csv(io.StringIO(text))
    assert (
        table["weight"].to_list()
        == planted(40, [(0, i, 0.1 * i) for i in range(1, 40)]).edges["weight"].to_list()
    )
    file = tmp_path / "f.parquet"
    run("feature", "tiny/0-sae/3", "--format", "parquet", "--output", str(file))
    row = pl.read_parquet(file).row(0, named=True)
    assert list(row) == list(FEATURE_COLUMNS)
    assert json.loads(row["top_tokens"])[0]["token"] == " w3"
    run("neighbors", "tiny/0-sae/3", "--min-replicates", "99", "--format", "parquet", "--output", str(file))
    assert pl.read_parquet(file).columns == list(NEIGHBOR_COLUMNS)


@pytest.mark.parametrize(
    ("cypher", "names"),
    [
        ("MATCH (n:Nope) RETURN n.a AS a, coalesce(n.b, [1, 2]) AS b", ["a", "b"]),
        (
            "MATCH (f:Feature) WHERE f.index < 0 WITH f ORDER BY f.id RETURN f.id AS id, count(*) AS n",
            ["id", "n"],
        ),
        ("UNWIND [] AS x RETURN x", ["x"]),
        (
            "MATCH (f:Feature) WHERE f.id = $id RETURN f.label AS label, f.index AS at LIMIT 1",
            ["label", "at"],
        ),
    ],
)
def test_an_answer_without_rows_has_its_columns(
    run: Run, reader: Store, tmp_path: Path, cypher: str, names: list[str]
) -> None:
    words = ("query", cypher, "--param", "id=nobody")
    assert run(*words, "--format", "csv") == ",".join(names) + "\n"
    file = tmp_path / "f.parquet"
    run(*words, "--format", "parquet", "--output", str(file))
    assert pl.read_parquet(file).columns == names
    assert "".join(run(*words).split()) == "".join(names) + "0rows"
    assert Graph(reader).query(cypher, {"id": "nobody"}).columns == names


def test_what_names_hold_is_not_obeyed(run: Run, store: Store) -> None:
    """Neither by a terminal nor as markup."""
    odd = "od\x1b[2Jd[red]"
    load_graph(store, planted(5, run="odd\x1b[1m[bold]", model=odd))
    for words in (
        ("query", "hubs", "--param", "run=odd"),
        ("replicates", "odd"),
        ("feature", f"{odd}/0-sae/0"),
        ("runs",),
    ):
        shown = run(*words)
        assert "\x1b" not in shown
        assert "od\\x1b[2Jd[red]" in "".join(shown.split())
    assert "\x1b[1m[bold]" not in run("replicates", "odd")
    assert "odd\\x1b[1m[bold]" in run("replicates", "odd")


def test_tables_are_read_at_80_columns(run: Run) -> None:
    for words in (
        ("runs",),
        ("replicates",),
        ("feature", "tiny/0-sae/0"),
        ("neighbors", "tiny/0-sae/0", "--hops", "2"),
        ("query", "--list"),
        ("query", "strongest"),
    ):
        shown = run(*words)
        assert shown
        assert max(map(len, shown.splitlines())) <= 80
    shown = run("feature", "tiny/0-sae/0")
    assert "« w0» 75%" in shown
    assert "she said [that] her« w0» was é" in shown
    assert "+3.900" in run("neighbors", "tiny/0-sae/0", "--all")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("query",), "needs a name or Cypher"),
        (("query", "hubs", "--write"), "--write goes with Cypher"),
        (("query", "hubs", "--timeout", "0"), "--timeout is 0"),
        (("query", "CREATE (:X)", "--write", "--timeout", "30"), "--timeout is 30 beside --write"),
        (("query", "hubs", "--param", "limit"), "expected NAME=VALUE"),
        (("query", "hubs", "--param", "limit=1", "--param", "limit=2"), "limit=... is given twice"),
        (("runs", "--output", "x"), "--output FILE goes with --format"),
        (("neighbors", "tiny/0-sae/0", "--limit", "-1"), "limit is -1"),
        (("feature", "tiny/0-sae/40"), "the nearest is tiny/0-sae/39"),
    ],
)
def test_misuse(run: Run, words: tuple[str, ...], said: str) -> None:
    with pytest.raises(MisuseError, match=said):
        run(*words)


def test_an_output_that_cannot_be_written(run: Run, tmp_path: Path) -> None:
    with pytest.raises(StratigraphError, match="cannot write"):
        run("runs", "--format", "json", "--output", str(tmp_path / "no" / "file"))


def test_writing_needs_to_be_meant(run: Run) -> None:
    with pytest.raises(StratigraphError, match="only reads"):
        run("query", "MATCH (f:Feature) SET f.x = 1")
    run("query", "MATCH (f:Feature {index: 3}) SET f.x = 1", "--write")
    assert json.loads(run("query", "MATCH (f:Feature {x: 1}) RETURN count(f) AS n", "--format", "json")) == [
        {"n": 2}
    ]


def test_db_up_status_down(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = tmp_path / "kept.db"

    def ask(*words: str) -> str:
        arguments = command_line().parse_args(["db", *words, "--db", str(where)])
        assert arguments.run(arguments) == 0
        return capsys.readouterr().out

    with pytest.raises(MisuseError, match="there is no database at"):
        ask("status")
    try:
        shown = ask("up")
        assert "until      `stratigraph db down`" in shown
        assert "bolt://127.0.0.1:" in shown
        for password in json.loads((where / "credentials.json").read_text()).values():
            assert password not in shown
    finally:
        assert "stopped" in ask("down")
    shown = ask("status")
    assert "stopped; every command starts it" in shown
    assert "reader (reads only) or root" in shown
    assert f"in {where / 'credentials.json'}" in shown


def test_a_kept_server_that_was_killed_is_kept_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = tmp_path / "kept.db"
    made = create_directory(where)

    def ask(*words: str) -> None:
        arguments = command_line().parse_args([*words, "--db", str(where)])
        assert arguments.run(arguments) == 0

    try:
        ask("db", "up")
        running = server.running(made)
        assert running is not None
        os.kill(running.pid, signal.SIGKILL)
        ask("runs")
        again = server.running(made)
        assert again is not None
        assert again.pid != running.pid
        assert again.keep
    finally:
        ask("db", "down")
    assert server.running(made) is None
    ask("runs")
    assert server.running(made) is None, "what was stopped is kept no longer"
    capsys.readouterr()


def test_a_kept_server_that_was_killed_listens_where_it_did(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = tmp_path / "kept.db"
    made = create_directory(where)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def ask(*words: str) -> server.Server | None:
        arguments = command_line().parse_args([*words, "--db", str(where)])
        assert arguments.run(arguments) == 0
        return server.running(made)

    try:
        # on a port of its choice first, and then told to stay there
        first = ask("db", "up")
        assert first is not None
        running: server.Server | None = first
        for at, asked in ((first.bolt, (("runs",), ("db", "up"))), (port, (("runs",),))):
            for words in asked:
                assert running is not None
                assert running.bolt == at
                os.kill(running.pid, signal.SIGKILL)
                running = ask(*words)
                assert running is not None
                assert running.keep
                assert running.bolt == at, "whoever knows its address finds it there"
            if at != port:
                ask("db", "down")
                running = ask("db", "up", "--port", str(port))
        assert running is not None
        os.kill(running.pid, signal.SIGKILL)
        while server.running(made) is not None:
            time.sleep(0.02)
        with (
            socket.create_server(("127.0.0.1", port)),
            pytest.raises(StratigraphError, match=f"port {port} can"),
        ):
            ask("runs")
        assert ask("runs") is not None
    finally:
        ask("db", "down")
    capsys.readouterr()


def test_a_reader_that_leaves_early_is_no_failure(store: Store, address: str) -> None:
    load_graph(store, planted(300, [(0, i, 0.1 * i) for i in range(1, 300)]))
    for form in ("table", "json", "csv"):
        words = ["neighbors", "tiny/0-sae/0", "--all", "--limit", "0", "--format", form, "--db", address]
        with subprocess.Popen(
            [sys.executable, "-m", "stratigraph", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as asked:
            assert asked.stdout is not None
            assert asked.stderr is not None
            asked.stdout.close()
            assert asked.stderr.read() == b"", form
            assert asked.wait(60) == 0, form


def test_all_of_one_hop_says_so_where_more_were_asked_for(run: Run) -> None:
    assert "through" not in run("neighbors", "tiny/0-sae/0", "--all")
    assert "through" in run("neighbors", "tiny/0-sae/0", "--all", "--hops", "2", "--limit", "3")


def test_db_refuses_urls() -> None:
    arguments = command_line().parse_args(["db", "status", "--db", "bolt://localhost"])
    with pytest.raises(MisuseError, match="--db is a URL"):
        arguments.run(arguments)


def test_asking_imports_nothing_heavy(store: Store, address: str) -> None:
    load_graph(store, planted(3))
    code = (
        "import sys, stratigraph; assert stratigraph.main(sys.argv[1:]) == 0\n"
        "heavy = {'torch', 'numba', 'sklearn', 'sae_lens', 'jpype', 'pandas', 'numpy', 'pyarrow'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    for words in (
        ("runs",),
        ("feature", "tiny/0-sae/0"),
        ("neighbors", "tiny/0-sae/0", "--format", "csv"),
        ("paths", "tiny/0-sae/0"),
        ("lineage", "tiny/0-sae/0"),
        ("query", "hubs"),
    ):
        command = [sys.executable, "-c", code, *words, "--db", address]
        out = subprocess.run(
            command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
        ).stdout
        assert out.endswith("[]\n")
