"""Load a world by one of our ways, with the seconds of each part of it."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import polars as pl

from bench.store.world import World
from graphdb.admin_import import write_import
from graphdb.cypher import statement
from graphdb.engines.arcadedb_batch import Batch
from graphdb.load import load_graph
from graphdb.load_links import write_links
from graphdb.store import Store

APART = {"IN", "MEASURED_IN", "load_measurements"}
"""Parts that are told apart: which features are in a site, and what was measured of them."""
_NAMES = {
    statement(name): name for name in ("load_features", "load_measurements", "load_edges", "label_features")
}


def load(store: Store, made: World) -> dict[str, float]:
    """Load layer graphs and links; returns the seconds by part, and of the ``whole``."""
    seconds: dict[str, float] = defaultdict(float)
    with (
        _watched(Store, "write_rows", lambda args: _NAMES.get(args[0], "links"), seconds),
        _watched(Store, "write_together", lambda _: "label_features", seconds),
        _watched(Batch, "nodes", lambda args: args[0], seconds),
        _watched(Batch, "relationships", lambda args: args[0], seconds),
    ):
        began = time.perf_counter()
        for graph in made.graphs:
            load_graph(store, graph)
        for links in made.links:
            _load_links(store, links)
        seconds["whole"] = time.perf_counter() - began
    return seconds


def _load_links(store: Store, links: pl.DataFrame) -> None:
    store.write(
        "MERGE (r:Run {id: $id}) SET r.kind = 'links', r.complete = true, r.largest_weight = $largest, "
        "r.created = '2026-01-01T00:00:00Z' "
        "WITH r UNWIND $sites AS id MATCH (s:Site {id: id}) MERGE (r)-[:OF]->(s)",
        {
            "id": links["run"][0],
            "largest": links["weight"].abs().max(),
            "sites": [links[end][0].rpartition("/")[0] for end in ("source", "target")],
        },
    )
    tables = {
        str(kind): some
        for (kind,), some in links.partition_by("kind", as_dict=True, include_key=False).items()
    }
    with store.loading(lambda: True) as bulk:
        write_links(store, bulk, tables)


def write_files(out: Path, made: World) -> None:
    """Write the files of an import, links too."""
    write_import(out, made.graphs)
    more = []
    for place, links in enumerate(made.links):
        for (kind,), some in links.partition_by("kind", as_dict=True, include_key=False).items():
            types = {name: f"{name}:double" for name in some.columns if some[name].dtype == pl.Float64}
            name = f"links-{place}-{kind}.csv"
            header = {"source": ":START_ID(Feature)", "target": ":END_ID(Feature)", **types}
            some.rename(header).write_csv(out / name, quote_style="non_numeric")
            more.append(f"--relationships={kind}={name}\n")
    with (out / "import.args").open("a") as arguments:
        arguments.writelines(more)


def leave_out_apart(out: Path) -> None:
    """Take IN and MEASURED_IN out of an import."""
    lines = (out / "import.args").read_text().splitlines()
    left = [line for line in lines if line.split("=")[1] not in APART]
    (out / "import.args").write_text("".join(f"{line}\n" for line in left))


@contextmanager
def _watched(
    kind: type[Any], name: str, called: Callable[[tuple[Any, ...]], str], seconds: dict[str, float]
) -> Iterator[None]:
    """Count the seconds of a method by what it is called with."""
    method = getattr(kind, name)

    def timed(self: object, *args: Any, **more: Any) -> Any:  # noqa: ANN401  any method
        began = time.perf_counter()
        try:
            return method(self, *args, **more)
        finally:
            seconds[called(args)] += time.perf_counter() - began

    with mock.patch.object(kind, name, timed):
        yield
