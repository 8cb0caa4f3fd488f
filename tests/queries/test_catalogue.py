"""Every query of the catalogue, over the real servers, equals a plain reading of what was planted."""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphdb.store import Store
from queries.ask import query
from queries.catalogue import Query, catalogue
from tests.graphdb.stores import empty
from tests.queries.oracle import ORACLE, newest
from tests.queries.worlds import LAYERS, LETTERS, LINK_RUNS, World, plant, worlds

Row = dict[str, Any]

Draw = Callable[[st.SearchStrategy[Any]], Any]
KINDS = (["CARRIES", "DRIVES", "DEPENDS"], ["CARRIES", "DRIVES"], ["DEPENDS"], ["CARRIES"], ["DRIVES"])
UNFINISHED_CLUSTERING = "zzzz"
NESTED = ("top_tokens", "contexts", "replicate_table")
_CHECKS = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


def same(found: object, expected: object) -> bool:
    """Whether two answers are equal; sums and products may be made in another order."""
    if isinstance(expected, float) and isinstance(found, int | float):
        return math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-12)
    if isinstance(expected, list) and isinstance(found, list):
        return len(found) == len(expected) and all(map(same, found, expected))
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        return found.keys() == expected.keys() and all(same(found[key], expected[key]) for key in expected)
    return bool(found == expected)


def readable(row: Row) -> Row:
    """A row with the JSON text in it read."""
    return {
        name: json.loads(value) if name in NESTED and isinstance(value, str) else value
        for name, value in row.items()
    }


def asked_of(world: World, chosen: Query, draw: Draw) -> Row:
    """Draw a value for each parameter; the newest where a run is left out to be found."""
    names = sorted(world.features)
    run = draw(st.sampled_from(sorted(LAYERS)))
    mine = [name for name in names if name.startswith(f"tiny/{LAYERS[run]}-")]
    share = st.one_of(st.none(), st.floats(0, 1))
    drawn: dict[str, Any] = {
        "ids": st.lists(st.sampled_from([*names, "nobody/0"])),
        "text": st.text(LETTERS + "Ww", max_size=2),
        "limit": st.integers(0, 5),
        "features": st.lists(st.sampled_from(mine), unique=True, min_size=1),
        "feature": st.sampled_from(mine),
        "all": st.booleans(),
        "min_replicates": st.one_of(st.none(), st.integers(2, 4)),
        **dict.fromkeys(("max_q", "min_partial"), share),
        "q": st.sampled_from(["q_value", "q_shuffle"]),
        "hops": st.integers(1, 3),
        "max_cosine": st.floats(0, 1),
        "max_size": st.one_of(st.none(), st.integers(2, 4)),
        "kinds": st.sampled_from(KINDS),
        "direction": st.sampled_from([None, "to", "from"]),
        "up": st.booleans(),
        "ends": st.one_of(st.none(), st.dictionaries(st.sampled_from(names), st.just(True))),
        "min_weight": st.sampled_from([0.0, 0.0, 0.3, 1.0]),
        "runs": st.just(newest(world)),
        "min_hops": st.integers(1, 2),
        "max_hops": st.integers(2, 4),
        "through": st.just([]) | st.lists(st.sampled_from([*names, 0, 1, 2]), max_size=2),
        "shortest": st.booleans(),
        "fate": st.sampled_from(["carried", "made", "gone"]),
        "min_size": st.integers(1, 2),
        "top": st.integers(1, 3),
        "other": st.just("bbbb" if run == "aaaa" else "aaaa"),
        **dict.fromkeys(
            ("community", "first", "second"),
            st.sampled_from([c["id"] for c in world.communities if c["run"] != UNFINISHED_CLUSTERING]),
        ),
    }
    asked: Row = {}
    for parameter in chosen.parameters:
        asked[parameter.name] = draw(drawn[parameter.name]) if parameter.name in drawn else None
    if chosen.name == "paths":
        asked["from"] = draw(st.sampled_from([name for name in names if "/2-" not in name]))
        others = [name for name in reversed(names) if name != asked["from"]]
        asked["to"] = draw(st.sampled_from([None, *others]))
    if chosen.name in {"hop", "lineage"}:
        name = "features" if chosen.name == "hop" else "feature"
        asked[name] = draw(st.lists(st.sampled_from(names), unique=True, min_size=1))
        asked[name] = asked[name] if chosen.name == "hop" else asked[name][0]
    if chosen.name == "hop":
        asked["least"] = draw(st.none() | st.just(dict.fromkeys(asked["features"], 0.5)))
    if chosen.name in {"lineage", "links"}:
        asked["kinds"] = [kind for kind in asked["kinds"] if kind != "DEPENDS"] or ["CARRIES"]
    if chosen.name == "shared":
        asked["first"] = draw(st.sampled_from(mine))
        asked["second"] = draw(st.sampled_from([name for name in reversed(mine) if name != asked["first"]]))
    kinds = {parameter.kind for parameter in chosen.parameters if parameter.name == "run"}
    if "run" in kinds:
        asked["run"] = draw(st.sampled_from(["aaaa", "bbbb"])) if chosen.name == "only_in" else run
    if chosen.name == "only_in":
        asked["other"] = {"aaaa": "bbbb", "bbbb": "aaaa"}[asked["run"]]
    if "links" in kinds:
        asked["run"] = draw(st.sampled_from(sorted(LINK_RUNS)))
    if "clustering" in kinds:
        asked["run"] = draw(
            st.sampled_from(sorted({c["run"] for c in world.communities} - {UNFINISHED_CLUSTERING}))
        )
    return asked


class TestCatalogue:
    """The same rows from every database."""

    def test_every_query_has_an_oracle(self) -> None:
        assert set(ORACLE) == set(catalogue())

    @given(world=worlds(), data=st.data())
    @settings(max_examples=5, deadline=None, suppress_health_check=_CHECKS, database=None)
    def test_every_query_equals_its_oracle(self, store: Store, world: World, data: st.DataObject) -> None:
        empty(store)
        plant(store, world)
        for name, chosen in catalogue().items():
            asked = asked_of(world, chosen, data.draw)
            found = [readable(row) for row in query(store, name, asked)]
            columns = [column.name for column in chosen.columns]
            expected = [{column: row[column] for column in columns} for row in ORACLE[name](world, asked)]
            assert all(list(row) == columns for row in found), name
            assert same(found, expected), f"{name} {asked}:\n{found}\n{expected}"
