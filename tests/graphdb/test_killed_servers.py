"""A server that is killed in the middle of a load is started again, and the load is completed."""

import os
import signal
from pathlib import Path

import pytest

from analysis.errors import StoreError
from graphdb import server
from graphdb.directory import create_directory
from graphdb.load import load_graph, row_count
from graphdb.store import connect
from queries.runs import runs
from tests.graphdb.small_graphs import planted
from tests.graphdb.stores import content, empty, have_neo4j

GRAPH = planted(60, [(a, b, 0.5) for a in range(60) for b in range(a + 1, 60)])


@pytest.mark.parametrize("engine", ["arcadedb", "neo4j"])
def test_a_server_that_is_killed_in_the_middle_of_a_load(
    tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if engine == "neo4j":
        have_neo4j()
    monkeypatch.setattr("graphdb.store._RETRY_SECONDS", 0.5)
    made = create_directory(tmp_path / "my gräph.db", engine)
    left = row_count(GRAPH) - GRAPH.features.height

    def kill(done: float) -> None:
        """End the server as soon as all but the labels is there."""
        nonlocal left
        left -= int(done)
        running = server.running(made)
        if left <= 0 and running is not None:
            os.kill(running.pid, signal.SIGKILL)

    with connect(made.path, write=True) as store:
        load_graph(store, GRAPH)
        whole = content(store)
        empty(store)
        with pytest.raises(StoreError, match=r"the server of .* went away .* run the command again"):
            load_graph(store, GRAPH, kill)
    assert server.running(made) is None
    with connect(made.path, write=True) as store:
        assert [row["complete"] for row in runs(store)] == [False]
        load_graph(store, GRAPH)
        assert content(store) == whole
