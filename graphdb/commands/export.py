"""``stratigraph export``: graph directories as files for other tools."""

import argparse
import sys
from pathlib import Path

FORMATS = ("neo4j-admin",)


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb to the command line."""
    parser = commands.add_parser(
        "export",
        help="graph directories as files for other tools",
        description="Write graphs as files for another tool. neo4j-admin: CSV files of nodes and "
        "relationships, and the options to import them into a Neo4j that holds nothing yet, the fastest way "
        "for millions of rows; `stratigraph db import` does so for a directory of ours.",
        epilog="example: stratigraph export graphs/0 graphs/1 --to neo4j-admin --out import",
    )
    parser.add_argument("graphs", type=Path, nargs="+", metavar="GRAPH_DIR", help="a graph directory")
    parser.add_argument("--to", choices=FORMATS, required=True, help="the tool")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="where the files go; absent or empty"
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from analysis.errors import MisuseError  # noqa: PLC0415  the tables are imported when they are needed
    from graphdb.admin_import import write_import  # noqa: PLC0415
    from graphdb.graph_directory import read_graph  # noqa: PLC0415

    out: Path = arguments.out
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise MisuseError(f"--out {out} is there and not empty; name a directory that is absent")
    graphs = [read_graph(path) for path in arguments.graphs]
    write_import(out, graphs)
    size = sum(file.stat().st_size for file in out.iterdir())
    sys.stdout.write(
        f"{out}: {len(graphs)} graphs, {size / 1e6:,.1f} MB. With the Neo4j stopped, in that folder:\n"
        "  neo4j-admin database import full neo4j @import.args\n"
        "(--overwrite-destination as well, to replace what it holds), then start it and\n"
        "  cypher-shell --file finish.cypher\n"
        "or, for a new directory of ours:\n"
        f"  stratigraph db import --from {out} --db DIR\n"
    )
    return 0
