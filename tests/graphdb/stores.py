"""Databases for the tests: a real ArcadeDB and a real Neo4j, each in a directory of its own.

Where NEO4J_URI names a Neo4j (with NEO4J_USERNAME, NEO4J_PASSWORD), that one is used. It is emptied between
tests, so one that holds anything at the start is left alone and its tests are skipped.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from graphdb.directory import create_directory, open_directory
from graphdb.engines import arcadedb, engine_called, neo4j_jars
from graphdb.store import Store, connect

_LONGEST = 30.0
"""Seconds after which the ArcadeDB of the tests ends a question."""


def empty(store: Store) -> None:
    """Delete everything."""
    store.write("MATCH (n) DETACH DELETE n")


def content(store: Store) -> list[str]:
    """Everything in a database: a line for each node and relationship, in an order of their own."""
    nodes = store.write("MATCH (n) RETURN labels(n) AS labels, properties(n) AS properties")
    edges = store.write("""
        MATCH (a)-[e]->(b)
        RETURN type(e) AS type, properties(e) AS properties,
               labels(a) AS source_labels, coalesce(a.id, a.name) AS source,
               labels(b) AS target_labels, coalesce(b.id, b.name) AS target
    """)
    for row in nodes + edges:
        for name in row.keys() & {"labels", "source_labels", "target_labels"}:
            row[name].sort()
    return sorted(json.dumps(row, sort_keys=True) for row in nodes + edges)


@dataclass(frozen=True)
class Reached:
    """A running server as one that runs somewhere: its URL, and what NEO4J_USERNAME and so on say."""

    url: str
    user: str
    password: str
    database: str

    def environment(self) -> dict[str, str]:
        """The variables that let a command in."""
        return {
            "NEO4J_USERNAME": self.user,
            "NEO4J_PASSWORD": self.password,
            "NEO4J_DATABASE": self.database,
        }


def reached(address: str, *, reads: bool = False) -> Reached:
    """Return how a running database is reached from elsewhere, by its user that writes or that `reads`."""
    if "://" in address:
        said = os.environ
        user, database = said.get("NEO4J_USERNAME", "neo4j"), said.get("NEO4J_DATABASE", "neo4j")
        return Reached(address, user, said.get("NEO4J_PASSWORD", ""), database)
    directory = open_directory(address)
    user = directory.reader if reads else directory.writer
    port = json.loads((Path(address) / "server.json").read_text())["bolt"]
    database = engine_called(directory.engine).database
    return Reached(f"bolt://127.0.0.1:{port}", user, directory.password(user), database)


def have_neo4j() -> None:
    """See that the Neo4j server is on this machine, or skip the test."""
    if not neo4j_jars.fetched() and shutil.which("mvn") is None:
        pytest.skip("neither the Neo4j server nor mvn to fetch it is here: the Neo4j half was not run")
    engine_called("neo4j").fetch(lambda _: None)


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Start each kind of server when it is first asked for and keep it to the end; returns where it is.

    One fixture of the session with both as parameters would start them again for each file.
    """
    with ExitStack() as held:

        @cache
        def started(engine: str) -> str:
            where = os.environ.get("NEO4J_URI", "")
            if engine == "neo4j" and where:
                with connect(where, write=True) as store:
                    if store.read("MATCH (n) RETURN n LIMIT 1"):
                        pytest.skip(f"{where} is not empty: the Neo4j half was not run")
                return where
            if engine == "neo4j":
                have_neo4j()
            where = str(create_directory(tmp_path_factory.mktemp("store") / "graph.db", engine).path)
            with pytest.MonkeyPatch.context() as patch:
                # what a test gave up on is not worked on beside all later ones
                patch.setattr(arcadedb, "_READ_SECONDS", _LONGEST)
                held.enter_context(connect(where, write=True))
            return where

        yield started


@pytest.fixture(params=["arcadedb", "neo4j"])
def address(request: pytest.FixtureRequest, servers: Callable[[str], str]) -> str:
    """Where a running database is."""
    return servers(request.param)


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
