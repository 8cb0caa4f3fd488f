"""The verbs paths, lineage and communities: their keys, their files, and how they look at 80 columns."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from analysis.errors import MisuseError
from graphdb.load import load_graph
from graphdb.store import Store
from queries.notebook import connect
from tests.graphdb.small_graphs import planted
from tests.queries.test_commands import command_line

Run = Callable[..., str]
LONG = "a-model-of-long-name"


@pytest.fixture
def run(store: Store, address: str, capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Run a verb over three linked layers of a model with a long name, and return what it wrote to stdout."""
    for layer in range(3):
        edges = [(0, 1, 0.9), (1, 2, -0.8), (2, 3, 0.7)]
        load_graph(store, planted(4, edges, layer=layer, run=f"run{layer}", model=LONG, seed=2))
    store.write("MATCH ()-[d:DEPENDS]->() SET d.kept = true")
    for low in (0, 1):
        ends = {"run": f"link{low}", "low": f"{LONG}/{low}-sae", "high": f"{LONG}/{low + 1}-sae"}
        store.write(
            "CREATE (r:Run {id: $run, kind: 'links', complete: true, created: '2026-02'}) "
            "WITH r MATCH (s:Site) WHERE s.id IN [$low, $high] CREATE (r)-[:OF]->(s)",
            ends,
        )
        store.write(
            "MATCH (a:Feature {id: $low + '/0'}) MATCH (b:Feature {id: $high + '/0'}) "
            "MATCH (c:Feature {id: $high + '/1'}) CREATE (a)-[:CARRIES {run: $run, weight: 0.5}]->(b) "
            "CREATE (a)-[:DRIVES {run: $run, weight: -0.4}]->(c)",
            ends,
        )
    store.write(
        "CREATE (:Run {id: 'clus', kind: 'communities', complete: true, created: '2026-03'}) "
        "CREATE (c:Community {id: 'clus/0', run: 'clus', scope: 'all', size: 6, label: 'w'}) "
        "WITH c MATCH (f:Feature) WHERE f.index < 2 CREATE (f)-[:MEMBER_OF]->(c)"
    )

    def ask(*words: str) -> str:
        arguments = command_line().parse_args([*words, "--db", address])
        assert arguments.run(arguments) == 0
        return capfdbinary.readouterr().out.decode()

    return ask


def rows(run: Run, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run(*words, "--format", "json"))
    return found


def at(layer: int, index: int) -> str:
    return f"{LONG}/{layer}-sae/{index}"


def test_paths(run: Run) -> None:
    found = rows(run, "paths", at(0, 0), at(2, 1))
    assert [list(row) for row in found] == [["nodes", "kinds", "weights", "score"]] * len(found)
    assert found[0] == {
        "nodes": [at(0, 0), at(1, 0), at(2, 0), at(2, 1)],
        "kinds": ["CARRIES", "CARRIES", "DEPENDS"],
        "weights": [0.5, 0.5, 0.9],
        "score": 0.225,
    }
    links = rows(run, "paths", at(0, 0), at(2, 1), "--kind", "CARRIES", "--kind", "DRIVES")
    assert [row["score"] for row in links] == [0.2]
    inside = rows(run, "paths", at(1, 0), at(1, 3), "--through", at(1, 2))
    assert [row["kinds"] for row in inside] == [["DEPENDS"] * 3]
    assert rows(run, "paths", at(1, 0), at(1, 3), "--through", "2") == []
    far = rows(run, "paths", at(0, 0), "--min-hops", "2", "--max-hops", "2", "--limit", "0")
    assert {len(row["nodes"]) for row in far} == {3}
    short = rows(run, "paths", at(0, 0), at(2, 1), "--shortest", "--limit", "1")
    assert short[0]["nodes"] == [at(0, 0), at(1, 0), at(2, 1)]


def test_lineage(run: Run) -> None:
    found = rows(run, "lineage", at(1, 0))
    assert [(row["id"], row["hops"]) for row in found] == [
        (at(0, 0), -1),
        (at(1, 0), 0),
        (at(2, 0), 1),
        (at(2, 1), 1),
    ]
    assert found[3] == {
        **{"id": at(2, 1), "layer": 2, "hops": 1, "through": at(1, 0), "kind": "DRIVES", "weight": -0.4},
        **{"score": 0.4, "label": "w1 · x", "ablation_effect": None},
    }
    alone = run("lineage", at(1, 3))
    assert "no links lead to it or from it" in alone


def test_a_lineage_says_where_a_feature_is_born_and_where_it_ends(run: Run, store: Store) -> None:
    assert "carried from layer 0, where linking begins\ncarried to layer 2, where linking ends" in run(
        "lineage", at(1, 0)
    )
    made = run("lineage", at(1, 1))
    assert "born in layer 1: no link CARRIES it there\nends in layer 1: no link CARRIES it on" in made
    within = run("lineage", at(0, 0), "--run", "link0")
    assert "carried from layer 0, where linking begins\ncarried to layer 1, where linking ends" in within
    strong = run("lineage", at(1, 0), "--min-weight", "0.6")
    assert "born in layer 1" in strong
    store.write("MATCH (r:Run) WHERE r.kind = 'links' SET r.complete = false")
    assert "layer 1:" not in run("lineage", at(1, 0)), "nothing is linked"
    assert "no links lead to it or from it: `stratigraph link` has made none yet\n" in run(
        "lineage", at(1, 0)
    )
    said = run("paths", at(0, 0), at(2, 1))
    assert "no links between\nlayers were made yet (`stratigraph link`), and --max-hops looks further" in said


def test_a_lineage_says_what_taking_features_out_did(run: Run, store: Store) -> None:
    untried = run("lineage", at(1, 0))
    assert "taken out" not in untried
    assert "A negative weight: given the rest" in untried
    assert "A negative weight" not in run("lineage", at(0, 0), "--kind", "CARRIES")
    store.write("MATCH (a:Feature {id: $id})-[l:CARRIES]->() SET l.ablation_effect = -1.25", {"id": at(1, 0)})
    found = {row["id"]: row["ablation_effect"] for row in rows(run, "lineage", at(1, 0))}
    assert found == {at(0, 0): None, at(1, 0): None, at(2, 0): -1.25, at(2, 1): None}
    shown = run("lineage", at(1, 0))
    assert "-1.25" in shown
    assert "taken out: mean change of the later feature" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_communities(run: Run) -> None:
    found = rows(run, "communities")
    assert [list(row) for row in found] == [["id", "scope", "size", "layers", "label", "members"]]
    assert (found[0]["layers"], len(found[0]["members"])) == ([0, 1, 2], 5)
    assert found[0]["members"][0] == {"id": at(0, 1), "label": "w1 · x"}
    assert "no community of 7 or more members" in run("communities", "--min-size", "7")


def test_files(run: Run, tmp_path: Path) -> None:
    text = pl.read_csv(io.StringIO(run("paths", at(0, 0), at(2, 1), "--format", "csv")))
    assert json.loads(text["nodes"][0])[0] == at(0, 0)
    file = str(tmp_path / "f.parquet")
    run("paths", at(2, 0), at(0, 0), "--format", "parquet", "--output", file)
    assert pl.read_parquet(file).columns == ["nodes", "kinds", "weights", "score"]
    into = ("--format", "parquet", "--output", file)
    run("query", "opposites", "--param", "run=run2", "--param", "limit=0", *into)
    assert pl.read_parquet_schema(file)["weight"] == pl.Float64
    run("query", "shared", "--param", f"first={at(1, 0)}", "--param", f"second={at(1, 3)}", *into)
    assert pl.read_parquet_schema(file)["first_weight"] == pl.Float64, "no row, and still a type"


def test_views_at_80_columns(run: Run) -> None:
    views = {
        "runs": run("runs"),
        "paths": run("paths", at(0, 0), at(2, 1)),
        "lineage": run("lineage", at(1, 0)),
        "communities": run("communities"),
        "edges": run("query", "edges", "--param", "run=run1"),
        "neighbors": run("neighbors", at(1, 0), "--hops", "3"),
        "links": run("query", "links", "--param", f"feature={at(1, 0)}"),
        "none": run("paths", at(2, 0), at(0, 0)),
    }
    for name, shown in views.items():
        assert max(map(len, shown.splitlines())) <= 80 or name == "none", name
    for layer in range(3):
        assert f"\n{LONG}/{layer}-sae" in "\n" + views["runs"], "whole, on one line"
    assert at(1, 0) in views["paths"]
    assert "layer 1 · " in views["lineage"]
    for column in ("null replicates", "standard error", "coactivation", "kept"):
        assert f"\n{column} " in views["edges"], "no column is lost"
    assert "through" in views["neighbors"]
    assert "hops" in views["neighbors"]
    assert "no path from" in views["none"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("paths", at(0, 0), at(0, 0)), "a path leads to another feature"),
        (("paths", at(0, 9)), "the nearest is"),
        (("paths", at(0, 0), "--limit", "-1"), "limit is -1"),
        (("paths", at(0, 0), "--timeout", "0"), "--timeout is 0"),
        (("paths", at(0, 0), "--through", "nobody"), "no feature 'nobody'"),
        (("lineage", at(0, 0), "--run", "zz"), "begins with 'zz'"),
        (("communities", "--run", "zz"), "begins with 'zz'"),
    ],
)
def test_misuse(run: Run, words: tuple[str, ...], said: str) -> None:
    with pytest.raises(MisuseError, match=said):
        run(*words)


def test_a_notebook_gets_frames(run: Run, address: str) -> None:
    with connect(address) as graph:
        paths = graph.paths(at(0, 0), at(2, 1), kinds=["CARRIES", "DRIVES"])
        assert paths.schema == {
            **{"nodes": pl.List(pl.String), "kinds": pl.List(pl.String)},
            **{"weights": pl.List(pl.Float64), "score": pl.Float64},
        }
        assert graph.lineage(at(1, 0))["hops"].to_list() == [-1, 0, 1, 1]
        assert graph.communities()["id"].to_list() == ["clus/0"]
        assert graph.neighbors(at(1, 0), hops=2)["through"].to_list() == [at(1, 0), at(1, 1)]
        assert graph.query("opposites", {"run": "run1"}).schema["weight"] == pl.Float64
        assert graph.query("MATCH (s:Site) RETURN s.layer AS layer ORDER BY layer")["layer"].to_list() == [
            0,
            1,
            2,
        ]
