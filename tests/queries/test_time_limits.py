"""An answer that is not there in time is an error, over the real servers, never an empty or partial one."""

import itertools
import math
import os
import re
import signal
import threading
import time
from pathlib import Path

import pytest

from analysis.errors import MisuseError, StoreError
from graphdb import server
from graphdb.directory import create_directory
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


def test_a_late_answer_is_not_given_out(reader: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Store._asked

    def slowly(self: Store, *args: object) -> object:
        answer = asked(self, *args)  # type: ignore[arg-type]
        time.sleep(0.3)
        return answer

    monkeypatch.setattr(Store, "_asked", slowly)
    monkeypatch.setattr("graphdb.store._GRACE_SECONDS", 30.0)
    monkeypatch.setattr(Store, "_goes_on", False)
    assert reader.read("RETURN 1 AS one", timeout=10) == [{"one": 1}]
    with pytest.raises(StoreError, match=LATE.format("0.2")):
        reader.read("RETURN 1 AS one", timeout=0.2)


@pytest.mark.parametrize("limit", [0, 1e-9, -1, math.nan, math.inf, 1e9])
def test_limits_that_nobody_means(reader: Store, limit: float) -> None:
    for name in ("RETURN 1 AS one", "sites", "hubs"):
        with pytest.raises(
            MisuseError, match=rf"is {re.escape(f'{limit:g}')}; expected 0\.001 to 604,800 seconds"
        ) as refused:
            query(reader, name, timeout=limit)
        assert len(str(refused.value).splitlines()) == 1
    if limit != 1e-9:
        with pytest.raises(MisuseError, match="the time limit is"):
            reader.read("RETURN 1 AS one", timeout=limit)


@pytest.mark.parametrize("name", sorted(catalogue()))
def test_every_query_keeps_its_limit(store: Store, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
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
    read = Store.read

    def slowly(self: Store, cypher: str, params: object = None, timeout: float = 30.0) -> object:
        time.sleep(0.002)
        return read(self, cypher, params)  # type: ignore[arg-type]

    assert query(store, name, asked) is not None
    monkeypatch.setattr(Store, "read", slowly)
    with pytest.raises(StoreError, match=LATE.format("0.001")):
        query(store, name, asked, timeout=0.001)


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


@pytest.mark.parametrize("writes", [False, True])
def test_what_was_given_up_is_ended_and_keeps_nobody_waiting(tmp_path: Path, writes: bool) -> None:
    endless = SLOW.replace("8000", "60000")
    made = create_directory(tmp_path / "graph.db")
    said: list[str] = []

    def ask_long() -> None:
        with connect(made.path, write=writes) as other, pytest.raises(StoreError) as refused:
            other.read(endless, timeout=8)
        said.append(str(refused.value))

    with connect(made.path, write=writes) as store, connect(made.path, write=True) as watching:

        def at_work() -> int:
            return len(
                watching.write(
                    "SHOW TRANSACTIONS YIELD currentQuery WHERE currentQuery = $it", {"it": endless}
                )
            )

        def becomes(count: int) -> bool:
            until = time.monotonic() + 3
            while at_work() != count and time.monotonic() < until:
                time.sleep(0.05)
            return at_work() == count

        other = threading.Thread(target=ask_long)
        other.start()
        for _ in range(6):
            began = time.monotonic()
            with pytest.raises(StoreError, match=LATE.format("0.5")):
                store.read(endless, timeout=0.5)
            assert time.monotonic() - began < 2.5
            assert store.read("RETURN 1 AS one") == [{"one": 1}]
        assert becomes(1), "what another asks in the same words goes on"
        other.join()
        assert said
        assert "did not have the answer within 8 s" in said[0]
        assert becomes(0)


def test_what_was_given_up_before_it_was_sent_is_ended_too(tmp_path: Path) -> None:
    """The first question of a connection waits until that is open."""
    endless = SLOW.replace("8000", "60000")
    made = create_directory(tmp_path / "graph.db")
    with connect(made.path, write=True) as watching:
        for limit in (0.001, 0.01, 0.03, 0.05, 0.1):
            with connect(made.path) as store, pytest.raises(StoreError, match=LATE.format(limit)):
                store.read(endless, timeout=limit)
        time.sleep(1)
        assert len(watching.write("SHOW TRANSACTIONS YIELD currentQuery")) == 1, "only this one"


def test_a_long_question_is_ended_too(tmp_path: Path) -> None:
    long = SLOW.replace("8000", "60000") + " // " + "long " * 4000
    made = create_directory(tmp_path / "graph.db")
    with connect(made.path) as store, connect(made.path, write=True) as watching:
        with pytest.raises(StoreError, match=LATE.format("0.5")):
            store.read(long, timeout=0.5)
        time.sleep(1)
        assert len(watching.write("SHOW TRANSACTIONS YIELD currentQuery")) == 1, "only this one"


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
