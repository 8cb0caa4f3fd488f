"""Databases for the tests: a real ArcadeDB in a directory of ours, and a Neo4j where one is given.

A Neo4j is named by NEO4J_URI (with NEO4J_USERNAME, NEO4J_PASSWORD). It is emptied between tests, so one that
holds anything at the start is left alone and its tests are skipped.
"""

import os
from collections.abc import Iterator

import pytest

from graphdb.store import Store, connect


def empty(store: Store) -> None:
    """Delete everything."""
    store.write("MATCH (n) DETACH DELETE n")


@pytest.fixture(scope="session", params=["arcadedb", "neo4j"])
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a running database is."""
    if request.param == "arcadedb":
        where = str(tmp_path_factory.mktemp("store") / "graph.db")
        # held open, so that the server is started once
        with connect(where, write=True, create=True):
            yield where
        return
    where = os.environ.get("NEO4J_URI", "")
    if not where:
        pytest.skip("NEO4J_URI is not set: the Neo4j half was not run")
    with connect(where, write=True) as store:
        if store.read("MATCH (n) RETURN n LIMIT 1"):
            pytest.skip(f"{where} is not empty: the Neo4j half was not run")
    yield where


@pytest.fixture
def store(address: str) -> Iterator[Store]:
    """Yield an empty database, open for writing."""
    with connect(address, write=True) as opened:
        empty(opened)
        yield opened
        empty(opened)


@pytest.fixture
def reader(address: str, store: Store) -> Iterator[Store]:
    """Yield the same database, open for reading."""
    with connect(address) as opened:
        yield opened
