"""A graph that was loaded answers for its whole at once, as counting its edges one by one does."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl
import pytest

from analysis.layer_graph import LayerGraph
from graphdb.load import load_graph
from graphdb.store import Row, Store
from queries.ask import query
from tests.graphdb.small_graphs import planted
from tests.queries.worlds import whole_numbers

RUN = {"run": "aaaa00000001"}
NUMBERS = "MATCH (r:Run {id: $run}) RETURN properties(r) AS numbers"


def all_kept(graph: LayerGraph) -> LayerGraph:
    return replace(graph, edges=graph.edges.with_columns(kept=pl.lit(True)))


GRAPHS = {
    "a ring of which some is kept": planted(12),
    "components of a size": all_kept(
        planted(13, [(a, b, -0.5 - a) for a, b in [(0, 1), (2, 3), (3, 4), (5, 6), (5, 7), (6, 7), (8, 9)]])
    ),
    "no edges": planted(4, []),
    "nothing kept": replace(planted(5), edges=planted(5).edges.with_columns(kept=pl.lit(False))),
    "one feature": planted(1, []),
}


def rows(columns: Mapping[str, Sequence[object]]) -> list[Row]:
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


@pytest.mark.parametrize("graph", GRAPHS.values(), ids=list(GRAPHS))
def test_a_loaded_graph_answers_for_its_whole(store: Store, reader: Store, graph: LayerGraph) -> None:
    load_graph(store, graph)
    counted = whole_numbers(graph)
    degrees = {"degree": counted["degrees"], "features": counted["degree_features"]}
    assert query(reader, "degrees", RUN) == rows(degrees)
    replicates = {
        "replicates": counted["replicate_counts"],
        "edges": counted["replicate_edges"],
        "kept": counted["replicate_kept"],
    }
    assert query(reader, "replicate_counts", RUN) == rows(replicates)
    label = dict(graph.features.select("index", "label").iter_rows())
    components: dict[str, Sequence[object]] = {
        "id": [f"tiny/0-sae/{lowest}" for lowest in counted["components"]],
        "size": counted["component_sizes"],
        "edges": counted["component_edges"],
        "label": [label[lowest] for lowest in counted["components"]],
    }
    assert query(reader, "components", {**RUN, "limit": 0}) == rows(components)


@pytest.mark.parametrize("graph", GRAPHS.values(), ids=list(GRAPHS))
def test_the_largest_weight_is_that_of_the_kept_edges(store: Store, graph: LayerGraph) -> None:
    load_graph(store, graph)
    kept = [abs(row["weight"]) for row in graph.edges.iter_rows(named=True) if row["kept"]]
    assert store.read(NUMBERS, RUN)[0]["numbers"]["largest_weight"] == max(kept, default=0.0)


def test_a_run_that_was_loaded_without_the_numbers_has_them_when_it_is_loaded_again(store: Store) -> None:
    graph = planted(12)
    load_graph(store, graph)
    before = store.read(NUMBERS, RUN)
    store.write("MATCH (r:Run) REMOVE r.largest_weight, r.degrees, r.replicate_counts, r.components")
    load_graph(store, graph)
    assert store.read(NUMBERS, RUN) == before


def test_communities_are_indexed_by_their_run(store: Store) -> None:
    load_graph(store, planted(3))
    store.write("UNWIND range(0, 9) AS at CREATE (:Community {id: toString(at), run: toString(at % 3)})")
    store.write("CREATE (:Community {id: 'of no run'})")
    found = store.read("MATCH (c:Community {run: '1'}) RETURN c.id AS id ORDER BY id")
    assert found == [{"id": "1"}, {"id": "4"}, {"id": "7"}]
    assert store.read("MATCH (c:Community) WHERE c.run IS NULL RETURN count(c) AS n") == [{"n": 1}]
