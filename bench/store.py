"""Time loading graphs and asking them, in a fresh database directory of ours.

    python -m bench.store demo/graphs/calibrated/[0-3]

Loads the graph directories through the driver, asks for the neighbours of 200 random features, one hop and
two, in the running server, and times the command line on the running and on the stopped directory.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from graphdb.graph_directory import read_graph
from graphdb.load import load_graph, row_count
from graphdb.store import Store, connect
from queries.neighbors import neighbors


def milliseconds(ask: Callable[[str], object], features: list[str]) -> str:
    """Median and 95th percentile of one answer, after a warm-up of twenty."""
    for feature in features[:20]:
        ask(feature)
    took = []
    for feature in features:
        began = time.perf_counter()
        ask(feature)
        took.append(1e3 * (time.perf_counter() - began))
    return f"median {np.median(took):.1f} ms, 95th percentile {np.quantile(took, 0.95):.1f} ms"


def _neighbors(store: Store, hops: int, feature: str) -> object:
    return neighbors(store, feature, hops=hops)


def main() -> None:
    """Load, ask, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("graphs", type=Path, nargs="+")
    graphs = [read_graph(path) for path in parser.parse_args().graphs]
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as scratch:
        database = str(Path(scratch) / "x.db")
        with connect(database, write=True, create=True) as store:
            began = time.perf_counter()
            for graph in graphs:
                load_graph(store, graph)
            seconds = time.perf_counter() - began
            rows = sum(map(row_count, graphs))
            print(f"loaded {rows:,} rows in {seconds:.1f} s, {rows / seconds:,.0f} a second")
            site = graphs[0].site
            features = [site.feature_id(int(i)) for i in rng.choice(graphs[0].n_features, 200)]
            for hops in (1, 2):
                shown = milliseconds(partial(_neighbors, store, hops), features)
                print(f"neighbours to {hops} hops: {shown}")
            command = [sys.executable, "-m", "stratigraph", "neighbors", features[0], "--db", database]
            for state in ("first", "running"):
                began = time.perf_counter()
                subprocess.run(command, check=True, capture_output=True)
                print(f"the command on a running directory ({state}): {time.perf_counter() - began:.2f} s")
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        print(f"the command on a stopped directory: {time.perf_counter() - began:.2f} s")


if __name__ == "__main__":
    main()
