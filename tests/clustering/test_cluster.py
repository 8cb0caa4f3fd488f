"""The verb ``cluster`` over both servers: what it writes, again, after a kill, and what it refuses."""

import itertools
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import stratigraph
from analysis.errors import MisuseError, StoreError
from graphdb.load import drop_run, load_graph
from graphdb.runs import find_run
from graphdb.stacked import layers_of, read_stack
from graphdb.store import Store, connect
from ingest.clustering.config import ClusterConfig
from ingest.clustering.job import cluster
from queries.communities import communities, members
from tests.graphdb.small_graphs import planted
from tests.graphdb.stores import content, empty

Row = dict[str, Any]
Run = Callable[..., str]

GROUPS = [range(4), range(4, 8), range(8, 12)]
EDGES = [(i, j, 0.5) for group in GROUPS for i, j in itertools.combinations(group, 2)]
JOINED = [*EDGES, (3, 4, 0.1), (5, 9, -0.3)]
"""Three groups of four, the first two joined by a weak edge, two of them by an exclusion."""
QUICK = ClusterConfig(restarts=2)


def load(store: Store, layers: int = 2, *, kept: bool = True) -> None:
    """Layers of the three groups, feature 12 alone, features linked to their like in the next layer."""
    for layer in range(layers):
        load_graph(store, planted(13, JOINED, layer=layer, run=f"layer{layer}", seed=layer))
    store.write("MATCH ()-[d:DEPENDS]->() SET d.kept = $kept", {"kept": kept})


def link(store: Store, weight: float = 0.4) -> None:
    store.write(
        "CREATE (r:Run {id: 'links0', kind: 'links', complete: true, created: '2026-02'}) "
        "WITH r MATCH (s:Site) CREATE (r)-[:OF]->(s)"
    )
    store.write(
        "MATCH (a:Feature {layer: 0}) MATCH (b:Feature {id: 'tiny/1-sae/' + toString(a.index)}) "
        "WHERE a.index < 12 CREATE (a)-[:CARRIES {run: 'links0', weight: $weight, decoder_cosine: 0.9}]->(b)",
        {"weight": weight},
    )


def groups_of(store: Store, run: str) -> list[list[str]]:
    rows = communities(store, run, limit=0)
    return sorted(sorted(row["id"] for row in members(store, community["id"])) for community in rows)


def test_each_layer_by_itself(store: Store, reader: Store) -> None:
    load(store)
    run, there = cluster(store, QUICK)
    assert not there
    expected = [[f"tiny/{layer}-sae/{i}" for i in group] for layer in (0, 1) for group in GROUPS]
    assert groups_of(reader, run["id"]) == sorted(map(sorted, expected))
    found = find_run(reader, run["id"], kind="communities")
    assert (found["complete"], found["sites"]) == (True, ["tiny/0-sae", "tiny/1-sae"])
    stored = reader.read("MATCH (r:Run {id: $id}) RETURN properties(r) AS p", {"id": run["id"]})[0]["p"]
    assert {**stored, "id": run["id"]} == {**run, "complete": True}
    assert (run["features"], run["edges"], run["links"], run["communities"]) == (24, 38, 0, 6)
    assert (run["members"], run["ami"], run["seed"]) == (24, 1.0, 0)
    assert json.loads(run["config"])["coupling"] is None
    assert json.loads(run["read"]) == {"layers": ["layer0", "layer1"], "links": []}
    parts = json.loads(run["parts"])
    assert [(part["layers"], part["communities"], part["alone"]) for part in parts] == [
        ([0], 3, 0),
        ([1], 3, 0),
    ]
    assert [(part["large_features"], part["standalone_features"]) for part in parts] == [(8, 4)] * 2
    assert len(json.loads(run["profile"])) == 5


def test_what_a_community_says(store: Store, reader: Store) -> None:
    load(store, 1)
    run, _ = cluster(store, QUICK)
    rows = reader.read(
        "MATCH (c:Community {run: $run}) "
        "RETURN properties(c) AS p, COUNT { (c)<-[:MEMBER_OF]-() } AS members ORDER BY c.id",
        {"run": run["id"]},
    )
    assert [row["members"] for row in rows] == [4, 4, 4]
    first = rows[0]["p"]
    assert sorted(first.pop("top_members")) == [f"tiny/0-sae/{i}" for i in range(4)]
    assert first.pop("label") == "w0 · w1 · w2"
    assert first == {
        **{"id": f"{run['id']}/0", "run": run["id"], "scope": "layer", "size": 4, "layers": [0]},
        **{"edges": 6, "links": 0, "component": "large", "stability": 1.0},
    }


def test_what_is_written_is_described(store: Store) -> None:
    load(store)
    link(store)
    cluster(store, ClusterConfig(scope="all", restarts=2))
    text = (Path(__file__).parents[2] / "docs" / "data-model.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.+?) \|", text, re.MULTILINE)
    described = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    written = store.read("MATCH (n) UNWIND keys(n) AS name RETURN DISTINCT name")
    assert {row["name"] for row in written} <= described


def test_all_layers_at_once(store: Store, reader: Store) -> None:
    load(store)
    link(store)
    run, _ = cluster(store, ClusterConfig(scope="all", restarts=2))
    expected = [[f"tiny/{layer}-sae/{i}" for layer in (0, 1) for i in group] for group in GROUPS]
    assert groups_of(reader, run["id"]) == sorted(map(sorted, expected))
    assert [row["layers"] for row in communities(reader, run["id"])] == [[0, 1]] * 3
    assert (run["links"], json.loads(run["config"])["coupling"]) == (12, 0.5)
    profile = json.loads(run["profile"])
    assert [row["coupling"] for row in profile] == [0.0, 0.125, *[0.5] * 5, 2.0]
    assert (profile[0]["spanning"], profile[0]["held"]) == (0, 0.0)
    apart, _ = cluster(store, ClusterConfig(scope="all", coupling=0.0, restarts=2))
    alone, _ = cluster(store, QUICK)
    assert len({run["id"], apart["id"], alone["id"]}) == 3
    assert groups_of(reader, apart["id"]) == groups_of(reader, alone["id"])


def test_exclusions_divide_where_they_are_counted(store: Store, reader: Store) -> None:
    edges = [(0, 1, 0.2), (1, 2, 0.2), (2, 3, 0.2), (0, 3, 0.2), (0, 2, -0.9), (1, 3, -0.9)]
    load_graph(store, planted(5, edges))
    store.write("MATCH ()-[d:DEPENDS]->() SET d.kept = true")
    left_out, _ = cluster(store, ClusterConfig(resolution=0.4, restarts=1))
    assert (left_out["edges"], [len(group) for group in groups_of(reader, left_out["id"])]) == (4, [4])
    counted, _ = cluster(store, ClusterConfig(resolution=0.4, restarts=1, exclusions=True))
    assert (counted["edges"], [len(group) for group in groups_of(reader, counted["id"])]) == (6, [2, 2])
    assert "ami" not in counted


def test_the_stable_core(store: Store, reader: Store) -> None:
    load(store, 1)
    store.write("MATCH ()-[d:DEPENDS]->() SET d.replicates = 3")
    store.write("MATCH (a)-[d:DEPENDS]->(b) WHERE a.index < 4 AND b.index < 4 SET d.replicates = 4")
    run, _ = cluster(store, ClusterConfig(min_replicates=4, restarts=2))
    assert groups_of(reader, run["id"]) == [[f"tiny/0-sae/{i}" for i in range(4)]]
    whole, _ = cluster(store, QUICK)
    assert (whole["communities"], run["edges"]) == (3, 6)


def test_a_named_run(store: Store) -> None:
    load(store)
    load_graph(store, planted(13, EDGES[:6], run="older", created="2025-01-01T00:00:00Z"))
    store.write("MATCH ()-[d:DEPENDS {run: 'older'}]->() SET d.kept = true")
    run, _ = cluster(store, QUICK, ["older"])
    assert json.loads(run["read"])["layers"] == ["older"]
    assert run["communities"] == 1
    newest, _ = cluster(store, QUICK)
    assert json.loads(newest["read"])["layers"] == ["layer0", "layer1"]


def test_again_is_once(store: Store) -> None:
    load(store)
    first, _ = cluster(store, QUICK)
    once = content(store)
    again, there = cluster(store, QUICK)
    assert there
    assert again == {**first, "complete": True}
    assert content(store) == once


class Killed(Exception):  # noqa: N818  it stands for a signal, not an error
    """The process ends here."""


def test_killed_anywhere_it_is_completed_by_running_it_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(store, 1)
    before = content(store)
    run, _ = cluster(store, QUICK)
    whole = _without_time(content(store), run)
    drop_run(store, run["id"])
    assert content(store) == before
    write, left = Store.write, 0

    def write_some(self: Store, cypher: str, params: Mapping[str, Any] | None = None) -> list[Row]:
        nonlocal left
        left -= 1
        if left < 0:
            raise Killed
        return write(self, cypher, params)

    for statements in itertools.count():
        left = statements
        with monkeypatch.context() as patch:
            patch.setattr(Store, "write", write_some)
            try:
                made, _ = cluster(store, QUICK)
            except Killed:
                pass
            else:
                break
        with pytest.raises(MisuseError, match=r"is incomplete|begins with"):
            find_run(store, run["id"], kind=None)
        made, there = cluster(store, QUICK)
        assert not there
        assert _without_time(content(store), made) == whole, statements
        drop_run(store, run["id"])
        assert content(store) == before
    assert statements > 8


def _without_time(lines: list[str], run: Row) -> list[str]:
    return sorted(line.replace(run["created"], "now") for line in lines)


def test_what_was_left_by_another_division_goes(store: Store) -> None:
    load(store, 1)
    run, _ = cluster(store, QUICK)
    whole = _without_time(content(store), run)
    store.write("MATCH (r:Run {id: $id}) SET r.complete = false", {"id": run["id"]})
    store.write(
        "MATCH (f:Feature {index: 12}) CREATE (f)-[:MEMBER_OF]->(:Community {id: $id + '/9', run: $id})",
        {"id": run["id"]},
    )
    made, there = cluster(store, QUICK)
    assert not there
    assert _without_time(content(store), made) == whole


def test_dropped_after_its_layer_nothing_is_left(store: Store) -> None:
    load(store, 1)
    run, _ = cluster(store, QUICK)
    drop_run(store, "layer0")
    assert len(groups_of(store, run["id"])) == 3
    drop_run(store, run["id"])
    assert content(store) == []


def test_what_is_read_is_what_is_there(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphdb.stacked.PAGE", 5)
    load(store)
    link(store, -0.4)
    store.write("MATCH (a:Feature {index: 0})-[d:DEPENDS]->() SET d.kept = false")
    store.write("MATCH (a:Feature {index: 1})-[d:DEPENDS]->(b {index: 2}) REMOVE d.decoder_cosine")
    read = read_stack(
        store, layers_of(store, ["layer0", "layer1"]), {"links0": ["tiny/0-sae"]}, exclusions=True
    )
    ids = read.ids()
    found = sorted(
        (ids[s], ids[t], w)
        for s, t, w in zip(read.stack.source, read.stack.target, read.stack.weight, strict=True)
    )
    expected = [
        (f"tiny/{layer}-sae/{s}", f"tiny/{layer}-sae/{t}", w) for layer in (0, 1) for s, t, w in JOINED if s
    ]
    assert found == sorted(expected)
    positive = read_stack(store, read.layers, {})
    assert len(positive.stack.source) == len(expected) - 2
    assert (positive.stack.weight > 0).all()
    ends = zip(read.stack.link_source, read.stack.link_target, read.stack.link_weight, strict=True)
    assert [(ids[s], ids[t], w) for s, t, w in ends] == [
        (f"tiny/0-sae/{i}", f"tiny/1-sae/{i}", 0.4) for i in range(12)
    ]
    assert np.isnan(read.cosine).sum() == 2
    assert read.link_cosine.tolist() == [0.9] * 12


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"scope": "layers"}, "--scope is 'layers'; expected layer or all"),
        ({"resolution": 0.0}, "--resolution is 0; expected a number above 0"),
        ({"resolution": float("nan")}, "--resolution is nan"),
        ({"scope": "all", "coupling": -1.0}, "--coupling is -1; expected 0 or more"),
        ({"coupling": 1.0}, "--coupling 1 is given for single layers; leave it out, or add --scope all"),
        ({"restarts": 0}, "--restarts is 0; expected 1 or more"),
        ({"min_replicates": 0}, "--min-replicates is 0; expected 1 or more"),
        ({"seed": -1}, "--seed is -1; expected 0 or more"),
    ],
)
def test_settings_that_are_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(MisuseError, match=said):
        ClusterConfig(**changed)


def test_what_cannot_be_divided(store: Store) -> None:
    with pytest.raises(MisuseError, match=r"there is no complete run in .*; load one: stratigraph load"):
        cluster(store, QUICK)
    load(store)
    before = content(store)
    for config, runs, said in (
        (ClusterConfig(scope="all"), [], "has no complete run that links two of these 2 sites"),
        (
            ClusterConfig(min_replicates=5),
            [],
            "run layer0 of tiny/0-sae has 4 replicates; expected at most 4",
        ),
        (QUICK, ["zz"], "no run in .* begins with 'zz'; there are: layer0, layer1"),
    ):
        with pytest.raises(MisuseError, match=said):
            cluster(store, config, runs)
    load_graph(store, planted(13, run="second"))
    with pytest.raises(MisuseError, match="runs layer0 and second are both about tiny/0-sae"):
        cluster(store, QUICK, ["layer0", "second"])
    drop_run(store, "second")
    store.write("MATCH ()-[d:DEPENDS]->() SET d.replicates = 2")
    with pytest.raises(MisuseError, match=r"keep no edge that 3 replicates show; lower --min-replicates"):
        cluster(store, ClusterConfig(min_replicates=3))
    store.write("MATCH ()-[d:DEPENDS]->() SET d.kept = false")
    with pytest.raises(MisuseError, match=r"\(layer0, layer1\) keep no edge; infer on more replicates"):
        cluster(store, QUICK)
    link(store)
    with pytest.raises(MisuseError, match="run links0 is of kind links; expected one of kind layer"):
        cluster(store, QUICK, ["links0"])
    assert len(content(store)) > len(before)


def test_what_others_wrote_is_left_alone(store: Store) -> None:
    load(store, 1)
    run, _ = cluster(store, QUICK)
    drop_run(store, run["id"])
    store.write("CREATE (:Community {id: $id + '/0', run: 'village'})", {"id": run["id"]})
    before = content(store)
    with pytest.raises(StoreError, match="that stratigraph did not write; nothing was changed"):
        cluster(store, QUICK)
    assert content(store) == before


def test_as_a_person_types_it(store: Store, address: str, capfd: pytest.CaptureFixture[str]) -> None:
    load(store)
    link(store)
    command = ["cluster", "--scope", "all", "--coupling", "0.5", "--restarts", "2", "--db", address]
    assert stratigraph.main(command) == 0
    said = capfd.readouterr()
    # the last line names the database, whose path may be long
    assert max(map(len, said.out.splitlines()[:-1])) <= 80
    assert "3 communities of 24 features" in said.out
    assert "stratigraph communities --run" in said.out
    assert stratigraph.main([*command, "--format", "json"]) == 0
    again = capfd.readouterr()
    assert "is finished already" in again.err
    row = json.loads(again.out)[0]
    assert (row["communities"], row["config"]["coupling"], len(row["profile"])) == (3, 0.5, 8)
    assert stratigraph.main(["communities", "--db", address, "--format", "csv"]) == 0
    table = pl.read_csv(capfd.readouterr().out.encode())
    assert table.columns == ["id", "scope", "size", "layers", "label", "members"]
    assert table["size"].to_list() == [8, 8, 8]
    assert stratigraph.main(["cluster", "--resolution", "0", "--db", address]) == 2
    assert capfd.readouterr().err.startswith("stratigraph: --resolution is 0; expected a number above 0")
    assert stratigraph.main(["drop", row["id"], "--db", address]) == 0
    assert stratigraph.main(["communities", "--db", address]) == 2


def test_both_servers_hold_the_same(servers: Callable[[str], str]) -> None:
    found = []
    for engine in ("arcadedb", "neo4j"):
        with connect(servers(engine), write=True) as store:
            empty(store)
            load(store)
            link(store)
            run, _ = cluster(store, ClusterConfig(scope="all", restarts=2))
            found.append(_without_time(content(store), run))
            empty(store)
    assert found[0] == found[1]
