"""``stratigraph load``: finished graphs and links into a database."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.commands.database import add_database

if TYPE_CHECKING:
    from analysis.layer_graph import LayerGraph
    from analysis.layer_links import LayerLinks


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb to the command line."""
    parser = commands.add_parser(
        "load",
        help="finished graphs and links into a database",
        description="Load graphs, and links between layers, into a database. Loading twice equals loading "
        "once, and a load that was killed is completed by the same command.",
        epilog="example: stratigraph load graphs/0 graphs/1 links/0-1 --db graph.db",
    )
    parser.add_argument(
        "paths",
        type=Path,
        nargs="+",
        metavar="DIR",
        help="what infer made, or a directory of links (link keeps those in its --work)",
    )
    add_database(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from graphdb.commands.fetching import fetch_for  # noqa: PLC0415  the store is imported when it is needed
    from graphdb.graph_directory import read_graph  # noqa: PLC0415
    from graphdb.links_directory import is_links, read_links  # noqa: PLC0415
    from graphdb.load import is_much, load_graph, row_count  # noqa: PLC0415
    from graphdb.load_links import load_links  # noqa: PLC0415
    from graphdb.store import connect  # noqa: PLC0415
    from ingest.progress import progress  # noqa: PLC0415

    # all are read, and so checked, before the first is written
    links = [read_links(path) for path in arguments.paths if is_links(path)]
    graphs = [read_graph(path) for path in arguments.paths if not is_links(path)]
    rows = sum(map(row_count, graphs)) + sum(found.links.height for found in links)
    fetch_for(arguments.db)
    with (
        connect(arguments.db, write=True, create=True, much=is_much(rows)) as store,
        progress("load", rows, unit="rows") as advance,
    ):
        # a link's features are those of the graphs, where these come too
        for graph in graphs:
            load_graph(store, graph, advance)
        for found in links:
            load_links(store, found, advance)
    sys.stdout.write("".join([*map(_said, graphs), *map(_said_of, links)]))
    return 0


def _said(graph: "LayerGraph") -> str:
    return (
        f"run {graph.run.id}: {graph.site.id}, {graph.n_features:,} features, "
        f"{graph.edges.height:,} edges, {graph.kept:,} kept\n"
    )


def _said_of(found: "LayerLinks") -> str:
    return f"run {found.run.id}: {found.lower.id} to {found.upper.id}, {found.links.height:,} links\n"
