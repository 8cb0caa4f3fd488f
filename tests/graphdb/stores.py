"""Databases for the tests: a real ArcadeDB and a real Neo4j, each in a directory of its own.

Where NEO4J_URI names a Neo4j (with NEO4J_USERNAME, NEO4J_PASSWORD), that one is used. It is emptied between
tests, so one that holds anything at the start is left alone and its tests are skipped.
"""

import os
import shutil
from collections.abc import Iterator

import pytest

from graphdb.directory import create_directory
from graphdb.engines import neo4j_jars
from graphdb.store import Store, connect


def empty(store: Store) -> None:
    """Delete everything."""
    store.write("MATCH (n) DETACH DELETE n")


def have_neo4j() -> None:
    """See that the Neo4j server is on this machine, or skip the test."""
    if not neo4j_jars.fetched() and shutil.which("mvn") is None:
        pytest.skip("neither the Neo4j server nor mvn to fetch it is here: the Neo4j half was not run")
    neo4j_jars.fetch(lambda _: None)


@pytest.fixture(scope="session", params=["arcadedb", "neo4j"])
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a running database is."""
    where = os.environ.get("NEO4J_URI", "")
    if request.param == "neo4j" and where:
        with connect(where, write=True) as store:
            if store.read("MATCH (n) RETURN n LIMIT 1"):
                pytest.skip(f"{where} is not empty: the Neo4j half was not run")
        yield where
        return
    if request.param == "neo4j":
        have_neo4j()
    where = str(create_directory(tmp_path_factory.mktemp("store") / "graph.db", request.param).path)
    # held open, so that the server is started once
    with connect(where, write=True):
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
