"""Whole databases made at random: sites, runs, links, communities, and runs that did not finish."""

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import polars as pl
from hypothesis import strategies as st

from analysis.layer_graph import CONTEXT_COLUMNS, TOP_TOKENS, LayerGraph
from graphdb.load import load_graph
from graphdb.store import Store
from tests.graphdb.small_graphs import planted

Row = dict[str, Any]

LAYERS = {"aaaa": 0, "bbbb": 0, "cccc": 1, "dddd": 2}
"""The complete runs over a layer and the layer of each; of the first two ``aaaa`` is the newer one."""
CREATED = {"aaaa": "2026-03", "bbbb": "2026-02", "cccc": "2026-02", "dddd": "2026-01", "eeee": "2026-09"}
LINK_RUNS = {
    "kkkk": (0, 1, "2026-02", True),
    "llll": (0, 1, "2026-04", True),
    "mmmm": (1, 2, "2026-01", True),
}
"""The two layers of each run of links, when it was made, and whether it is complete."""
UNFINISHED = "eeee"
_MOSTLY = st.sampled_from([True, True, True, False])
LETTERS = 'abnu0"\\\n\t\x00\x1f{}[],:é'
"""What tokens are made of: all that could be mistaken where nested values are text."""


def primes() -> Iterator[int]:
    """The primes: no two products of their logarithms are equal, so "the best" is one path."""
    return (n for n in itertools.count(2) if all(n % d for d in range(2, math.isqrt(n) + 1)))


@dataclass
class World:
    """What a database holds, as plain rows."""

    graphs: list[LayerGraph]
    links: list[Row] = field(default_factory=list)
    measures: bool = True
    """Whether runs say how large their weights are."""
    communities: list[Row] = field(default_factory=list)

    @cached_property
    def runs(self) -> list[Row]:
        """Every run, newest first."""
        rows = [
            {
                **{"id": graph.run.id, "kind": "layer", "procedure": graph.run.procedure},
                **{"sites": [graph.site.id], "created": graph.run.created},
                "complete": graph.run.id != UNFINISHED,
            }
            for graph in self.graphs
        ]
        for name, (low, high, created, complete) in LINK_RUNS.items():
            sites = [f"tiny/{low}-sae", f"tiny/{high}-sae"]
            rows.append(
                {"id": name, "kind": "links", "sites": sites, "created": created, "complete": complete}
            )
        sites = sorted({graph.site.id for graph in self.graphs})
        for name, created, complete in (
            ("xxxx", "2026-05", True),
            ("yyyy", "2026-06", True),
            ("zzzz", "2026-07", False),
        ):
            if any(row["run"] == name for row in self.communities):
                rows.append(
                    {
                        "id": name,
                        "kind": "communities",
                        "sites": sites,
                        "created": created,
                        "complete": complete,
                    }
                )
        return sorted(rows, key=lambda row: (row["created"], row["id"]), reverse=True)

    @cached_property
    def features(self) -> dict[str, Row]:
        """Every feature by id."""
        found: dict[str, Row] = {}
        for graph in self.graphs:
            for row in graph.features.iter_rows(named=True):
                name = graph.site.feature_id(row["index"])
                found[name] = {
                    **{"id": name, "site": graph.site.id, "layer": graph.site.layer},
                    **{"index": row["index"], "label": row["label"], "neuronpedia": name},
                }
        return found

    @cached_property
    def measured(self) -> list[Row]:
        """What each run measured of each feature, words nested."""
        rows = []
        for graph in self.graphs:
            contexts: dict[int, list[Row]] = {}
            assert graph.contexts is not None
            for row in graph.contexts.sort("feature", "rank").iter_rows(named=True):
                contexts.setdefault(row.pop("feature"), []).append(row)
            for row in graph.features.iter_rows(named=True):
                rows.append(
                    {
                        **row,
                        "run": graph.run.id,
                        "id": graph.site.feature_id(row["index"]),
                        "contexts": contexts.get(row["index"], []),
                    }
                )
        return rows

    @cached_property
    def edges(self) -> list[Row]:
        """Every edge of every run."""
        return [
            {
                **row,
                "run": graph.run.id,
                "kind": "DEPENDS",
                **{"from": row["source"], "to": row["target"]},
                "source": graph.site.feature_id(row["source"]),
                "target": graph.site.feature_id(row["target"]),
            }
            for graph in self.graphs
            for row in graph.edges.iter_rows(named=True)
        ]

    def largest(self, run: str) -> float:
        """The size of the largest weight of what is kept of a run."""
        rows = [*self.edges, *self.links]
        return max((abs(row["weight"]) for row in rows if row["run"] == run and row["kept"]), default=0.0)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Three small layers, the first measured twice and once more by a run that did not finish."""
    sizes = {0: draw(st.integers(3, 5)), 1: draw(st.integers(2, 4)), 2: draw(st.integers(2, 3))}
    numbers = primes()
    scale = draw(st.sampled_from([0.25, 1.0]))

    def weight() -> float:
        return draw(st.sampled_from([-1, 1])) * scale * math.log(next(numbers))

    graphs = [
        _graph(draw, run, layer, sizes[layer], weight) for run, layer in {**LAYERS, UNFINISHED: 0}.items()
    ]
    world = World(graphs, measures=draw(st.booleans()))
    names = {layer: [f"tiny/{layer}-sae/{i}" for i in range(size)] for layer, size in sizes.items()}
    share = st.one_of(st.none(), st.floats(0, 1))
    for run, (low, high, _, _) in LINK_RUNS.items():
        pairs = list(itertools.product(names[low], names[high], ("CARRIES", "DRIVES")))
        for source, target, kind in draw(
            st.lists(st.sampled_from(pairs), unique=True, min_size=4, max_size=8)
        ):
            row = {"run": run, "source": source, "target": target, "kind": kind, "weight": weight()}
            for name in (
                "partial_correlation",
                "q_value",
                "decoder_cosine",
                "virtual_weight",
                "carried_share",
            ):
                row[name] = draw(share)
            world.links.append(row | {"ablation_effect": draw(share), "kept": True})
    everything = [name for group in names.values() for name in group]
    for run in ("xxxx", "yyyy", "zzzz"):
        for at in range(draw(st.integers(0 if run != "xxxx" else 1, 3))):
            members = draw(st.lists(st.sampled_from(everything), unique=True, min_size=1))
            world.communities.append(
                {
                    **{"id": f"{run}/{at}", "run": run, "scope": "all", "size": len(members)},
                    **{"label": f"group {at}", "members": members},
                }
            )
    return world


def _graph(draw: st.DrawFn, run: str, layer: int, size: int, weight: Callable[[], float]) -> LayerGraph:
    pairs = list(itertools.combinations(range(size), 2))
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True, min_size=len(pairs) // 2, max_size=8))
    edges = [(source, target, weight()) for source, target in chosen]
    made = planted(
        size,
        edges,
        layer=layer,
        run=run,
        created=CREATED[run],
        procedure=draw(st.sampled_from(["published", "calibrated"])),
        seed=draw(st.integers(0, 3)),
        word=f"W{layer}",
    )
    text = st.text(LETTERS, min_size=1, max_size=4)
    tokens = [[{"token": draw(text), "share": 0.5}, {"token": " x", "share": 0.25}] for _ in range(size)]
    contexts = [
        {
            "feature": i,
            "rank": r,
            "value": 2.0 - r,
            "left": draw(text),
            "token": draw(text),
            "right": draw(text),
        }
        for i in range(size)
        for r in range(draw(st.integers(0, 2)))
    ]
    share, m = st.one_of(st.none(), st.floats(0, 1)), len(edges)
    columns = {
        name: pl.Series(name, [draw(share) for _ in range(m)], dtype=pl.Float64)
        for name in ("q_value", "q_shuffle", "partial_correlation", "decoder_cosine")
    }
    return replace(
        made,
        features=made.features.with_columns(
            pl.Series("top_tokens", tokens, dtype=TOP_TOKENS),
            pl.Series("activations", [draw(st.sampled_from([0, 7])) for _ in range(size)], dtype=pl.Int64),
            mean_activation=pl.lit(1.5),
        ),
        edges=made.edges.with_columns(
            *columns.values(), pl.Series("kept", [draw(_MOSTLY) for _ in range(m)], dtype=pl.Boolean)
        ),
        contexts=pl.DataFrame(contexts, schema=dict(CONTEXT_COLUMNS)),
    )


def plant(store: Store, world: World) -> None:
    """Write a world into an empty database."""
    for graph in world.graphs:
        load_graph(store, graph)
    store.write("MATCH (r:Run {id: $run}) SET r.complete = false", {"run": UNFINISHED})
    for run in world.runs:
        if run["kind"] != "layer":
            store.write(
                "CREATE (r:Run {id: $id, kind: $kind, created: $created, complete: $complete}) "
                "WITH r UNWIND $sites AS id MATCH (s:Site {id: id}) CREATE (r)-[:OF]->(s)",
                run,
            )
    if not world.measures:
        store.write("MATCH (r:Run) REMOVE r.largest_weight")
    for run in world.runs:
        if world.measures and run["kind"] != "layer":
            largest = {"run": run["id"], "largest": world.largest(run["id"])}
            store.write("MATCH (r:Run {id: $run}) SET r.largest_weight = $largest", largest)
    for name, counts in flows(world).items():
        store.write("MATCH (r:Run {id: $run}) SET r += $numbers", {"run": name, "numbers": counts})
    for kind in ("CARRIES", "DRIVES"):
        ends = ("source", "target", "kind")
        rows: list[Row] = [
            {
                **{"source": row["source"], "target": row["target"]},
                "properties": {k: v for k, v in row.items() if k not in ends and v is not None},
            }
            for row in world.links
            if row["kind"] == kind
        ]
        store.write_rows(
            "UNWIND $rows AS row MATCH (a:Feature {id: row.source}) MATCH (b:Feature {id: row.target}) "
            f"CREATE (a)-[l:{kind}]->(b) SET l += row.properties",
            rows,
        )
    for row in world.communities:
        store.write(
            "CREATE (c:Community {id: $id, run: $run, scope: $scope, size: $size, label: $label}) "
            "WITH c UNWIND $members AS id MATCH (f:Feature {id: id}) CREATE (f)-[:MEMBER_OF]->(c)",
            row,
        )


def whole_numbers(graph: LayerGraph) -> dict[str, list[int]]:
    """What a load stores on the run: distributions and components, counted one by one."""
    kept = [row for row in graph.edges.iter_rows(named=True) if row["kept"]]
    degree = Counter(end for row in kept for end in (row["source"], row["target"]))
    degrees = Counter(degree[index] for index in range(graph.n_features))
    stored = Counter(graph.edges["replicates"].to_list())
    passed = Counter(row["replicates"] for row in kept)
    parts: list[set[int]] = []
    for row in kept:
        ends = {row["source"], row["target"]}
        touched = [part for part in parts if part & ends]
        parts = [part for part in parts if not part & ends] + [ends.union(*touched)]
    sizes = [(len(part), sum(row["source"] in part for row in kept), min(part)) for part in parts]
    sizes.sort(key=lambda item: (-item[0], -item[1], item[2]))
    return {
        "degrees": sorted(degrees),
        "degree_features": [degrees[d] for d in sorted(degrees)],
        "replicate_counts": sorted(stored),
        "replicate_edges": [stored[r] for r in sorted(stored)],
        "replicate_kept": [passed[r] for r in sorted(stored)],
        "components": [lowest for _, _, lowest in sizes],
        "component_sizes": [size for size, _, _ in sizes],
        "component_edges": [edges for _, edges, _ in sizes],
    }


def flows(world: World) -> dict[str, dict[str, int]]:
    """How many features each run of links carries, makes and loses."""
    return {
        run: {fate: len(fated(world, run, fate)) for fate in ("carried", "made", "gone")} for run in LINK_RUNS
    }


def fated(world: World, run: str, fate: str) -> list[str]:
    """The features of one fate between two layers, of those that fire."""
    low, high, _, _ = LINK_RUNS[run]
    layer, end = (low, "source") if fate == "gone" else (high, "target")
    fires = {row["id"] for row in world.measured if row["activations"] and row["run"] != UNFINISHED}
    linked = {row[end] for row in world.links if row["run"] == run and row["kind"] == "CARRIES"}
    names = [name for name, row in world.features.items() if row["layer"] == layer and name in fires]
    return [name for name in names if (name in linked) == (fate == "carried")]
