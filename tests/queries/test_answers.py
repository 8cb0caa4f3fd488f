"""Runs, replicates, features and free questions, with their refusals."""

import inspect
import re

import polars as pl
import pytest

from analysis.errors import DataError, MisuseError, StoreError
from graphdb.load import load_graph
from graphdb.store import Store
from queries import around, communities, edges, search
from queries import paths as ways
from queries import whole as whole_graphs
from queries.ask import is_cypher, query
from queries.catalogue import KINDS, catalogue, parse
from queries.features import FEATURE_COLUMNS, feature
from queries.notebook import connect
from queries.runs import REPLICATE_COLUMNS, RUN_COLUMNS, replicates, runs
from tests.graphdb.small_graphs import planted

PARAMS = {
    "feature": "tiny/0-sae/0",
    "first": "tiny/0-sae/0",
    "second": "tiny/0-sae/2",
    "features": ["tiny/0-sae/0"],
    "text": "w1",
    "other": "aaaa",
    "ids": ["tiny/0-sae/0"],
    "from": "tiny/0-sae/0",
    "community": "c1",
}


@pytest.fixture
def loaded(store: Store) -> Store:
    """Two layers, two runs over the first, a link, a community."""
    load_graph(store, planted(6, [(0, 1, 1.0), (1, 2, -2.0), (0, 2, 3.0), (3, 4, 0.5)], seed=2))
    load_graph(store, planted(6, run="bbbb", created="2026-05-01T00:00:00Z", seed=9))
    load_graph(store, planted(6, layer=1, run="cccc"))
    store.write("CREATE (:Run {id: 'llll', kind: 'links', complete: true, created: '2026-06-01T00:00:00Z'})")
    store.write("""
        MATCH (a:Feature {id: 'tiny/0-sae/0'}) MATCH (b:Feature {id: 'tiny/1-sae/1'})
        CREATE (a)-[:CARRIES {run: 'llll', weight: 0.5, decoder_cosine: 0.1}]->(b)
        CREATE (a)-[:MEMBER_OF]->(:Community {id: 'c1', run: 'cccc', size: 1})
        CREATE (a)-[:MEMBER_OF]->(:Community {id: 'c0', run: 'unfinished', size: 1})
    """)
    return store


def test_runs(loaded: Store) -> None:
    found = runs(loaded)
    assert [row["id"] for row in found] == ["llll", "bbbb", "aaaa00000001", "cccc"]
    assert all(tuple(row) == RUN_COLUMNS for row in found)
    graph = planted(6, layer=1, run="cccc")
    assert found[3] == {
        **{"id": "cccc", "site": "tiny/1-sae", "kind": "layer", "procedure": "published", "fdr": 0.1},
        **{"r_star": 2, "features": 6, "edges": graph.edges.height, "kept": graph.kept},
        **{"created": graph.run.created, "complete": True},
    }


def test_a_calibrated_run_has_no_count_that_decides(store: Store) -> None:
    load_graph(store, planted(6, procedure="calibrated"))
    assert [(row["procedure"], row["r_star"]) for row in runs(store)] == [("calibrated", None)]


def test_replicates(loaded: Store) -> None:
    assert replicates(loaded, "aaaa") == planted(6).replicate_table.to_dicts()
    assert tuple(replicates(loaded)[0]) == REPLICATE_COLUMNS


def test_feature(loaded: Store) -> None:
    row = feature(loaded, "tiny/0-sae/0", "aaaa")
    assert tuple(row) == FEATURE_COLUMNS
    made = planted(6, [(0, 1, 1.0), (1, 2, -2.0), (0, 2, 3.0), (3, 4, 0.5)], seed=2).features.row(
        0, named=True
    )
    for name in ("frequency", "mean_activation", "max_activation", "degree", "label", "top_tokens"):
        assert row[name] == made[name]
    assert row["neuronpedia"] == "tiny/0-sae/0"
    assert row["community"] == "c1"
    assert row["contexts"][0] == {
        "rank": 0, "value": 9.0, "left": "she said [that] her", "token": " w0", "right": " was é",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("tiny/0-sae/6", "tiny/0-sae has the features 0 to 5, the nearest is tiny/0-sae/5"),
        ("tiny/0-sae/x", "the nearest is tiny/0-sae/0"),
        ("tinny/1-sae/3", "an id is MODEL/SOURCE/INDEX, the nearest is tiny/1-sae/3"),
        ("w3 ·", r"labelled so are tiny/0-sae/3 \(w3 · x\), tiny/1-sae/3"),
        ("5", r"labelled so are tiny/0-sae/5"),
        ("", "the nearest is|labelled so"),
    ],
)
def test_features_that_are_not_there(loaded: Store, asked: str, said: str) -> None:
    with pytest.raises(MisuseError, match=said):
        feature(loaded, asked)


def test_an_empty_database(store: Store) -> None:
    assert runs(store) == []
    with pytest.raises(MisuseError, match="the database is empty: stratigraph load"):
        feature(store, "tiny/0-sae/0")
    with pytest.raises(MisuseError, match="there is no complete run in"):
        replicates(store)


@pytest.fixture
def whole(loaded: Store) -> Store:
    """The same with the numbers that a load keeps on runs, a second community and a feature that is made."""
    loaded.write("""
        MATCH (r:Run {kind: 'layer'})
        SET r.degrees = [0, 2], r.degree_features = [3, 3], r.components = [0], r.component_sizes = [3],
            r.component_edges = [3], r.replicate_counts = [3], r.replicate_edges = [4], r.replicate_kept = [4]
    """)
    loaded.write("""
        MATCH (r:Run {id: 'llll'}) SET r.carried = 1, r.made = 5, r.gone = 5
        WITH r MATCH (s:Site) CREATE (r)-[:OF]->(s)
    """)
    loaded.write("""
        CREATE (c:Community {id: 'c2', run: 'cccc', scope: 'all', size: 5})
        WITH c MATCH (f:Feature {site: 'tiny/1-sae'}) CREATE (f)-[:MEMBER_OF]->(c)
    """)
    return loaded


@pytest.mark.parametrize("name", sorted(catalogue()))
def test_each_query_is_what_its_header_says(whole: Store, address: str, name: str) -> None:
    chosen = catalogue()[name]
    used = set(re.findall(r"\$(\w+)", chosen.cypher))
    declared = {parameter.name for parameter in chosen.parameters}
    assert used == declared if chosen.walk is None else not chosen.cypher
    given: dict[str, object] = {p.name: PARAMS[p.name] for p in chosen.parameters if p.required}
    if any(parameter.kind == "run" for parameter in chosen.parameters):
        given["run"] = "bbbb" if name == "only_in" else "aaaa"
    if name == "unexplained":
        given["max_cosine"] = 1.0
    if name == "bridges":
        given |= {"first": "c1", "second": "c2"}
    rows = query(whole, name, given)
    assert rows, "planted so that each has an answer"
    types: dict[str, type | tuple[type, ...]] = {
        "string": str,
        "integer": int,
        "number": (int, float),
        "boolean": bool,
        "list": list,
    }
    for row in rows:
        assert list(row) == [column.name for column in chosen.columns]
        for column in chosen.columns:
            assert row[column.name] is None or isinstance(row[column.name], types[column.kind])
    with connect(address) as graph:
        assert graph.query(name, given).height == len(rows)


@pytest.mark.parametrize(
    ("name", "params", "said"),
    [
        ("hub", {}, "no query 'hub' in the catalogue; the nearest are hubs"),
        ("hubs", {"limt": 3}, "no parameter 'limt'; it has: run, limit"),
        ("hubs", {"limit": "many"}, "--param limit is 'many'; expected integer"),
        ("hubs", {"limit": True}, "--param limit is True; expected integer"),
        ("hubs", {"run": "zz"}, "begins with 'zz'"),
        ("labelled", {}, "query labelled needs --param text="),
        ("triangles", {"feature": "tiny/0-sae/77"}, "the nearest is tiny/0-sae/5"),
        ("neighbors", {"features": ["tiny/0-sae/0", "tiny/0-sae/77"]}, "the nearest is tiny/0-sae/5"),
        ("neighbors", {"features": ["tiny/0-sae/0", "tiny/1-sae/0"]}, "are of tiny/0-sae and tiny/1-sae"),
        (
            "neighbors",
            {"features": "tiny/1-sae/0", "run": "bb"},
            "bbbb is about tiny/0-sae, not about tiny/1",
        ),
        ("only_in", {"run": "bb", "other": "cc"}, "cccc is about tiny/1-sae, not about tiny/0-sae"),
        ("only_in", {"run": "bb", "other": "bbbb"}, "run and other are both run bbbb; name two"),
        ("hubs", {"limit": -1}, "limit is -1; expected 1 or more, or 0 for all"),
        ("members", {"community": "c9"}, "no community 'c9' in .*; `stratigraph communities` lists them"),
        ("paths", {"from": "tiny/0-sae/0", "to": "tiny/0-sae/0"}, "are both tiny/0-sae/0"),
        ("paths", {"from": "tiny/0-sae/0", "to": "tiny/0-sae/9"}, "the nearest is tiny/0-sae/5"),
        ("paths", {"from": "tiny/0-sae/0", "through": ["x/y/1"]}, "no feature 'x/y/1'"),
        ("paths", {"from": "tiny/0-sae/0", "through": [1] * 9}, "given 9 times; expected at most 8"),
        ("paths", {"from": "tiny/0-sae/0", "min_hops": 5}, "expected 1 <= MIN <= MAX"),
        (
            "paths",
            {"from": "tiny/0-sae/0", "kinds": ["DRIVES", "IN"]},
            "--param kinds has 'IN'; expected CARRIES or DRIVES or DEPENDS",
        ),
        ("paths", {"from": "tiny/0-sae/0", "runs": "zz"}, "begins with 'zz'"),
        (
            "lineage",
            {"feature": "tiny/0-sae/0", "kinds": "DEPENDS"},
            "kinds has 'DEPENDS'; expected CARRIES or DRIVES",
        ),
        ("lineage", {"feature": "tiny/0-sae/0", "max_hops": 0}, "--max-hops is 0; expected 1 or more"),
    ],
)
def test_queries_that_cannot_be_met(loaded: Store, name: str, params: dict[str, object], said: str) -> None:
    with pytest.raises(MisuseError, match=said):
        query(loaded, name, params)


def test_a_run_left_out_is_the_newest_of_the_site(loaded: Store) -> None:
    assert query(loaded, "neighbors", {"features": "tiny/1-sae/0", "all": True})
    features = {row["id"] for row in query(loaded, "component", {"feature": "tiny/1-sae/0"})}
    assert features <= {f"tiny/1-sae/{i}" for i in range(6)}
    assert query(loaded, "only_in", {"other": "aaaa"}) == query(
        loaded, "only_in", {"run": "bb", "other": "aa"}
    )


def test_numbers_that_a_run_does_not_hold(loaded: Store) -> None:
    loaded.write("MATCH (r:Run) REMOVE r.degrees, r.degree_features, r.components, r.replicate_counts")
    for name in ("degrees", "components", "replicate_counts"):
        with pytest.raises(
            DataError, match=r"run bbbb was loaded without the numbers .* load its graph again"
        ):
            query(loaded, name)


def test_a_run_of_another_kind(loaded: Store) -> None:
    for name in ("fates", "communities"):
        with pytest.raises(MisuseError, match=r"run aaaa\w* is of kind layer; expected one of kind"):
            query(loaded, name, {"run": "aaaa"})


def test_no_communities(store: Store) -> None:
    with pytest.raises(MisuseError, match="has no communities; `stratigraph cluster` makes some"):
        query(store, "communities")


def test_a_limit_of_0_is_none(loaded: Store) -> None:
    assert len(query(loaded, "strongest", {"run": "aaaa", "limit": 0})) == len(
        [edge for edge in query(loaded, "edges", {"run": "aaaa"}) if edge["kept"]]
    )


@pytest.mark.parametrize("name", sorted(catalogue()))
def test_each_query_has_a_function_with_its_parameters(name: str) -> None:
    modules = [search, around, edges, whole_graphs, communities, ways]
    named_otherwise = {"feature", "hop", "neighbors", "neighborhood", "replicates"}
    if name in named_otherwise:
        return
    made = next(getattr(module, name) for module in modules if hasattr(module, name))
    assert made.__doc__
    if name != "paths":
        taken = set(inspect.signature(made).parameters) - {"store", "timeout"}
        assert taken == {parameter.name for parameter in catalogue()[name].parameters}


def test_functions_answer_as_their_queries(loaded: Store) -> None:
    one = "tiny/0-sae/0"
    assert around.links(loaded, one) == query(loaded, "links", {"feature": one})
    assert edges.only_in(loaded, "bbbb", "aaaa") == query(loaded, "only_in", {"run": "bbbb", "other": "aaaa"})
    assert search.fires_on(loaded, "w1") == query(loaded, "fires_on", {"text": "w1"})
    assert ways.lineage(loaded, one)[1]["id"] == "tiny/1-sae/1"
    assert ways.paths(loaded, one, "tiny/1-sae/1") == [
        {"nodes": [one, "tiny/1-sae/1"], "kinds": ["CARRIES"], "weights": [0.5], "score": 0.5}
    ]


def test_declared_types_win(loaded: Store) -> None:
    assert len(query(loaded, "labelled", {"text": "1", "limit": "1"})) == 1
    assert query(loaded, "labelled", {"text": 1}) == query(loaded, "labelled", {"text": "1"})
    assert query(loaded, "neighbors", {"features": "tiny/0-sae/0", "run": "aaaa", "all": "true"})


def test_cypher_and_names() -> None:
    assert is_cypher("MATCH (n) RETURN n")
    assert is_cypher("RETURN(1)")
    assert not is_cypher(" hubs ".strip())


def test_free_cypher(loaded: Store) -> None:
    assert query(loaded, "RETURN $x AS x", {"x": "'; DROP"}) == [{"x": "'; DROP"}]
    with pytest.raises(StoreError, match="does not understand"):
        query(loaded, "MATCH (n")


@pytest.mark.parametrize(
    "text",
    [
        "// param x\nRETURN 1",
        "// param x: integer = nope -- what\nRETURN 1",
        "// column x: colour -- what\nRETURN 1",
    ],
)
def test_headers_that_cannot_be_read(text: str) -> None:
    with pytest.raises(DataError, match=r"bad\.cypher: "):
        parse("bad", text)
    assert "string" in KINDS


def test_the_notebook_face(loaded: Store, address: str) -> None:
    with connect(address) as graph:
        assert graph.runs().columns == list(RUN_COLUMNS)
        assert graph.replicates("aaaa").equals(planted(6).replicate_table.cast({"replicates": pl.Int64}))
        near = graph.neighbors("tiny/0-sae/0", "aaaa", everything=True, min_replicates=2)
        assert near["weight"].to_list() == [3.0, 1.0]
        assert graph.neighbors("tiny/0-sae/5", "aaaa").schema["weight"] == pl.Float64
        assert graph.feature("tiny/0-sae/0")["top_tokens"].dtype == pl.List(
            pl.Struct({"token": pl.String, "share": pl.Float64})
        )
        edges = graph.edges("aaaa")
        made = planted(6, [(0, 1, 1.0), (1, 2, -2.0), (0, 2, 3.0), (3, 4, 0.5)], seed=2).edges
        assert (
            edges.sort("source", "target").select("source", "target", "weight", "kept").rows()
            == made.sort("source", "target").select("source", "target", "weight", "kept").rows()
        )
