"""What is said of how long a load will take follows the way that the load then goes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from graphdb import load, pace
from graphdb.directory import create_directory
from graphdb.load import load_graph
from graphdb.pace import load_seconds
from graphdb.store import Store, connect
from tests.graphdb.small_graphs import planted
from tests.graphdb.stores import reached


def way(store: Store, monkeypatch: pytest.MonkeyPatch, run: str = "aaaa00000001") -> str:
    """Say which way a load of the site goes."""
    gone = {"_create": 0, "_merge": 0}

    def watched(name: str) -> Callable[..., object]:
        going = getattr(load, name)

        def go(*arguments: object) -> object:
            gone[name] += 1
            return going(*arguments)

        return go

    with monkeypatch.context() as patch:
        for name in gone:
            patch.setattr(load, name, watched(name))
        load_graph(store, planted(6, run=run))
    (one,) = (name for name, times in gone.items() if times)
    return one


def rate(store: Store | None, site: str = "tiny/0-sae") -> float:
    return 33_000 / load_seconds(store, site, 1000)


def test_a_first_load_and_a_second_one(store: Store, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bulk = store.engine == "arcadedb"
    first, second = (pace.BULK, pace.ARCADEDB) if bulk else (pace.NEO4J, pace.NEO4J)
    assert rate(store) == pytest.approx(first)
    assert way(store, monkeypatch) == ("_create" if bulk else "_merge")
    assert rate(store) == pytest.approx(second)
    assert rate(store, "tiny/1-sae") == pytest.approx(first), "of another site nothing is there"
    assert way(store, monkeypatch, "bbbb") == "_merge"


def test_a_directory_that_is_still_to_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert rate(None) == pytest.approx(pace.BULK)
    # what holds no graph yet knows none of our labels
    with connect(create_directory(tmp_path / "graph.db").path, write=True) as store:
        assert rate(store) == pytest.approx(pace.BULK)
        assert way(store, monkeypatch) == "_create"


@pytest.mark.parametrize("address", ["neo4j"], indirect=True)
def test_over_a_url(store: Store, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    there = reached(address)
    for name, value in there.environment().items():
        monkeypatch.setenv(name, value)
    with connect(there.url, write=True) as opened:
        assert rate(opened) == pytest.approx(pace.NEO4J)
        assert way(opened, monkeypatch) == "_merge"
