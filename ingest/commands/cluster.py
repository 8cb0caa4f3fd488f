"""``stratigraph cluster``: the features of a database, divided into communities."""

import argparse
import json
import sys

from ingest.commands.database import add_database


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb to the command line."""
    parser = commands.add_parser(
        "cluster",
        help="communities of the features in a database",
        description="Divide the features of the newest complete run of each site into communities by "
        "Leiden, on the positive kept edges of each layer, or of all layers at once with the links between "
        "them, and write them into the database. The same command finds what it made before, and completes "
        "what was killed; `stratigraph communities` lists what was made, `stratigraph drop RUN` deletes it.",
        epilog="example: stratigraph cluster --scope all --coupling 1 --db graph.db",
    )
    parser.add_argument(
        "--scope", default="layer", metavar="layer|all", help="each layer by itself, or all at once (layer)"
    )
    parser.add_argument(
        "--min-replicates",
        type=int,
        metavar="R",
        help="only edges that R replicates show, all of them for the stable core (every kept edge)",
    )
    parser.add_argument(
        "--resolution", type=float, default=1.0, metavar="G", help="more: smaller communities (1)"
    )
    parser.add_argument(
        "--coupling",
        type=float,
        metavar="W",
        help="with --scope all, what a link counts against an edge of its weight (0.5)",
    )
    parser.add_argument(
        "--exclusions",
        action="store_true",
        help="count a negative edge against the community that holds both ends (they are left out)",
    )
    parser.add_argument("--restarts", type=int, default=5, metavar="N", help="divisions that are tried (5)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of every random choice (0)")
    parser.add_argument(
        "--run",
        dest="of",
        action="append",
        default=[],
        metavar="RUN",
        help="divide the graph of this layer run; may be given several times",
    )
    parser.add_argument("--format", choices=("table", "json"), default="table", help="default: table")
    add_database(parser, made=False)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from rich.console import Console  # noqa: PLC0415  what is heavy is imported when it is needed

    from graphdb.store import connect  # noqa: PLC0415
    from ingest.clustering.config import ClusterConfig  # noqa: PLC0415
    from ingest.clustering.job import cluster  # noqa: PLC0415
    from ingest.clustering.report import show  # noqa: PLC0415

    config = ClusterConfig(
        scope=arguments.scope,
        min_replicates=arguments.min_replicates,
        resolution=arguments.resolution,
        coupling=arguments.coupling,
        exclusions=arguments.exclusions,
        restarts=arguments.restarts,
        seed=arguments.seed,
    )
    with connect(arguments.db, write=True) as store:
        run, there = cluster(store, config, arguments.of)
    if there:
        sys.stderr.write(f"run {run['id']} is finished already\n")
    if arguments.format == "json":
        nested = ("config", "parts", "profile", "read", "versions")
        row = {name: json.loads(value) if name in nested else value for name, value in run.items()}
        sys.stdout.write(json.dumps([row], ensure_ascii=False, indent=1) + "\n")
        return 0
    show(run, Console())
    sys.stdout.write(f"\nstratigraph communities --run {run['id']} --db {arguments.db} lists them\n")
    return 0
