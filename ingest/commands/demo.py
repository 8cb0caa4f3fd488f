"""``stratigraph demo``: the whole story on the built-in small model, offline."""

import argparse
from pathlib import Path

from ingest.commands.database import add_database


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb to the command line."""
    parser = commands.add_parser(
        "demo",
        help="the whole story on the built-in small model, offline",
        description="Sample every layer of the built-in small model, infer it by both procedures, load and "
        "compare the graphs, read them against what its text generator planted, and leave a database to ask.",
        epilog="example: stratigraph demo --layers 1 --replicates 12",
    )
    parser.add_argument(
        "--work", type=Path, default=Path("demo"), metavar="DIR", help="samples and graphs (./demo)"
    )
    parser.add_argument(
        "--replicates", type=int, default=4, metavar="R", help="replicates, and as many nulls (4)"
    )
    parser.add_argument("--layers", default="", metavar="N", help="layers, such as 1 or 0-2 (all four)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of every random draw (0)")
    add_database(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from ingest.demo.job import demo  # noqa: PLC0415  torch and numba are imported when they are needed
    from ingest.sampling import parse_layers  # noqa: PLC0415

    layers = parse_layers(arguments.layers) if arguments.layers else ()
    demo(arguments.work, arguments.db, arguments.replicates, arguments.seed, layers)
    return 0
