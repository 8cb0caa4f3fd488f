"""An answer that is not there in time is an error, over the real servers, never an empty or partial one."""

import itertools
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from analysis.errors import StoreError
from graphdb import server
from graphdb.directory import create_directory
from graphdb.engines import arcadedb
from graphdb.load import load_graph
from graphdb.store import Store, connect
from queries.ask import query
from queries.catalogue import catalogue
from queries.neighbors import Filters, neighbors
from queries.paths import Route, paths
from queries.patience import Patience
from tests.graphdb.small_graphs import planted

SLOW = "UNWIND range(1, 8000) AS a UNWIND range(1, 8000) AS b WITH a + b AS c WHERE c < 0 RETURN c"
LATE = r"did not have the answer within {} s; narrow the question or raise --timeout"
ASKED = {
    "feature": "tiny/0-sae/0",
    "features": ["tiny/0-sae/0"],
    "from": "tiny/0-sae/0",
    "to": "tiny/0-sae/1",
}
ASKED |= {
    "ids": "tiny/0-sae/0",
    "first": "tiny/0-sae/0",
    "second": "tiny/0-sae/1",
    "text": "w",
    "other": "bbbb",
    "run": "aaaa",
}


@pytest.fixture
def dense(store: Store) -> Store:
    """Every feature depends on every other one, equally: paths without number."""
    pairs = [(a, b, 0.5) for a, b in itertools.combinations(range(16), 2)]
    load_graph(store, planted(16, pairs))
    return store


def test_cypher_that_takes_too_long(reader: Store) -> None:
    began = time.monotonic()
    with pytest.raises(StoreError, match=LATE.format("0.5")):
        query(reader, SLOW, timeout=0.5)
    assert time.monotonic() - began < 30
    assert query(reader, "RETURN 1 AS one") == [{"one": 1}]


@pytest.mark.parametrize("name", sorted(catalogue()))
def test_every_query_keeps_its_limit(store: Store, name: str) -> None:
    load_graph(store, planted(3))
    load_graph(store, planted(3, run="bbbb"))
    store.write("""
        MATCH (r:Run {id: 'bbbb'}) MATCH (f:Feature {index: 0})
        SET r.degrees = [], r.replicate_counts = [], r.replicate_edges = [], r.replicate_kept = [],
            r.components = [], r.component_sizes = [], r.component_edges = [], r.degree_features = []
        CREATE (f)-[:MEMBER_OF]->(:Community {id: 'c', run: 'bbbb', size: 1})
        CREATE (:Run {id: 'llll', kind: 'links', complete: true})
    """)
    chosen = catalogue()[name]
    asked = {p.name: ASKED[p.name] for p in chosen.parameters if p.required and p.kind != "community"}
    asked |= {p.name: "c" for p in chosen.parameters if p.kind == "community"}
    asked |= {"run": "bbbb"} if chosen.stored else {}
    with pytest.raises(StoreError, match="within 1e-09 s"):
        query(store, name, asked, timeout=1e-9)


def test_a_server_that_stands_still_is_waited_for_no_longer(tmp_path: Path) -> None:
    made = create_directory(tmp_path / "graph.db")
    asked: dict[str, dict[str, object]] = {
        "hubs": {"limit": 1},
        "degrees": {"run": "aaaa"},
        "paths": {"from": "tiny/0-sae/0", "through": ["tiny/0-sae/1"]},
        "by_ids": {"ids": ["tiny/0-sae/0"]},
        "neighborhood": {"feature": "tiny/0-sae/0", "max_q": 0.5},
        "communities": {},
        "members": {"community": "c"},
    }
    with connect(made.path, write=True) as store:
        load_graph(store, planted(3))
        running = server.running(made)
        assert running is not None
        threads = threading.active_count()
        os.kill(running.pid, signal.SIGSTOP)
        try:
            for name, params in asked.items():
                began = time.monotonic()
                with pytest.raises(StoreError, match=LATE.format("0.5")):
                    query(store, name, params, timeout=0.5)
                assert time.monotonic() - began < 5, name
        finally:
            os.kill(running.pid, signal.SIGCONT)
        until = time.monotonic() + 20
        while threading.active_count() > threads and time.monotonic() < until:
            time.sleep(0.05)


def test_what_a_run_holds_is_asked_at_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    load_graph(store, planted(3))
    texts = []
    read = Store.read

    def noted(self: Store, cypher: str, params: object = None, timeout: float = 30.0) -> object:
        texts.append(cypher)
        return read(self, cypher, params, timeout)  # type: ignore[arg-type]

    monkeypatch.setattr(Store, "read", noted)
    query(store, "components")
    assert len(texts) == 3, "the runs, what one of them holds, and the answer"


def test_what_was_given_up_is_ended_and_keeps_nobody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = SLOW.replace("8000", "60000")
    made = create_directory(tmp_path / "graph.db")
    monkeypatch.setattr(arcadedb, "_READ_SECONDS", 5.0)
    with connect(made.path) as reading, connect(made.path, write=True) as writing:
        for store in (reading, writing) * 3:
            with pytest.raises(StoreError, match=LATE.format("0.1")):
                store.read(endless, timeout=0.1)
        assert reading.read("RETURN 1 AS one") == [{"one": 1}]
        running = server.running(made)
        assert running is not None

        def worked() -> float:
            fields = Path(f"/proc/{running.pid}/stat").read_text().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

        until = time.monotonic() + 60
        while time.monotonic() < until:
            before = worked()
            time.sleep(1)
            if worked() - before < 0.2:
                return
    pytest.fail("the server still works on what was given up")


def test_paths_without_number(dense: Store) -> None:
    began = time.monotonic()
    with pytest.raises(StoreError, match=LATE.format("1")):
        paths(dense, "tiny/0-sae/0", "tiny/0-sae/1", Route(max_hops=12), limit=0, timeout=1)
    assert time.monotonic() - began < 30


def test_the_limit_is_for_all_hops_together(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    load_graph(store, planted(12))
    asked = []
    read = Store.read

    def slowly(self: Store, cypher: str, params: object = None, timeout: float = 30.0) -> object:
        if "UNWIND $features" in cypher:
            asked.append(timeout)
            time.sleep(0.8)
        return read(self, cypher, params, timeout)  # type: ignore[arg-type]

    monkeypatch.setattr(Store, "read", slowly)
    with pytest.raises(StoreError, match=LATE.format("2")):
        neighbors(store, "tiny/0-sae/0", hops=9, filters=Filters(everything=True), timeout=2)
    assert len(asked) < 9
    assert asked == sorted(asked, reverse=True), "each question has the time that is left"


def test_another_failure_keeps_its_own_words(dense: Store) -> None:
    with pytest.raises(StoreError, match="does not understand"):
        Patience(dense, 10).read("MATCH (n")
