"""Time paths and lineages over as many layers as a model has: 26 layers of 16,384 features.

    python -m bench.store.stack
    python -m bench.store.stack --layers 6 --features 4096 --engine arcadedb neo4j

Edges and links are as dense as the edges of ``bench.store``, and links join neighbouring layers. A fresh
directory is loaded and asked, of features on lines of links from the first layer to the last.
"""

import argparse
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from bench.store.loading import load
from bench.store.timing import answer_times, say
from bench.store.world import World, world
from graphdb import server
from graphdb.directory import create_directory
from graphdb.engines import engine_called
from graphdb.store import Store, answers, connect
from queries.paths import Route, lineage, paths

_LINKS = ("CARRIES", "DRIVES")
_A_FEATURE = 1_000_000 / (4 * 131_072)
"""Edges of a feature, and links, as of the edges of ``bench.store``."""
_PATIENT = 600.0
"""Seconds that an answer may take: how long it does is what is asked."""


def main() -> None:
    """Load, ask, print."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.store.stack",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--engine", choices=("arcadedb", "neo4j"), nargs="+", default=["arcadedb"])
    parser.add_argument("--layers", type=int, default=26, help="3 or more")
    parser.add_argument("--features", type=int, default=16_384, help="of a layer")
    parser.add_argument("--asked", type=int, default=20, help="features that each question is about")
    options = parser.parse_args()
    edges = round(_A_FEATURE * options.layers * options.features)
    made = world(options.layers, options.features, edges, edges * (options.layers - 1) // options.layers)
    counts = sum(graph.edges.height for graph in made.graphs), sum(frame.height for frame in made.links)
    print(
        f"{options.layers} layers x {options.features:,} features, {counts[0]:,} edges, {counts[1]:,} links"
    )
    for name in options.engine:
        with tempfile.TemporaryDirectory() as scratch:
            _one(name, made, Path(scratch) / "graph.db", options.asked)


def _one(name: str, made: World, where: Path, asked: int) -> None:
    print(f"\n{name}")
    engine_called(name).fetch(lambda _: None)
    directory = create_directory(where, name)
    server.acquire(directory, answers, outlive=True).release()
    try:
        with connect(where, write=True) as store:
            print(f"load                                 {load(store, made)['whole']:8.1f} s")
        with connect(where) as store:
            _ask(store, made, asked)
    finally:
        server.end_if_unused(directory)


def _ask(store: Store, made: World, asked: int) -> None:
    rng = np.random.default_rng(1)
    last = len(made.links)
    whole = on_whole_lines(made.links)
    first, between = (rng.choice(whole[at], asked).tolist() for at in (0, last // 2))
    end = str(made.links[-1]["target"].value_counts(sort=True)["target"][0])

    def ask(what: str, question: Callable[[str], list[dict[str, object]]], features: list[str]) -> None:
        rows: list[int] = []
        found = answer_times(lambda feature: rows.append(len(question(feature))), features, warm=1)
        say(f"{what}, {np.median(rows):,.0f} rows", found)

    def route(kinds: tuple[str, ...], least: int, most: int, weight: float = 0.0) -> Route:
        return Route(kinds=kinds, min_hops=least, max_hops=most, min_weight=weight)

    def along(way: Route, to: str | None = None) -> Callable[[str], list[dict[str, object]]]:
        return lambda feature: paths(store, feature, to, way, timeout=_PATIENT)

    def line(weight: float) -> Callable[[str], list[dict[str, object]]]:
        return lambda feature: lineage(store, feature, min_weight=weight, timeout=_PATIENT)

    ask("paths, 2 links", along(route(_LINKS, 2, 2)), first)
    ask("paths, 5 links", along(route(_LINKS, 5, 5)), first)
    ask("paths, to 4 edges or links", along(Route()), between)
    ask(f"paths, {last} links", along(route(_LINKS, last, last)), first)
    ask(f"paths, {last} links, to a hub", along(route(_LINKS, last, last), end), first)
    ask("lineage, weights .8 or more", line(0.8), between)
    ask("lineage, weights .5 or more", line(0.5), between)
    ask("lineage, whole", line(0.0), between[: max(1, asked // 4)])


def on_whole_lines(links: Sequence[pl.DataFrame]) -> list[list[str]]:
    """Return, for each layer, the features that lie on a line of links from the first layer to the last."""
    ends: list[pl.Series] = []
    left: list[pl.DataFrame] = []
    for frame in reversed(links):
        left.append(frame.filter(pl.col("target").is_in(ends[-1].implode())) if ends else frame)
        ends.append(left[-1]["source"].unique())
    found = [ends[-1]]
    for frame in reversed(left):
        found.append(frame.filter(pl.col("source").is_in(found[-1].implode()))["target"].unique())
    return [names.sort().to_list() for names in found]


if __name__ == "__main__":
    main()
