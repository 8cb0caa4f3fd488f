"""The option that names the database, for the verbs of this room."""

import argparse
import os


def add_database(parser: argparse.ArgumentParser) -> None:
    """Add ``--db``: a directory or URL, else ``$STRATIGRAPH_DB``, else ``graph.db``."""
    parser.add_argument(
        "--db",
        default=os.environ.get("STRATIGRAPH_DB") or "graph.db",
        metavar="URL",
        help="a directory of ours, made if absent, or bolt://HOST:PORT ($STRATIGRAPH_DB, else ./graph.db)",
    )
