"""``stratigraph drop``: a run out of a database."""

import argparse
import sys

from ingest.commands.database import add_database


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb to the command line."""
    parser = commands.add_parser(
        "drop",
        help="a run out of a database",
        description="Delete a run from a database, and the features and sites that nothing else there knows. "
        "A drop that was killed is completed by the same command.",
        epilog="example: stratigraph drop 3fa91c02 --db graph.db",
    )
    parser.add_argument("of", metavar="RUN", help="the run's id, or a unique beginning of it")
    add_database(parser, made=False)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from graphdb.load import drop_run  # noqa: PLC0415  the store is imported when it is needed
    from graphdb.runs import find_run  # noqa: PLC0415
    from graphdb.store import connect  # noqa: PLC0415

    with connect(arguments.db, write=True) as store:
        run = find_run(store, arguments.of, kind=None, whole=False)
        drop_run(store, run["id"])
    sys.stdout.write(f"dropped run {run['id']} of {', '.join(run['sites'])}\n")
    return 0
