"""``stratigraph demo``: the whole story on the built-in small model, offline."""

import argparse
from pathlib import Path

from ingest.commands.database import add_database


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb to the command line."""
    parser = commands.add_parser(
        "demo",
        help="the whole story on the built-in small model, offline",
        description="Sample, infer and load every layer of the built-in small model, read the graphs against "
        "what its text generator planted, and leave a database to ask.",
        epilog="example: stratigraph demo --replicates 12",
    )
    parser.add_argument(
        "--work", type=Path, default=Path("demo"), metavar="DIR", help="samples and graphs (./demo)"
    )
    parser.add_argument(
        "--replicates", type=int, default=30, metavar="R", help="replicates, and as many nulls (30)"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of every random draw (0)")
    add_database(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from ingest.demo.job import demo  # noqa: PLC0415  torch and numba are imported when they are needed

    demo(arguments.work, arguments.db, arguments.replicates, arguments.seed)
    return 0
