"""``stratigraph load``: graph directories into a database."""

import argparse
import sys
from pathlib import Path

from ingest.commands.database import add_database


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb to the command line."""
    parser = commands.add_parser(
        "load",
        help="graph directories into a database",
        description="Load graphs into a database. Loading twice equals loading once, and a load that was "
        "killed is completed by the same command.",
        epilog="example: stratigraph load graphs/0 graphs/1 --db graph.db",
    )
    parser.add_argument("graphs", type=Path, nargs="+", metavar="GRAPH_DIR", help="a graph directory")
    add_database(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from graphdb.commands.fetching import fetch_for  # noqa: PLC0415  the store is imported when it is needed
    from graphdb.graph_directory import read_graph  # noqa: PLC0415
    from graphdb.load import is_much, load_graph, row_count  # noqa: PLC0415
    from graphdb.store import connect  # noqa: PLC0415
    from ingest.progress import progress  # noqa: PLC0415

    # all are read, and so checked, before the first is written
    graphs = [read_graph(path) for path in arguments.graphs]
    rows = sum(map(row_count, graphs))
    fetch_for(arguments.db)
    with (
        connect(arguments.db, write=True, create=True, much=is_much(rows)) as store,
        progress("load", rows, unit="rows") as advance,
    ):
        for graph in graphs:
            load_graph(store, graph, advance)
    for graph in graphs:
        sys.stdout.write(
            f"run {graph.run.id}: {graph.site.id}, {graph.n_features:,} features, "
            f"{graph.edges.height:,} edges, {graph.kept:,} kept\n"
        )
    return 0
