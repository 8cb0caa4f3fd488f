"""A server that is killed at any moment of a load is started again: nothing shows, and the load is completed.

The moments are random: after so many rows, and a little later, so that they lie within what the server does.
The last is the one when all is there but the labels.
"""

import os
import random
import signal
import threading
from functools import partialmethod
from pathlib import Path

import pytest

from analysis.errors import StoreError
from analysis.layer_graph import LayerGraph
from graphdb import server
from graphdb.directory import Directory, create_directory
from graphdb.engines import arcadedb_batch
from graphdb.load import drop_run, load_graph, row_count
from graphdb.store import Store, connect
from tests.graphdb.shown import shown
from tests.graphdb.small_graphs import planted
from tests.graphdb.stores import content, have_neo4j

SEED = 1
BATCH = 50
"""Rows of a statement or a request, so that each comes several times."""
LATER = 0.02
"""Seconds, at most, from a number of rows to the kill."""
FEATURES = 120
EDGES = [(a, b, 0.01 * (a + b)) for a in range(FEATURES) for b in range(a + 1, min(a + 4, FEATURES))]
OTHER = planted(FEATURES, EDGES, layer=1, run="cccc", word="other")
OLDER = planted(FEATURES, EDGES, run="aaaa", word="old", tokens=5000)
NEW = planted(FEATURES, EDGES, run="bbbb", word="new", tokens=400, created="2026-05-01T00:00:00Z", seed=3)
ALL_BUT_LABELS = row_count(NEW) - FEATURES


def load_and_kill(store: Store, of: Directory, rows: int, seconds: float) -> bool:
    """Load, and kill the server so many seconds after so many rows; return whether the load was done."""
    running = server.running(of)
    assert running is not None
    kill = threading.Timer(seconds, os.kill, (running.pid, signal.SIGKILL))
    left = rows

    def advance(done: float) -> None:
        nonlocal left
        left -= int(done)
        if left <= 0 and kill.ident is None:
            kill.start()

    advance(0)
    try:
        load_graph(store, NEW, advance)
    except StoreError as error:
        assert "went away" in str(error)  # noqa: PT017  or else the load was done
        return False
    finally:
        kill.join()
    return True


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Lower the sizes of batches; what is asked of the batch endpoint is listed."""
    monkeypatch.setattr("graphdb.store._RETRY_SECONDS", 0.5)
    monkeypatch.setattr(Store, "write_rows", partialmethod(Store.write_rows, batch=BATCH))
    monkeypatch.setattr("graphdb.load.BATCH", BATCH)
    monkeypatch.setattr(arcadedb_batch, "_ROWS", BATCH)
    heard: list[str] = []
    post = arcadedb_batch.Batch._post

    def listen(self: arcadedb_batch.Batch, verb: str, kind: str, body: bytes, options: str = "") -> object:
        heard.append(verb)
        return post(self, verb, kind, body, options)

    monkeypatch.setattr(arcadedb_batch.Batch, "_post", listen)
    return heard


@pytest.mark.parametrize(
    ("engine", "known", "count"),
    [("arcadedb", OTHER, 4), ("arcadedb", OLDER, 3), ("neo4j", OLDER, 3)],
    ids=["arcadedb, bulk", "arcadedb, merging", "neo4j"],
)
def test_a_server_that_is_killed_at_a_random_moment_of_a_load(
    tmp_path: Path, engine: str, known: LayerGraph, count: int, requests: list[str]
) -> None:
    if engine == "neo4j":
        have_neo4j()
    made = create_directory(tmp_path / "my gräph.db", engine)
    draw = random.Random(SEED)
    moments = [(draw.randrange(ALL_BUT_LABELS), draw.uniform(0, LATER)) for _ in range(count - 1)]
    moments.append((ALL_BUT_LABELS, 0.0))
    with connect(made.path, write=True) as store:
        # of a site that is known already, rows are merged
        load_graph(store, known)
        before, before_shown = content(store), shown(store, known)
        requests.clear()
        load_graph(store, NEW)
        assert requests.count("batch") > 12 if known is OTHER and engine == "arcadedb" else not requests
        whole, whole_shown = content(store), shown(store, known)
        drop_run(store, NEW.run.id)
        assert content(store) == before
        done = load_and_kill(store, made, *moments[0])
    half = 0
    for moment, after in zip(moments, [*moments[1:], None], strict=True):
        said = f"killed {moment[1]:.3f} s after {moment[0]} of {row_count(NEW)} rows, seed {SEED}"
        assert server.running(made) is None
        with connect(made.path, write=True) as store:
            seen, left = shown(store, known), content(store)
            if done or seen != before_shown:
                assert (seen, left) == (whole_shown, whole), said
            half += left not in (before, whole)
            load_graph(store, NEW)
            assert content(store) == whole, said
            if after is not None:
                drop_run(store, NEW.run.id)
                assert content(store) == before
                done = load_and_kill(store, made, *after)
    # so that the moments do lie within loads
    assert half >= count - 1, f"{half} of {count} loads were killed with something written"
