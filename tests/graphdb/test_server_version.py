"""Servers that are too old are refused by what they say they are."""

import pytest

from analysis.errors import StoreError
from graphdb.server_version import check_version


@pytest.mark.parametrize(
    "agent",
    [
        "Neo4j/5.23.0",
        "Neo4j/5.26.31",
        "Neo4j/5.27-aura",
        "Neo4j/6.0.0",
        "Neo4j/2025.10.1",
        "Neo4j/5.26.0 compatible (ArcadeDB 26.10.2)",
        "Memgraph/3.1",
        "Neo4j/dev",
        "",
    ],
)
def test_new_enough_or_unknown(agent: str) -> None:
    check_version(agent, "bolt://localhost:7687")


@pytest.mark.parametrize(
    "agent", ["Neo4j/3.5.35", "Neo4j/4.4.48", "Neo4j/5.1.0", "Neo4j/5.9.0", "Neo4j/5.22.0"]
)
def test_too_old(agent: str) -> None:
    with pytest.raises(StoreError) as refused:
        check_version(agent, "bolt://localhost:7687")
    assert str(refused.value) == (
        f"bolt://localhost:7687 is a {agent}; expected Neo4j 5.23 or later, whose Cypher the queries use: "
        "upgrade that server, or give --db a directory, which brings its own"
    )
