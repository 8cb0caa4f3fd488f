"""The servers themselves end what takes too long: the client's own clock is not waited for here."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import neo4j
import pytest

from analysis.errors import StoreError
from graphdb.directory import create_directory
from graphdb.engines import arcadedb
from graphdb.store import Store, connect
from tests.graphdb.stores import reached

ENDLESS = "UNWIND range(1, 60000) AS a UNWIND range(1, 60000) AS b WITH a + b AS c WHERE c < 0 RETURN c"
LIMIT = 1.5
LATE = r"did not have the answer within 1\.5 s; narrow the question or raise --timeout"
LONG = 60.0


@pytest.fixture
def driver(address: str) -> Iterator[neo4j.Driver]:
    there = reached(address)
    with neo4j.GraphDatabase.driver(there.url, auth=(there.user, there.password)) as opened:
        yield opened


def at_work(driver: neo4j.Driver) -> int:
    """How many transactions work on the question."""
    text = "SHOW TRANSACTIONS YIELD currentQuery WHERE currentQuery CONTAINS $part RETURN count(*) AS n"
    rows, _, _ = driver.execute_query(text, {"part": "range(1, 60000)"}, database_="neo4j")
    return int(rows[0]["n"])


def becomes(driver: neo4j.Driver, expected: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if at_work(driver) == expected:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("address", ["neo4j"], indirect=True)
@pytest.mark.parametrize("grace", [0.0, LONG], ids=["the client gives up first", "the server says so"])
def test_neo4j_ends_it(
    reader: Store, driver: neo4j.Driver, monkeypatch: pytest.MonkeyPatch, grace: float
) -> None:
    monkeypatch.setattr("graphdb.store._GRACE_SECONDS", grace)
    said: list[str] = []

    def ask() -> None:
        try:
            reader.read(ENDLESS, timeout=LIMIT)
        except StoreError as error:
            said.append(str(error))

    asking = threading.Thread(target=ask)
    asking.start()
    assert becomes(driver, 1, LONG), "it is seen while it is worked on"
    asking.join(LONG)
    assert len(said) == 1
    assert said[0].endswith(LATE.replace("\\", ""))
    assert becomes(driver, 0, 10.0), "the server still works on what was given up"
    assert reader.read("RETURN 1 AS one") == [{"one": 1}]


def test_arcadedb_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its limit is one for all questions, and a question that asks for more is refused."""
    monkeypatch.setattr(arcadedb, "_READ_SECONDS", LIMIT)
    monkeypatch.setattr("graphdb.store._GRACE_SECONDS", LONG)
    # or else the client would end it
    monkeypatch.setattr(Store, "_goes_on", False)
    made = create_directory(tmp_path / "graph.db")
    with connect(made.path) as store:
        began = time.monotonic()
        with pytest.raises(StoreError, match=LATE):
            store.read(ENDLESS, timeout=LIMIT)
        assert time.monotonic() - began < LONG / 2
        assert store.read("RETURN 1 AS one", timeout=LIMIT) == [{"one": 1}]
