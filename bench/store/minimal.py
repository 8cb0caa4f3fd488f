"""The least that a load and a look-up can be over the driver: what ours are compared with."""

import time
from types import TracebackType
from typing import Any, Self

import neo4j

from bench.store.world import World

_BATCH = 5000


class Minimal:
    """Bare sessions of the driver: nodes with an id, relationships with a run and a weight.

    Parameters
    ----------
    url, user, password, database
        Of a running server.
    """

    def __init__(self, url: str, user: str, password: str, database: str) -> None:
        self._driver = neo4j.GraphDatabase.driver(url, auth=(user, password))
        self._database = database

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._driver.close()

    def ask(self, cypher: str, params: dict[str, Any] | None = None) -> list[Any]:
        """Run one statement."""
        with self._driver.session(database=self._database) as session:
            return list(session.run(cypher, params or {}))

    def load(self, made: World) -> float:
        """Create features, edges and links; returns the seconds."""
        began = time.perf_counter()
        self.ask("CREATE CONSTRAINT feature_id IF NOT EXISTS FOR (f:Feature) REQUIRE f.id IS UNIQUE")
        for graph in made.graphs:
            ids = [f"{graph.site.id}/{i}" for i in range(graph.n_features)]
            self._batches("UNWIND $rows AS id CREATE (:Feature {id: id})", ids)
            edges = graph.edges.select("source", "target", "weight").iter_rows()
            self._join("DEPENDS", [(ids[s], ids[t], graph.run.id, w) for s, t, w in edges])
        for links in made.links:
            for (kind,), some in links.partition_by("kind", as_dict=True).items():
                self._join(str(kind), some.select("source", "target", "run", "weight").rows())
        return time.perf_counter() - began

    def _join(self, kind: str, rows: list[tuple[Any, ...]]) -> None:
        self._batches(
            "UNWIND $rows AS row MATCH (a:Feature {id: row[0]}) MATCH (b:Feature {id: row[1]}) "
            f"CREATE (a)-[:{kind} {{run: row[2], weight: row[3]}}]->(b)",
            [list(row) for row in rows],
        )

    def _batches(self, cypher: str, rows: list[Any]) -> None:
        for start in range(0, len(rows), _BATCH):
            self.ask(cypher, {"rows": rows[start : start + _BATCH]})

    def neighbors(self, feature: str) -> list[Any]:
        """Answer the barest question."""
        return self.ask(
            "MATCH (:Feature {id: $id})-[d:DEPENDS]-(g) RETURN g.id AS id, d.weight AS weight",
            {"id": feature},
        )
