"""Time what is merged over the driver against the rows of a batch, on both engines.

    python -m bench.store.batches

One layer of 16,384 features with 60,000 edges is merged into an empty directory, once for each size
of batch; seconds of features, measurements, edges and labels together.
"""

import shutil
import tempfile
import time
from functools import partialmethod
from pathlib import Path
from unittest import mock

from bench.store.world import world
from graphdb import load, server
from graphdb.directory import create_directory
from graphdb.engines import engine_called
from graphdb.store import BATCH, Store, answers, connect

_SIZES = (500, 1000, 2000, 5000, 10_000)


def main() -> None:
    """Load, print."""
    (graph,) = world(1, 16_384, 60_000, 0).graphs
    print(f"seconds by rows of a batch; {BATCH:,} is used")
    for engine in ("arcadedb", "neo4j"):
        engine_called(engine).fetch(lambda _: None)
        for size in _SIZES:
            where = Path(tempfile.mkdtemp()) / "graph.db"
            directory = create_directory(where, engine)
            server.acquire(directory, answers, outlive=True).release()
            with (
                connect(where, write=True) as store,
                mock.patch.object(load, "is_new", return_value=False),
                mock.patch.object(Store, "write_rows", partialmethod(Store.write_rows, batch=size)),
            ):
                began = time.perf_counter()
                load.load_graph(store, graph)
                print(f"{engine:<9} {size:>6,} {time.perf_counter() - began:6.1f} s", flush=True)
            server.end_if_unused(directory)
            shutil.rmtree(where.parent)


if __name__ == "__main__":
    main()
