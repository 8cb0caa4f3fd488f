"""The graphs of the demo in both databases: the whole catalogue answers identically."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analysis.errors import MisuseError
from graphdb.directory import create_directory
from graphdb.graph_directory import read_graph
from graphdb.load import load_graph
from graphdb.store import Store, connect
from queries.ask import query
from queries.catalogue import catalogue
from tests.graphdb.stores import content, have_neo4j


@pytest.fixture(scope="module")
def both(told: str, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Store]]:
    """The demo's own ArcadeDB, and a Neo4j with the same graphs."""
    have_neo4j()
    directory = create_directory(tmp_path_factory.mktemp("neo4j") / "graph.db", "neo4j")
    with connect(directory.path, write=True) as neo4j, connect(home / "graph.db", write=True) as arcadedb:
        for path in sorted((home / "demo" / "graphs").glob("*/*")):
            load_graph(neo4j, read_graph(path))
        yield [arcadedb, neo4j]


@pytest.fixture(scope="module")
def asked(both: list[Store]) -> dict[str, Any]:
    """A value for each parameter that has to be given: the strongest edge, its ends, and other runs."""
    (edge,) = query(both[0], "strongest", {"limit": 1})
    of_site = (
        "MATCH (r:Run)-[:OF]->(:Site)<-[:IN]-(:Feature {id: $id}) RETURN r.id AS id ORDER BY r.created, id"
    )
    first, last = (row["id"] for row in both[0].read(of_site, {"id": edge["source"]}))
    token = query(both[0], "feature", {"feature": edge["source"]})[0]["label"].split()[0]
    return {
        "feature": edge["source"],
        "features": [edge["source"], edge["target"]],
        "from": edge["source"],
        "first": edge["source"],
        "second": edge["target"],
        "ids": [edge["source"], edge["target"]],
        "text": token,
        "run": last,
        "other": first,
        "community": "none",
    }


def test_both_hold_the_same(both: list[Store]) -> None:
    one, other = map(content, both)
    assert one == other
    assert len(one) > 5000


@pytest.mark.parametrize("name", sorted(catalogue()))
def test_both_answer_the_same(both: list[Store], asked: dict[str, Any], name: str) -> None:
    parameters = catalogue()[name].parameters
    params = {p.name: asked[p.name] for p in parameters if p.required and p.name in asked}
    answers: list[Any] = []
    for store in both:
        try:
            answers.append(query(store, name, params))
        except MisuseError as error:
            # neither has links or communities, and both say so
            answers.append(re.sub(re.escape(store.address), "it", str(error)))
    assert answers[0] == answers[1]
    # of a single layer nothing is linked or grouped
    nothing = {"bridges", "between", "clusterings", "communities", "fates", "flow", "links", "members"}
    assert (isinstance(answers[0], list) and len(answers[0]) > 0) or name in nothing
