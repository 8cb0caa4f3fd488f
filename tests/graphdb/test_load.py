"""What is loaded is what was made, once, whole or not seen at all."""

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from analysis.errors import DataError, MisuseError, StoreError
from graphdb.graph_directory import write_graph
from graphdb.load import drop_run, load_graph, row_count
from graphdb.runs import find_run
from graphdb.store import Row, Store
from graphdb.tables import as_rows
from queries.features import feature
from tests.graphdb.small_graphs import planted
from tests.graphdb.stores import content


def test_round_trip(store: Store, reader: Store) -> None:
    graph = planted(12)
    done: list[float] = []
    load_graph(store, graph, done.append)
    assert sum(done) == row_count(graph)

    edges = reader.read("MATCH (a)-[d:DEPENDS]->(b) RETURN a.index AS s, b.index AS t, properties(d) AS p")
    found = {(row["s"], row["t"]): row["p"] for row in edges}
    for edge in graph.edges.iter_rows(named=True):
        key = (edge.pop("source"), edge.pop("target"))
        expected = {name: value for name, value in edge.items() if value is not None}
        assert found.pop(key) == {**expected, "run": graph.run.id}
    assert not found

    measured = reader.read("MATCH (f:Feature)-[m:MEASURED_IN]->() RETURN f.index AS i, properties(m) AS p")
    by_index = {row["i"]: row["p"] for row in measured}
    for made in graph.features.iter_rows(named=True):
        p = by_index[made["index"]]
        assert p["frequency"] == made["frequency"]
        assert json.loads(p["top_tokens"]) == made["top_tokens"]
        assert [c["rank"] for c in json.loads(p["contexts"])] == [0, 1, 2]
    assert "mean_activation" not in by_index[11], "NaN is no value"
    run = reader.read(
        "MATCH (r:Run)-[:OF]->(s:Site) RETURN r.complete AS c, r.replicate_table AS t, s.features AS f"
    )
    assert (run[0]["c"], run[0]["f"]) == (True, 12)
    assert json.loads(run[0]["t"]) == graph.replicate_table.to_dicts()


def test_a_drop_waits_for_a_load(store: Store) -> None:
    graph = planted(6)
    load_graph(store, graph)
    if store.engine is None:
        pytest.skip("a server that runs elsewhere has no lock")
    dropped = threading.Event()

    def drop() -> None:
        drop_run(store, graph.run.id)
        dropped.set()

    with store.loading(lambda: False):
        thread = threading.Thread(target=drop)
        thread.start()
        assert not dropped.wait(0.5)
        assert store.read("MATCH (r:Run) RETURN r.complete AS c") == [{"c": True}]
    thread.join(60)
    assert dropped.is_set()
    assert not store.read("MATCH (r:Run) RETURN r.complete AS c")


def test_a_load_whose_features_are_deleted_meanwhile_does_not_call_itself_complete(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = planted(6)

    def rows(table: pl.DataFrame, *keys: str) -> Iterator[Row]:
        if "feature" in keys:
            store.write("MATCH (f:Feature {index: 3}) DETACH DELETE f")
        return as_rows(table, *keys)

    with monkeypatch.context() as patch:
        patch.setattr("graphdb.load.as_rows", rows)
        patch.setattr("graphdb.load.is_new", lambda *_: False)
        with pytest.raises(StoreError, match=r"took 5 of 6 rows, .* run the command again"):
            load_graph(store, graph)
    assert store.read("MATCH (r:Run) RETURN r.complete AS c") == [{"c": False}]
    load_graph(store, graph)
    assert store.read("MATCH ()-[m:MEASURED_IN]->() RETURN count(m) AS n") == [{"n": 6}]


def test_a_feature_that_never_fires_has_no_mean(store: Store) -> None:
    graph = planted(3)
    never = pl.col("index") == 1
    dead = [
        pl.when(never).then(0).otherwise(pl.col(name)).alias(name) for name in ("activations", "frequency")
    ]
    dead += [
        pl.when(never).then(0.0).otherwise(5.0).alias(name) for name in ("mean_activation", "max_activation")
    ]
    load_graph(store, replace(graph, features=graph.features.with_columns(dead)))
    found = store.read(
        "MATCH (f:Feature)-[m:MEASURED_IN]->() WHERE f.index <= 1 RETURN m.frequency AS frequency, "
        "m.mean_activation AS mean, m.max_activation AS max, m.activations AS n ORDER BY f.index"
    )
    assert found[1] == {"frequency": 0.0, "mean": None, "max": None, "n": 0}
    assert (found[0]["mean"], found[0]["max"]) == (5.0, 5.0)
    row = feature(store, "tiny/0-sae/1")
    assert (row["frequency"], row["mean_activation"], row["max_activation"]) == (0.0, None, None)


def test_loading_twice_equals_loading_once(store: Store) -> None:
    graph = planted(12)
    load_graph(store, graph)
    once = content(store)
    load_graph(store, graph)
    assert content(store) == once


def test_a_graph_without_words(store: Store) -> None:
    load_graph(store, planted(5, words=False))
    found = store.read(
        "MATCH (f:Feature)-[m]->(:Run) RETURN f.label AS l, f.label_source AS s, m.top_tokens AS t"
    )
    assert found == [{"l": None, "s": None, "t": None}] * 5


def test_a_label_of_another_source_stays(store: Store) -> None:
    graph = planted(3)
    load_graph(store, graph)
    store.write("MATCH (f:Feature {index: 0}) SET f.label = 'said by a person', f.label_source = 'person'")
    store.write("MATCH (f:Feature {index: 1}) SET f.label = 'old tokens'")
    load_graph(store, graph)
    found = store.read("MATCH (f:Feature) RETURN f.label AS l, f.label_source AS s ORDER BY f.index LIMIT 2")
    assert found == [{"l": "said by a person", "s": "person"}, {"l": "w1 · x", "s": "tokens"}]


def test_an_sae_of_another_width_is_refused(store: Store) -> None:
    load_graph(store, planted(5))
    with pytest.raises(
        DataError, match="has 5 features in the database and 6 features in run bbbb; a site is"
    ):
        load_graph(store, planted(6, run="bbbb"))


def test_drop_leaves_everything_else(store: Store) -> None:
    store.write("CREATE (:Person {name: 'someone'})-[:KNOWS]->(:Person {name: 'else'})")
    load_graph(store, planted(8))
    load_graph(store, planted(8, layer=1, run="cccc"))
    before = content(store)
    load_graph(store, planted(8, run="bbbb", seed=3))
    drop_run(store, "bbbb")
    assert content(store) == before
    drop_run(store, "cccc")
    drop_run(store, "aaaa00000001")
    assert store.read("MATCH (n) RETURN count(n) AS n, count(n.name) AS names") == [{"n": 2, "names": 2}]


class Killed(Exception):  # noqa: N818  it stands for a signal, not an error
    """The process ends here."""


def test_a_drop_killed_anywhere_is_completed_by_running_it_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_graph(store, planted(4))
    before = content(store)
    write, left = Store.write, 0

    def write_some(self: Store, cypher: str, params: Mapping[str, Any] | None = None) -> list[Row]:
        nonlocal left
        left -= 1
        if left < 0:
            raise Killed
        return write(self, cypher, params)

    for statements in itertools.count():
        load_graph(store, planted(4, layer=1, run="bbbb"))
        left = statements
        with monkeypatch.context() as patch:
            patch.setattr(Store, "write", write_some)
            try:
                drop_run(store, "bbbb")
            except Killed:
                pass
            else:
                break
        drop_run(store, find_run(store, "bb", whole=False)["id"])
        assert content(store) == before, statements
    assert content(store) == before
    assert statements > 5


def test_drop_keeps_what_something_else_points_to(store: Store) -> None:
    load_graph(store, planted(4))
    store.write("MATCH (f:Feature {index: 2}) CREATE (:Note {text: 'look here'})-[:ABOUT]->(f)")
    drop_run(store, "aaaa00000001")
    assert store.read("MATCH (f:Feature)-[:IN]->(s:Site) RETURN f.index AS i") == [{"i": 2}]


def test_drop_takes_links_and_communities_of_the_run(store: Store) -> None:
    load_graph(store, planted(4))
    load_graph(store, planted(4, layer=1, run="bbbb"))
    before = content(store)
    store.write("""
        MATCH (s:Site) MERGE (r:Run {id: 'llll', kind: 'links', complete: true}) MERGE (r)-[:OF]->(s)
    """)
    store.write("""
        MATCH (a:Feature {id: 'tiny/0-sae/0'}) MATCH (b:Feature {id: 'tiny/1-sae/1'})
        CREATE (a)-[:CARRIES {run: 'llll', weight: 1.0}]->(b)
        CREATE (a)-[:MEMBER_OF]->(:Community {id: 'c1', run: 'llll'})
    """)
    drop_run(store, "llll")
    assert content(store) == before


def test_a_run_half_loaded_is_not_seen(store: Store) -> None:
    load_graph(store, planted(4))
    load_graph(store, planted(4, run="bbbb", created="2026-02-01T00:00:00Z"))
    store.write("MATCH (r:Run {id: 'bbbb'}) SET r.complete = false")
    assert find_run(store)["id"] == "aaaa00000001"
    with pytest.raises(MisuseError, match="run bbbb is incomplete"):
        find_run(store, "bb")
    assert find_run(store, "bb", whole=False)["id"] == "bbbb"


LOADER = """
import sys
from functools import partial, partialmethod
from pathlib import Path
from graphdb.engines import arcadedb_batch
from graphdb.graph_directory import read_graph
from graphdb.load import load_graph
from graphdb.store import Store, connect
arcadedb_batch._ROWS = 20
Store.write_rows = partialmethod(Store.write_rows, batch=20)
with connect(sys.argv[2], write=True, create=True) as store:
    load_graph(store, read_graph(Path(sys.argv[1])), partial(print, flush=True))
"""


def test_a_killed_load_is_completed_by_running_it_again(tmp_path: Path, store: Store, address: str) -> None:
    graph = planted(60, [(i, j, 0.5) for i in range(60) for j in range(i + 1, 60)])
    write_graph(tmp_path / "graph", graph)
    command = [sys.executable, "-c", LOADER, str(tmp_path / "graph"), address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for _ in range(11):
            child.stdout.readline()
        os.kill(child.pid, signal.SIGKILL)
    time.sleep(0.3)
    half = store.read("MATCH ()-[d:DEPENDS]->() RETURN count(d) AS n")[0]["n"]
    assert 0 < half < graph.edges.height
    with pytest.raises(MisuseError, match="no complete run"):
        find_run(store)

    load_graph(store, graph)
    completed = content(store)
    store.write("MATCH (n) DETACH DELETE n")
    load_graph(store, graph)
    assert content(store) == completed


@pytest.mark.parametrize(
    ("asked", "said"),
    [("", "begins with ''"), ("zz", "begins with 'zz'; there are: aab, aaa"), ("aa", "it could be aab, aaa")],
)
def test_runs_are_named_by_a_unique_beginning(store: Store, asked: str, said: str) -> None:
    load_graph(store, planted(3, run="aaa"))
    load_graph(store, planted(3, run="aab", layer=1, created="2026-03-01T00:00:00Z"))
    with pytest.raises(MisuseError, match=said):
        find_run(store, asked)
    assert find_run(store, "aab")["id"] == "aab"
    assert find_run(store)["id"] == "aab"
    assert find_run(store, site="tiny/0-sae")["id"] == "aaa"
    with pytest.raises(MisuseError, match="is about tiny/1-sae, not about tiny/0-sae"):
        find_run(store, "aab", "tiny/0-sae")
