"""How a real Neo4j finds its answers: from an id through its index, never by reading all features.

Every text that a query of the catalogue or a verb asks is asked again as it was bound, with the profile of
its plan: what each operator did over the loaded graph.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import neo4j
import pytest

from graphdb.cypher import statement
from graphdb.load import drop_run, load_graph
from graphdb.store import Store
from queries.around import links
from queries.ask import query
from queries.catalogue import Query, catalogue
from queries.features import feature
from queries.neighbors import Filters, neighbors
from queries.paths import Route, lineage, paths
from queries.patience import gathered
from queries.runs import runs
from tests.graphdb.small_graphs import planted
from tests.graphdb.stores import reached

pytestmark = pytest.mark.parametrize("address", ["neo4j"], indirect=True)

FEATURES = 200
LISTINGS = {
    "list_runs": "every run is listed, or looked through for the beginning of an id",
    "sites_and_runs": "every run is listed, beside the sites of features that are found by their ids",
    "sites": "every site is listed",
    "clusterings": "every run that made communities is listed, by its communities",
    "flow": "every run that links two sites is listed",
    "labelled": "a text may be in any label, so the features of every site are read, from the sites",
}
"""The questions about everything there is, which begin at all sites, runs or communities: few nodes."""
_FEW = ("Site", "Run", "Community")
_MOST_FEW = 12
"""Sites, runs and communities in the loaded graph, of whichever there are most."""
ANOTHER = 2_000
"""Features of another site that is loaded beside."""
MANY = 20_000
"""Features of other sites, so that reading them all is not the quickest way."""

ONE, TWO = "tiny/0-sae/7", "tiny/0-sae/8"
ASKED: Mapping[str, Any] = {
    **{
        "feature": ONE,
        "features": [ONE, TWO],
        "from": ONE,
        "to": "tiny/1-sae/9",
        "first": ONE,
        "second": TWO,
    },
    **{"ids": [ONE, TWO], "text": "w7", "other": "bbbb"},
}
WALKS = ("hop", "neighbors")
"""What the queries without a text of their own ask once a hop."""
PLAN_ANEW = "CALL db.prepareForReplanning"
"""Plans follow counts that Neo4j takes when it finds the time; this takes them now, and forgets plans."""
Plan = Mapping[str, Any]
Operator = tuple[str, str, int | None]
"""An operator of a plan: its name, what it is about, and the rows that it made, if it was run."""
Asked = tuple[str, Mapping[str, Any]]


@pytest.fixture
def loaded(store: Store) -> Store:
    """Two layers with edges, links and communities, beside many features of others."""
    store.write(
        "UNWIND range(1, $many) AS at CREATE (:Feature {id: 'other/' + toString(at)})", {"many": MANY}
    )
    near = [(a, b, 0.5 + 0.001 * a) for a in range(FEATURES) for b in range(a + 1, min(a + 6, FEATURES))]
    for run, layer in (("aaaa", 0), ("bbbb", 0), ("cccc", 1)):
        load_graph(store, planted(FEATURES, near, layer=layer, run=run, seed=layer))
    store.write("""
        MATCH (low:Site {id: 'tiny/0-sae'}) MATCH (high:Site {id: 'tiny/1-sae'})
        CREATE (r:Run {id: 'llll', kind: 'links', complete: true, carried: 1, made: 2, gone: 3})
        CREATE (r)-[:OF]->(low) CREATE (r)-[:OF]->(high)
        CREATE (:Run {id: 'xxxx', kind: 'communities', complete: true})
    """)
    store.write(
        "UNWIND range(0, $last) AS at MATCH (a:Feature {id: 'tiny/0-sae/' + toString(at)}) "
        "MATCH (b:Feature {id: 'tiny/1-sae/' + toString(at)}) "
        "CREATE (a)-[:CARRIES {run: 'llll', weight: 0.5}]->(b)",
        {"last": FEATURES - 1},
    )
    store.write(
        "UNWIND range(0, 9) AS at CREATE (c:Community {id: 'xxxx/' + toString(at), run: 'xxxx', size: 40}) "
        "WITH c, at MATCH (f:Feature) WHERE f.index % 10 = at CREATE (f)-[:MEMBER_OF]->(c)"
    )
    store.write(PLAN_ANEW)
    return store


@pytest.fixture
def driver(address: str) -> Iterator[neo4j.Driver]:
    there = reached(address)
    with neo4j.GraphDatabase.driver(there.url, auth=(there.user, there.password)) as opened:
        yield opened


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Asked]:
    """What has been asked of a store since, in order."""
    heard: list[Asked] = []
    run = Store._run

    def listen(self: Store, cypher: str, params: Mapping[str, Any], timeout: float | None) -> Any:  # noqa: ANN401
        heard.append((cypher, params))
        return run(self, cypher, params, timeout)

    monkeypatch.setattr(Store, "_run", listen)
    return heard


def plan(driver: neo4j.Driver, cypher: str, params: Mapping[str, Any]) -> Plan:
    """The plan of a text that is not run."""
    _, summary, _ = driver.execute_query(f"EXPLAIN {cypher}", dict(params), database_="neo4j")
    assert summary.plan is not None
    return summary.plan


def profile(driver: neo4j.Driver, cypher: str, params: Mapping[str, Any]) -> Plan:
    """The plan of a question that is run, with what each operator of it did."""
    _, summary, _ = driver.execute_query(
        f"PROFILE {cypher}", dict(params), database_="neo4j", routing_=neo4j.RoutingControl.READ
    )
    assert summary.profile is not None
    return summary.profile


def hits(of: Plan) -> int:
    """What a profile counted: nodes, relationships and properties that the database looked at."""
    return int(of.get("dbHits", 0)) + sum(map(hits, of.get("children", ())))


def operators(of: Plan) -> Iterator[Operator]:
    """Every operator of a plan."""
    yield of["operatorType"].split("@")[0], of["args"].get("Details", ""), of.get("rows")
    for part in of.get("children", ()):
        yield from operators(part)


def scans(of: Plan) -> list[Operator]:
    """The operators that read all there is of something."""
    return [operator for operator in operators(of) if "Scan" in operator[0]]


def is_of_few(scan: Operator) -> bool:
    """Whether a scan reads only what there are few of; where it was run, it did."""
    name, about, rows = scan
    if rows is not None and rows > _MOST_FEW:
        return False
    if name == "DirectedRelationshipTypeScan":
        return ":OF]" in about
    if name == "NodeIndexScan":
        return any(f":{label}(" in about for label in _FEW)
    return name == "NodeByLabelScan" and about.split(":")[-1] in _FEW


def listings() -> set[str]:
    """Return the texts of the listings."""
    return {catalogue()[name].cypher if name in catalogue() else statement(name) for name in LISTINGS}


def bound(chosen: Query) -> dict[str, Any]:
    """A value for each parameter that is about what was loaded."""
    given = {part.name: ASKED[part.name] for part in chosen.parameters if part.name in ASKED}
    given |= {part.name: "xxxx/1" for part in chosen.parameters if part.kind == "community"}
    if any((part.kind, part.name) == ("run", "run") for part in chosen.parameters):
        given["run"] = "aaaa"
    return given


def check(
    driver: neo4j.Driver,
    heard: list[Asked],
    planned: Callable[[neo4j.Driver, str, Mapping[str, Any]], Plan] = profile,
) -> None:
    """See that no text scans but those that list, and those only what there are few of."""
    assert heard
    for cypher, params in heard:
        found = scans(planned(driver, cypher, params))
        if cypher in listings():
            assert all(map(is_of_few, found)), f"{found}:\n{cypher}"
        else:
            # of the two or three sites here, reading the index whole may be quicker than seeking
            assert not [scan for scan in found if scan[0] != "NodeIndexScan" or not is_of_few(scan)], (
                f"{found}:\n{cypher}"
            )


def test_no_query_of_the_catalogue_scans(loaded: Store, driver: neo4j.Driver, asked: list[Asked]) -> None:
    hops = {gathered(catalogue()[name]) for name in WALKS}
    for name, chosen in catalogue().items():
        asked.clear()
        query(loaded, name, bound(chosen))
        if chosen.walk is not None:
            assert hops & {cypher for cypher, _ in asked}, name
        else:
            assert chosen.cypher in {cypher for cypher, _ in asked}, name
        check(driver, asked)


LOOK_UPS: Mapping[str, Callable[[Store], object]] = {
    "runs": runs,
    "feature": lambda store: (feature(store, ONE), links(store, ONE, limit=5)),
    "neighbors": lambda store: neighbors(store, ONE, hops=3, filters=Filters(everything=True)),
    "paths": lambda store: paths(store, ONE, "tiny/1-sae/9", Route(through=(TWO, 1))),
    "paths anywhere": lambda store: paths(store, ONE),
    "lineage": lambda store: lineage(store, ONE),
}


def test_no_verb_scans(loaded: Store, driver: neo4j.Driver, asked: list[Asked]) -> None:
    for ask in LOOK_UPS.values():
        asked.clear()
        ask(loaded)
        check(driver, asked)


def costs(loaded: Store, driver: neo4j.Driver, asked: list[Asked]) -> dict[str, tuple[int, int]]:
    """What the database looks at for each query of the catalogue: to list all there is, and for all else."""
    found = {}
    for name, chosen in catalogue().items():
        asked.clear()
        query(loaded, name, bound(chosen))
        listing, other = 0, 0
        for cypher, params in asked:
            made = hits(profile(driver, cypher, params))
            listing, other = (listing + made, other) if cypher in listings() else (listing, other + made)
        found[name] = listing, other
    return found


def test_a_look_up_costs_the_same_beside_another_site(
    loaded: Store, driver: neo4j.Driver, asked: list[Asked]
) -> None:
    before = costs(loaded, driver, asked)
    load_graph(loaded, planted(ANOTHER, layer=7, run="oooo", created="2025-01-01T00:00:00Z"))
    loaded.write(PLAN_ANEW)
    after = costs(loaded, driver, asked)
    # one more run may be asked for its largest weight
    grown = {name: after[name][1] - cost for name, (_, cost) in before.items()}
    assert max(grown.values()) <= 5, grown
    assert after["labelled"][0] - before["labelled"][0] >= ANOTHER, "each label of the other site was read"


def test_no_load_and_no_drop_scans(loaded: Store, driver: neo4j.Driver, asked: list[Asked]) -> None:
    asked.clear()
    load_graph(loaded, planted(FEATURES, run="dddd"))
    drop_run(loaded, "dddd")
    wrote = [(cypher, params) for cypher, params in asked if not cypher.startswith("CREATE ")]
    # a profile would write again
    check(driver, wrote, plan)


def test_a_scan_is_found(loaded: Store, driver: neo4j.Driver) -> None:
    for cypher, name in (
        ("MATCH (f:Feature) WHERE f.index = 3 RETURN f.id", "NodeByLabelScan"),
        ("MATCH (n) WHERE n.id = 'x' RETURN n.id", "AllNodesScan"),
        ("MATCH ()-[d:DEPENDS]->() RETURN count(d.kept)", "DirectedRelationshipTypeScan"),
    ):
        for planned in (plan, profile):
            (found,) = scans(planned(driver, cypher, {}))
            assert found[0] == name
            assert not is_of_few(found)


def test_a_scan_of_many_is_found(loaded: Store, driver: neo4j.Driver) -> None:
    loaded.write("UNWIND range(1, $many) AS at CREATE (:Site {id: 'other/' + toString(at)})", {"many": MANY})
    cypher = "MATCH (s:Site) RETURN s.id"
    assert [is_of_few(found) for found in scans(plan(driver, cypher, {}))] == [True]
    assert [is_of_few(found) for found in scans(profile(driver, cypher, {}))] == [False]
