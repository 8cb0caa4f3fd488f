"""Paths and lineages equal the oracle on many worlds; their hops are answered without a server."""

from collections.abc import Mapping
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphdb.store import READ_TIMEOUT, Store
from queries.catalogue import catalogue
from queries.patience import Patience, gathered
from queries.walks import WALKS
from tests.queries.oracle import ORACLE, Row
from tests.queries.test_catalogue import asked_of, same
from tests.queries.worlds import World, worlds

NAMES = {query.cypher: name for name, query in catalogue().items() if query.cypher}
GATHERED = {gathered(query): query for query in catalogue().values() if query.cypher}


class PlainStore(Store):
    """Answers the queries of the catalogue from a world."""

    def __init__(self, world: World) -> None:
        self.world, self.rows = world, 0
        self.address = "a world"

    def read(
        self, cypher: str, params: Mapping[str, Any] | None = None, timeout: float = READ_TIMEOUT
    ) -> list[Row]:
        assert timeout > 0
        params = dict(params or {})
        if cypher in NAMES:
            rows = ORACLE[NAMES[cypher]](self.world, params)
            self.rows += len(rows)
            return rows
        if cypher in GATHERED:
            asked = GATHERED[cypher]
            rows = self.read(asked.cypher, params)
            return [{"rows": [[row[column.name] for column in asked.columns] for row in reversed(rows)]}]
        assert "largest_weight" in cypher
        return [
            {"kind": run["kind"], "largest": self.world.largest(run["id"]) if self.world.measures else None}
            for run in self.world.runs
            if run["id"] in params["runs"]
        ]


@given(world=worlds(), data=st.data())
@settings(
    max_examples=30,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_walks_equal_the_oracle(world: World, data: st.DataObject) -> None:
    for name in ("paths", "lineage", "component"):
        for _ in range(4):
            asked = asked_of(world, catalogue()[name], data.draw)
            expected = ORACLE[name](world, asked)
            values = asked | {"limit": asked["limit"] or 10**9}
            found = WALKS[name](Patience(PlainStore(world)), values)
            assert same(
                found, [{key: row[key] for key in found[0]} for row in expected] if found else expected
            ), asked


def test_of_a_hub_few_edges_are_asked_for() -> None:
    """Where the runs say how large their weights are, only steps that can be in a best path are fetched."""
    links = [
        {"run": "kkkk", "source": "tiny/0-sae/0", "target": f"tiny/1-sae/{i}", "kind": "CARRIES",
         "weight": 0.9 if i < 3 else 0.01, "kept": True}
        for i in range(50)
    ]  # fmt: skip
    asked = {
        **{"from": "tiny/0-sae/0", "to": None, "kinds": ["CARRIES"], "min_hops": 1, "max_hops": 2},
        **{"min_weight": 0, "through": [], "shortest": False, "runs": ["kkkk"], "limit": 3},
    }
    world = World([], links)
    names = {f"tiny/{layer}-sae/{i}": layer for layer in (0, 1) for i in range(50)}
    world.features = {
        name: {"id": name, "site": "s", "layer": at, "label": "x"} for name, at in names.items()
    }
    for measures, rows in ((True, 4), (False, 51)):
        world.measures = measures
        store = PlainStore(world)
        found = WALKS["paths"](Patience(store), asked)
        assert [row["nodes"][1] for row in found] == ["tiny/1-sae/0", "tiny/1-sae/1", "tiny/1-sae/2"]
        assert store.rows == rows
