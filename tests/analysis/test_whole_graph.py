"""Numbers of whole graphs equal those counted one by one."""

from collections import Counter
from dataclasses import replace

import networkx as nx
import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from analysis.layer_graph import EDGE_COLUMNS
from analysis.whole_graph import WholeGraph, whole_graph

N = 16
Edge = tuple[int, int, float, int | None, bool]
COLUMNS = ("source", "target", "weight", "replicates", "kept")


def frame(edges: list[Edge]) -> pl.DataFrame:
    return pl.DataFrame(edges, schema={name: EDGE_COLUMNS[name] for name in COLUMNS}, orient="row")


def plainly(edges: list[Edge], n_features: int) -> WholeGraph:
    kept = [edge for edge in edges if edge[4]]
    graph = nx.Graph()
    graph.add_nodes_from(range(n_features))
    graph.add_edges_from((source, target) for source, target, *_ in kept)
    degrees = Counter(degree for _, degree in graph.degree)
    stored = Counter(seen for *_, seen, _ in edges if seen is not None)
    passed = Counter(seen for *_, seen, _ in kept)
    parts = [graph.subgraph(part) for part in nx.connected_components(graph) if len(part) > 1]
    rows = sorted((-len(part), -part.number_of_edges(), min(part)) for part in parts)
    return WholeGraph(
        largest_weight=max((abs(weight) for _, _, weight, *_ in kept), default=0.0),
        degrees=sorted(degrees),
        degree_features=[degrees[degree] for degree in sorted(degrees)],
        replicate_counts=sorted(stored),
        replicate_edges=[stored[count] for count in sorted(stored)],
        replicate_kept=[passed[count] for count in sorted(stored)],
        components=[lowest for _, _, lowest in rows],
        component_sizes=[-size for size, _, _ in rows],
        component_edges=[-inside for _, inside, _ in rows],
    )


@st.composite
def graphs(draw: st.DrawFn) -> list[Edge]:
    """Edges between near features, so that there are several components."""
    near = [(low, low + step) for low in range(N) for step in (1, 2, 3) if low + step < N]
    return [
        (low, high, draw(st.floats(-5, 5)), draw(st.none() | st.integers(0, 4)), draw(st.booleans()))
        for low, high in draw(st.lists(st.sampled_from(near), unique=True, max_size=14))
    ]


@given(graphs())
def test_numbers_equal_those_counted_one_by_one(edges: list[Edge]) -> None:
    assert whole_graph(frame(edges), N) == plainly(edges, N)


@given(graphs(), st.integers(0, 99))
def test_the_order_of_edges_is_nothing(edges: list[Edge], seed: int) -> None:
    mixed = [edges[at] for at in np.random.default_rng(seed).permutation(len(edges))]
    assert whole_graph(frame(mixed), N) == whole_graph(frame(edges), N)


@given(graphs())
def test_edges_that_are_not_kept_change_the_counts_of_replicates_alone(edges: list[Edge]) -> None:
    found, bare = whole_graph(frame(edges), N), whole_graph(frame([edge for edge in edges if edge[4]]), N)
    counts = {
        name: getattr(found, name) for name in ("replicate_counts", "replicate_edges", "replicate_kept")
    }
    assert replace(bare, **counts) == found


def test_without_edges_every_feature_is_alone() -> None:
    assert whole_graph(frame([]), 3) == WholeGraph(0.0, [0], [3], [], [], [], [], [], [])


def test_components_of_a_size_stand_by_edges_then_by_lowest_feature() -> None:
    pairs = [(0, 1), (2, 3), (3, 4), (5, 6), (5, 7), (6, 7), (8, 9), (9, 10)]
    found = whole_graph(frame([(low, high, -2.0, 1, True) for low, high in pairs]), 12)
    assert found.components == [5, 2, 8, 0]
    assert found.component_sizes == [3, 3, 3, 2]
    assert found.component_edges == [3, 2, 2, 1]
    assert (found.degrees, found.degree_features) == ([0, 1, 2], [1, 6, 5])
    assert found.largest_weight == 2.0
