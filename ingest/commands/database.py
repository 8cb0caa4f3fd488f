"""The option that names the database, for the verbs of this room."""

import argparse
import os
from pathlib import Path


def add_database(parser: argparse.ArgumentParser, *, made: bool = True) -> None:
    """Add ``--db``: a directory, `made` if absent, or URL, else ``$STRATIGRAPH_DB``, else ``graph.db``."""
    absent = ", made if absent," if made else ""
    parser.add_argument(
        "--db",
        default=os.environ.get("STRATIGRAPH_DB") or "graph.db",
        metavar="URL",
        help=f"a directory of ours{absent} or bolt://HOST:PORT ($STRATIGRAPH_DB, else ./graph.db)",
    )


def can_be_made(where: str) -> bool:
    """Say whether `where` is the path of a directory that is absent or empty.

    Raises
    ------
    MisuseError
        It is absent, and nothing can be made there.
    """
    from analysis.errors import MisuseError  # noqa: PLC0415  the parser is built without it

    path = Path(where).expanduser()
    if "://" in where or (path.exists() and (not path.is_dir() or any(path.iterdir()))):
        return False
    there = next(parent for parent in (path, *path.absolute().parents) if parent.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise MisuseError(f"--db {where} cannot be made: {there} is not writable; name another place")
    return True
