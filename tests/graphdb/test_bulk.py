"""A first load goes the server's bulk way, and makes what merging makes."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from analysis.errors import StoreError
from analysis.layer_graph import LayerGraph
from graphdb import load
from graphdb.directory import Directory, create_directory
from graphdb.engines import arcadedb_batch
from graphdb.engines.arcadedb_batch import Batch
from graphdb.load import drop_run, load_graph, row_count
from graphdb.store import Store, connect
from tests.graphdb.small_graphs import planted
from tests.graphdb.stores import content, empty

HOSTILE = ['"', "\\", "é\n\r\t", "\0", "", "12", "null", "#1:0", "{}", "😀" * 50, "a,b;c", "1e5"]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Directory]:
    """A running ArcadeDB."""
    made = create_directory(tmp_path_factory.mktemp("bulk") / "graph.db")
    with connect(made.path, write=True):
        yield made


@pytest.fixture
def arcadedb(directory: Directory) -> Iterator[Store]:
    """The same, empty."""
    with connect(directory.path, write=True) as store:
        empty(store)
        yield store


def hostile() -> LayerGraph:
    """A graph whose texts and gaps could be mistaken on the way."""
    graph = planted(len(HOSTILE))
    gaps = pl.int_range(pl.len()) % 3
    edges = graph.edges.with_columns(
        pl.when(gaps == 1).then(pl.col("weight")).alias("partial_correlation"),
        pl.when(gaps == 2).then(float("nan")).otherwise(1e-300).alias("correlation"),
        pl.lit(2.0).alias("weight"),
        pl.lit(2**62).alias("coactivation"),
    )
    features = graph.features.with_columns(
        pl.Series("label", [None if text == "null" else text for text in HOSTILE]),
        pl.Series("top_tokens", [[{"token": text, "share": 1.0}] for text in HOSTILE]),
    )
    return replace(graph, edges=edges, features=features)


def merged(store: Store, graph: LayerGraph, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What loading makes where there is no bulk way."""
    with monkeypatch.context() as only:
        only.setattr(load, "is_new", lambda *_: False)
        load_graph(store, graph)
    made = content(store)
    empty(store)
    return made


@pytest.mark.parametrize("graph", [planted(12), hostile(), planted(3, []), planted(5, words=False)])
@pytest.mark.parametrize("rows", [3, 20_000])
def test_both_ways_make_the_same(
    arcadedb: Store, graph: LayerGraph, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arcadedb_batch, "_ROWS", rows)
    expected = merged(arcadedb, graph, monkeypatch)
    monkeypatch.setattr(load, "_merge", None)
    done: list[float] = []
    load_graph(arcadedb, graph, done.append)
    assert content(arcadedb) == expected
    assert sum(done) == row_count(graph)


def test_a_site_that_is_there_is_merged(arcadedb: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    load_graph(arcadedb, planted(6))
    monkeypatch.setattr(load, "_create", None)
    load_graph(arcadedb, planted(6, run="bbbb", seed=2))
    load_graph(arcadedb, planted(6))
    assert arcadedb.read(
        "MATCH (f:Feature)-[m:MEASURED_IN]->() RETURN count(m) AS n, count(DISTINCT f) AS f"
    ) == [{"n": 12, "f": 6}]


def test_what_is_refused_is_merged(arcadedb: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arcadedb_batch, "_ROWS", 2)
    expected = merged(arcadedb, planted(6), monkeypatch)
    # a feature that is not the first, in no site: nothing says beforehand that it is there
    arcadedb.write("CREATE (:Feature {id: 'tiny/0-sae/3', site: 'tiny/0-sae', index: 3})")
    load_graph(arcadedb, planted(6))
    assert content(arcadedb) == expected


@pytest.mark.parametrize("request_number", range(6))
def test_what_a_lost_server_leaves_is_completed(
    arcadedb: Store, request_number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arcadedb_batch, "_ROWS", 4)
    expected = merged(arcadedb, planted(6), monkeypatch)
    post, made = Batch._batch, 0

    def lost(self: Batch, part: pl.DataFrame) -> object:
        nonlocal made
        made += 1
        if made > request_number:
            raise StoreError("gone")
        return post(self, part)

    with monkeypatch.context() as broken:
        broken.setattr(Batch, "_batch", lost)
        with pytest.raises(StoreError, match="gone"):
            load_graph(arcadedb, planted(6))
    assert arcadedb.read("MATCH (r:Run) RETURN r.complete AS complete") == [{"complete": False}]
    load_graph(arcadedb, planted(6))
    assert content(arcadedb) == expected


def test_a_run_made_this_way_can_be_dropped(arcadedb: Store) -> None:
    load_graph(arcadedb, planted(9))
    drop_run(arcadedb, "aaaa00000001")
    assert content(arcadedb) == []


def test_a_second_load_waits_for_one_that_goes_the_bulk_way(
    arcadedb: Store, directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = merged(arcadedb, planted(6), monkeypatch)
    began, go_on = threading.Event(), threading.Event()
    make_types = Batch.make_types

    def wait(self: Batch, kinds: tuple[str, ...]) -> None:
        began.set()
        assert go_on.wait(60)
        make_types(self, kinds)

    monkeypatch.setattr(Batch, "make_types", wait)

    def load_another() -> None:
        with connect(directory.path, write=True) as store:
            load_graph(store, planted(6))

    first, second = threading.Thread(target=load_another), threading.Thread(target=load_another)
    first.start()
    assert began.wait(60)
    second.start()
    second.join(0.5)
    assert second.is_alive()
    assert arcadedb.read("MATCH (f:Feature) RETURN count(f) AS n") == [{"n": 0}]
    go_on.set()
    for thread in (first, second):
        thread.join(60)
    assert content(arcadedb) == expected


def test_loads_that_merge_do_not_wait_for_each_other(tmp_path: Path) -> None:
    directory = create_directory(tmp_path / "graph.db")
    with directory.loading(lambda: False) as one, directory.loading(lambda: True) as other:
        assert (one, other) == (False, False)
    with directory.loading(lambda: True) as alone:
        assert alone


def test_a_server_that_went_away(directory: Directory) -> None:
    with pytest.raises(StoreError, match="went away"):
        Batch(directory, 1, "stratigraph").make_types(("IN",))
