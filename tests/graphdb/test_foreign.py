"""What others keep in the same database is never touched, and where it stands in the way that is said."""

import pytest

from analysis.errors import MisuseError, StoreError
from graphdb.load import drop_run, load_graph
from graphdb.runs import find_run
from graphdb.store import Store
from queries.ask import query
from queries.features import feature
from queries.runs import runs
from queries.search import by_ids, labelled
from queries.whole import sites
from tests.graphdb.small_graphs import planted
from tests.graphdb.stores import content

RUN = "aaaa00000001"
IN_THE_WAY = {
    "a feature of one of our ids": "CREATE (:Feature {id: 'tiny/0-sae/3', label: 'mine', price: 7})",
    "a feature of one of our ids at something": (
        "CREATE (:Feature {id: 'tiny/0-sae/3', site: 'town'})-[:OF]->(:Product {name: 'car'})"
    ),
    "a feature that says another site": (
        "CREATE (:Feature {id: 'tiny/0-sae/3', site: 'tiny/1-sae', index: 3})"
    ),
    "a site of our id": "CREATE (:Site {id: 'tiny/0-sae', city: 'Paris'})",
    "a site whose model is another": "CREATE (:Site {id: 'tiny/0-sae', model: 'tin', source: 'y/0-sae'})",
    "a run of our id": f"CREATE (:Run {{id: '{RUN}', kilometres: 10}})",
}
ASIDE = {
    "features without our properties": (
        "CREATE (:Feature {name: 'a'}) CREATE (:Feature {name: 'b', label: 'w1'})"
    ),
    "a feature whose label is a number": "CREATE (:Feature {name: 'a', label: 5})",
    "features of other ids": "CREATE (:Feature {id: 'sunroof', label: 'w1'}) CREATE (:Feature {id: 17})",
    "an id that begins like ours": (
        "CREATE (:Feature {id: 'tiny/0-sae/banana'}) CREATE (:Feature {id: 'tiny/0-sae/'})"
    ),
    "sites": "CREATE (:Site {name: 'Paris'}) CREATE (:Site {id: 'Rome'})",
    "runs": (
        "CREATE (:Run {name: 'marathon'}) CREATE (:Run {id: 'race', complete: true}) CREATE (:Run {id: 7})"
    ),
    "communities": "CREATE (:Community {name: 'village'}) CREATE (:Community {id: 'c', run: 'race'})",
    "other labels": "CREATE (:Person {id: 'tiny/0-sae/3'})-[:KNOWS]->(:Person {id: 'tiny/0-sae'})",
    "our types between others": (
        f"CREATE (:Person {{name: 'x'}})-[:DEPENDS {{run: '{RUN}', weight: 1}}]->(:Person {{name: 'y'}})"
    ),
    "a foreign run of a foreign feature": (
        "CREATE (:Feature {id: 'sunroof', label: 'w1'})-[:MEASURED_IN {label: 'w1'}]->(:Run {id: 'race'})"
    ),
}


@pytest.mark.parametrize("written", IN_THE_WAY.values(), ids=list(IN_THE_WAY))
@pytest.mark.parametrize("loaded_before", [False, True])
def test_a_node_in_the_way_is_named_and_left_alone(store: Store, written: str, loaded_before: bool) -> None:
    if loaded_before:
        # so that the database knows our ids and labels
        load_graph(store, planted(6, layer=2, run="cccc"))
    store.write(written)
    before = content(store)
    with pytest.raises(StoreError) as refused:
        load_graph(store, planted(6))
    said = str(refused.value)
    assert "that stratigraph did not write; nothing was changed: give it another label or another id" in said
    assert any(f"{{id: '{name}'}})" in said for name in ("tiny/0-sae/3", "tiny/0-sae", RUN))
    assert content(store) == before


@pytest.fixture
def bare(store: Store) -> Store:
    """The database before anything of ours was loaded: no id need be unique."""
    for name in ("site_id", "feature_id", "run_id", "community_id"):
        store.write(f"DROP CONSTRAINT stratigraph_{name} IF EXISTS")
    return store


@pytest.mark.parametrize("label", ["Site", "Feature", "Run", "Community"])
def test_nodes_of_one_id_are_named_and_left_alone(bare: Store, label: str) -> None:
    bare.write(f"CREATE (:{label} {{id: 'x', name: 'one'}}) CREATE (:{label} {{id: 'x', name: 'two'}})")
    before = content(bare)
    for _ in range(2):
        with pytest.raises(StoreError) as refused:
            load_graph(bare, planted(6))
    assert f"holds 2 nodes (:{label} {{id: 'x'}}), and no two may have one id; nothing was changed" in str(
        refused.value
    )
    assert content(bare) == before
    # what the sentence says, done
    bare.write(f"MATCH (n:{label} {{name: 'two'}}) SET n.id = 'y'")
    load_graph(bare, planted(6))
    with pytest.raises(StoreError, match="second node of the same id"):
        bare.write("CREATE (:Feature {id: 'tiny/0-sae/0'})")


@pytest.mark.parametrize("written", ASIDE.values(), ids=list(ASIDE))
def test_what_lies_aside_is_neither_found_nor_changed(store: Store, written: str) -> None:
    graph = planted(6)
    load_graph(store, graph)
    alone = content(store)
    found = runs(store), sites(store), labelled(store, "w1"), query(store, "hubs", {})
    drop_run(store, RUN)
    assert content(store) == []

    store.write(written)
    before = content(store)
    load_graph(store, graph)
    assert sorted(before + alone) == content(store)
    assert (runs(store), sites(store), labelled(store, "w1"), query(store, "hubs", {})) == found
    assert by_ids(store, ["sunroof", "17", "tiny/0-sae/banana", "tiny/0-sae/"]) == []
    with pytest.raises(MisuseError, match="there is no feature 'sunroof'"):
        feature(store, "sunroof")
    with pytest.raises(MisuseError, match=r"no run in .* begins with 'race'"):
        find_run(store, "race")
    drop_run(store, RUN)
    assert content(store) == before


def test_what_others_attach_to_our_nodes_stays(store: Store) -> None:
    graph = planted(6)
    load_graph(store, graph)
    found = runs(store), sites(store), labelled(store, "w1"), query(store, "edges", {})
    store.write("""
        MATCH (f:Feature {id: 'tiny/0-sae/3'}) MATCH (g:Feature {id: 'tiny/0-sae/4'}) MATCH (s:Site)
        CREATE (n:Note {name: 'look here'})-[:ABOUT {since: 1}]->(f)
        CREATE (f)-[:REMINDS_OF]->(g)
        CREATE (f)-[:IN]->(:Drawer {name: 'top'})
        CREATE (:Feature {id: 'hers', name: 'hers'})-[:IN]->(s)
    """)
    before = content(store)
    load_graph(store, graph)
    assert content(store) == before
    assert (runs(store), sites(store), labelled(store, "w1"), query(store, "edges", {})) == found

    theirs = [
        line for line in before if any(word in line for word in ("look here", "REMINDS", "hers", "Drawer"))
    ]
    assert len(theirs) == 7
    drop_run(store, RUN)
    after = content(store)
    assert set(theirs) <= set(after)
    names = store.read("MATCH (f:Feature) RETURN f.id AS id ORDER BY id")
    assert [row["id"] for row in names] == ["hers", "tiny/0-sae/3", "tiny/0-sae/4"]


def test_other_labels_on_our_nodes_stay(store: Store) -> None:
    graph = planted(6)
    load_graph(store, graph)
    found = runs(store), query(store, "edges", {}), feature(store, "tiny/0-sae/3")
    store.write("MATCH (f:Feature {id: 'tiny/0-sae/3'}) SET f:Favourite, f.stars = 5")
    before = content(store)
    load_graph(store, graph)
    assert content(store) == before
    assert (runs(store), query(store, "edges", {}), feature(store, "tiny/0-sae/3")) == found


@pytest.mark.parametrize(
    ("attach", "at"),
    [
        ("MATCH (r:Run) CREATE (:Note {name: 'look'})-[:ABOUT]->(r)", RUN),
        ("MATCH (r:Run) CREATE (:Trip {name: 'far'})-[:OF]->(r)", RUN),
        (f"CREATE (:Note {{name: 'look'}})-[:ABOUT]->(:Community {{id: 'c1', run: '{RUN}'}})", "c1"),
    ],
)
def test_a_run_that_others_point_to_is_not_dropped(store: Store, attach: str, at: str) -> None:
    load_graph(store, planted(6))
    store.write(attach)
    before = content(store)
    with pytest.raises(
        StoreError, match=rf"at \(:\w+ {{id: '{at}'}}\) that stratigraph did not write .* nothing"
    ):
        drop_run(store, RUN)
    assert content(store) == before
    store.write(
        "MATCH ()-[e]->() WHERE type(e) IN ['ABOUT', 'OF'] AND startNode(e).name IS NOT NULL DELETE e"
    )
    drop_run(store, RUN)
    assert len(content(store)) == 1


@pytest.mark.parametrize("address", ["neo4j"], indirect=True)
def test_a_constraint_of_others_does_not_stand_for_ours(bare: Store) -> None:
    bare.write("CREATE CONSTRAINT feature_id IF NOT EXISTS FOR (p:Person) REQUIRE p.name IS UNIQUE")
    load_graph(bare, planted(6))
    with pytest.raises(StoreError, match="second node of the same id"):
        bare.write("CREATE (:Feature {id: 'tiny/0-sae/0'})")
    bare.write("DROP CONSTRAINT feature_id")
