"""Neighbours on the real server equal those of a plain walk over the table."""

import math
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.errors import MisuseError
from analysis.layer_graph import LayerGraph
from graphdb.load import load_graph
from graphdb.store import Store
from queries.neighbors import NEIGHBOR_COLUMNS, Filters, Row, neighbors
from tests.graphdb.small_graphs import planted
from tests.graphdb.stores import empty


def passes(edge: Row, filters: Filters, q: str) -> bool:
    """Whether one edge is followed, said as plainly as can be."""
    if not filters.everything and not edge["kept"]:
        return False
    if filters.min_replicates is not None and edge["replicates"] < filters.min_replicates:
        return False
    if filters.max_q is not None and (edge[q] is None or edge[q] > filters.max_q):
        return False
    return filters.min_partial is None or (
        edge["partial_correlation"] is not None and abs(edge["partial_correlation"]) >= filters.min_partial
    )


def walk(graph: LayerGraph, start: int, hops: int, filters: Filters) -> list[Row]:
    """Try every path of every length; the oracle."""
    q = "q_value" if graph.run.procedure == "calibrated" else "q_shuffle"
    edges = [edge for edge in graph.edges.iter_rows(named=True) if passes(edge, filters, q)]
    labels = dict(graph.features.select("index", "label").iter_rows())
    best: dict[int, tuple[int, float, Row, int]] = {}
    paths: list[tuple[list[int], float, Row]] = [([start], 1.0, {})]
    for hop in range(1, hops + 1):
        longer = []
        for path, strength, _ in paths:
            for edge in edges:
                if path[-1] not in {edge["source"], edge["target"]}:
                    continue
                other = edge["target"] if path[-1] == edge["source"] else edge["source"]
                if other not in path:
                    longer.append(([*path, other], strength * abs(edge["weight"]), edge))
        paths = longer
        for path, strength, edge in paths:
            known = best.get(path[-1])
            if known is None or (known[0] == hop and strength > known[1]):
                best[path[-1]] = (hop, strength, edge, path[-2])
    rows = [
        {
            **{**edge, "id": graph.site.feature_id(index), "hops": hop, "label": labels[index]},
            "through": graph.site.feature_id(before),
        }
        for index, (hop, _, edge, before) in best.items()
    ]
    rows.sort(key=lambda row: (row["hops"], -abs(row["weight"]), row["id"]))
    return [{name: row[name] for name in (*NEIGHBOR_COLUMNS, "through")} for row in rows]


@st.composite
def graphs(draw: st.DrawFn) -> LayerGraph:
    """Small graphs with distinct strengths, kept and not, with and without a value for each q."""
    n = draw(st.integers(2, 7))
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n)]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=12))
    # logarithms of primes: no two products along paths are equal, so "the strongest" is one path
    primes = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)
    signs = draw(st.lists(st.sampled_from([-1.0, 1.0]), min_size=12, max_size=12))
    edges = [(i, j, signs[k] * math.log(primes[k])) for k, (i, j) in enumerate(chosen)]
    graph = planted(n, edges, procedure=draw(st.sampled_from(["published", "calibrated"])))
    m = len(edges)
    share = st.one_of(st.none(), st.floats(0, 1))
    columns = {
        "q_value": draw(st.lists(share, min_size=m, max_size=m)),
        "q_shuffle": draw(st.lists(share, min_size=m, max_size=m)),
        "partial_correlation": draw(st.lists(st.one_of(st.none(), st.floats(-1, 1)), min_size=m, max_size=m)),
    }
    made = [pl.Series(name, values, dtype=pl.Float64) for name, values in columns.items()]
    return replace(graph, edges=graph.edges.with_columns(made))


@given(
    graph=graphs(),
    hops=st.integers(1, 3),
    filters=st.builds(
        Filters,
        st.booleans(),
        st.one_of(st.none(), st.integers(2, 4)),
        st.one_of(st.none(), st.floats(0, 1)),
        st.one_of(st.none(), st.floats(0, 1)),
    ),
)
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
def test_neighbors_equal_the_oracle(store: Store, graph: LayerGraph, hops: int, filters: Filters) -> None:
    empty(store)
    load_graph(store, graph)
    for start in range(graph.n_features):
        found = neighbors(store, graph.site.feature_id(start), hops=hops, filters=filters)
        assert found == walk(graph, start, hops, filters)


def test_a_run_is_asked_alone(store: Store) -> None:
    load_graph(store, planted(4, [(0, 1, 1.0)], run="old", seed=5))
    load_graph(store, planted(4, [(0, 2, 1.0)], run="new", seed=5, created="2027-01-01T00:00:00Z"))
    everything = Filters(everything=True)
    assert [row["id"] for row in neighbors(store, "tiny/0-sae/0", filters=everything)] == ["tiny/0-sae/2"]
    assert [row["id"] for row in neighbors(store, "tiny/0-sae/0", "old", filters=everything)] == [
        "tiny/0-sae/1"
    ]


def test_limits(store: Store) -> None:
    load_graph(store, planted(6, [(0, i, float(i)) for i in range(1, 6)]))
    everything = Filters(everything=True)
    every = neighbors(store, "tiny/0-sae/0", filters=everything)
    assert [row["weight"] for row in every] == [5, 4, 3, 2, 1]
    assert neighbors(store, "tiny/0-sae/0", filters=everything, limit=2) == every[:2]
    assert neighbors(store, "tiny/0-sae/0", filters=everything, limit=0) == every
    for bad, said in (({"hops": 0}, "--hops is 0"), ({"limit": -1}, "limit is -1")):
        with pytest.raises(MisuseError, match=said):
            neighbors(store, "tiny/0-sae/0", **bad)  # type: ignore[arg-type]
