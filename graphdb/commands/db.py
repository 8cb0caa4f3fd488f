"""``stratigraph db``: the server of a database directory, for longer than one command."""

import argparse
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphdb.directory import Directory

_EXAMPLE = "example: stratigraph db up --db graph.db && stratigraph db status --db graph.db"


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb to the command line."""
    parser = commands.add_parser(
        "db",
        help="start, stop or describe the server of a database directory",
        description="Every command starts the server of its database directory and stops it when done. "
        "`db up` starts it for longer, so that commands answer at once and other programs can connect.",
        epilog=_EXAMPLE,
    )
    parser.add_argument("action", choices=("up", "down", "status"))
    parser.add_argument(
        "--db",
        default=os.environ.get("STRATIGRAPH_DB") or "graph.db",
        metavar="DIR",
        help="database directory ($STRATIGRAPH_DB, else ./graph.db)",
    )
    parser.add_argument("--engine", choices=("arcadedb", "neo4j"), help="of a new directory (arcadedb)")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from analysis.errors import MisuseError  # noqa: PLC0415  the store is imported when it is needed
    from graphdb.directory import create_directory, open_directory  # noqa: PLC0415

    if "://" in arguments.db:
        raise MisuseError("--db is a URL; `stratigraph db` starts and stops the servers of directories")
    if arguments.engine == "neo4j":
        raise MisuseError(
            "--engine neo4j is not there yet; leave it out, or run a Neo4j (docker compose up) and give "
            "its URL"
        )
    if arguments.action == "up":
        found = create_directory(arguments.db)
        _up(found)
    else:
        found = open_directory(arguments.db)
    if arguments.action == "down":
        _down(found, arguments.db)
    else:
        _status(found)
    return 0


def _up(found: "Directory") -> None:
    from graphdb import server, store  # noqa: PLC0415

    server.acquire(found, store.answers, outlive=True).release()


def _down(found: "Directory", name: str) -> None:
    from graphdb import server  # noqa: PLC0415

    if server.end_if_unused(found):
        sys.stdout.write(f"{name}: stopped\n")
    else:
        sys.stdout.write(f"{name}: another command uses the server, which stops when that one is done\n")


def _status(found: "Directory") -> None:
    from graphdb import arcadedb, server  # noqa: PLC0415

    running = server.running(found)
    size = sum(path.stat().st_size for path in (found.path / "databases").rglob("*") if path.is_file())
    lines = {
        "directory": str(found.path),
        "engine": found.engine,
        "server": "stopped; every command starts it for itself",
        "size": f"{size / 1e6:,.1f} MB",
        "user": "reader (reads only) or root",
        "password": f"in {found.path / 'credentials.json'}",
    }
    if running is not None:
        until = "until `stratigraph db down`" if running.keep else "until the commands that use it are done"
        lines["server"] = f"runs as process {running.pid}, {until}"
        lines["address"] = f"{running.url}, database {arcadedb.DATABASE}"
    sys.stdout.write("".join(f"{key:<10} {value}\n" for key, value in lines.items()))
