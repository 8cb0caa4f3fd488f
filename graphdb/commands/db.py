"""``stratigraph db``: the server of a database directory, for longer than one command."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from graphdb.commands.fetching import fetch

if TYPE_CHECKING:
    from graphdb.directory import Directory

_EXAMPLE = "example: stratigraph db up --db graph.db && stratigraph db status --db graph.db"
_BLOCK = 512
"""Bytes of a block in what the system says of a file's room on disk, whatever the disk's own blocks are."""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb to the command line."""
    parser = commands.add_parser(
        "db",
        help="start, stop or describe the server of a database directory",
        description="Every command starts the server of its database directory and stops it when done. "
        "`db up` starts it for longer, so that commands answer at once and other programs can connect; it "
        "makes an absent directory, with --engine neo4j one of a real Neo4j, whose server is fetched with "
        "mvn the first time. `db import` makes a directory of a Neo4j from what `stratigraph export` wrote.",
        epilog=_EXAMPLE,
    )
    parser.add_argument("action", choices=("up", "down", "status", "import"))
    parser.add_argument(
        "--db",
        default=os.environ.get("STRATIGRAPH_DB") or "graph.db",
        metavar="DIR",
        help="database directory ($STRATIGRAPH_DB, else ./graph.db)",
    )
    parser.add_argument("--engine", choices=("arcadedb", "neo4j"), help="of a new directory (arcadedb)")
    parser.add_argument(
        "--from",
        dest="files",
        type=Path,
        metavar="DIR",
        help="what `db import` reads: the --out of an export",
    )
    parser.add_argument("--port", type=int, metavar="N", help="where `db up` listens for Bolt (a free port)")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from analysis.errors import MisuseError  # noqa: PLC0415  the store is imported when it is needed
    from graphdb.directory import open_directory  # noqa: PLC0415

    if "://" in arguments.db:
        raise MisuseError("--db is a URL; `stratigraph db` starts and stops the servers of directories")
    if arguments.port is not None and not 0 < arguments.port < 1 << 16:
        raise MisuseError(f"--port is {arguments.port}; expected 1 to 65535")
    if (arguments.files is None) == (arguments.action == "import"):
        raise MisuseError(
            "`db import` reads the files that --from names, and only it; expected both or neither"
        )
    if arguments.action == "import":
        return _import(arguments.db, arguments.engine, arguments.files)
    if arguments.action == "up":
        _status(_up(arguments.db, arguments.engine, arguments.port))
        return 0
    found = open_directory(arguments.db)
    _check_engine(found, arguments.engine)
    if arguments.action == "down":
        _down(found, arguments.db)
    else:
        _status(found)
        _refuse_lost(found)
    return 0


def _up(where: str, name: str | None, port: int | None) -> "Directory":
    from graphdb import server, store  # noqa: PLC0415
    from graphdb.directory import create_directory, is_new, open_directory  # noqa: PLC0415
    from graphdb.engines import engine_called  # noqa: PLC0415

    if is_new(where):
        engine = engine_called(name or "arcadedb")
        # before the directory is made, so that none is left where the server cannot be fetched or listen
        fetch(engine)
        server.check_port(port)
        found = create_directory(where, engine.name)
    else:
        found = open_directory(where)
        _check_engine(found, name)
        fetch(engine_called(found.engine))
    _check_engine(found, name)
    server.acquire(found, store.answers, outlive=True, port=port).release()
    return found


def _import(where: str, name: str | None, files: Path) -> int:
    from analysis.errors import MisuseError  # noqa: PLC0415
    from graphdb import store  # noqa: PLC0415
    from graphdb.admin_import import check_import, finish_import  # noqa: PLC0415
    from graphdb.directory import create_directory, is_new, open_directory  # noqa: PLC0415
    from graphdb.engines import engine_called  # noqa: PLC0415

    engine = engine_called(open_directory(where).engine if not is_new(where) else name or "neo4j")
    if engine.fill is None:
        raise MisuseError(
            f"`db import` makes a directory of neo4j, this is one of {engine.name}; `stratigraph load` "
            "the graphs, which goes its own bulk way"
        )
    if not files.is_dir():
        raise MisuseError(f"--from {files} is no directory; expected the --out of `stratigraph export`")
    check_import(files)
    fetch(engine)
    found = create_directory(where, engine.name)
    _check_engine(found, name)
    with found.locked():
        engine.fill(found, files)
    with store.connect(where, write=True) as opened:
        finish_import(opened)
    sys.stdout.write(f"{where}: made from {files}\n")
    return 0


def _check_engine(found: "Directory", name: str | None) -> None:
    from analysis.errors import MisuseError  # noqa: PLC0415

    if name not in {None, found.engine}:
        raise MisuseError(
            f"{found.path} is a database directory of {found.engine}, --engine is {name}; leave it out, or "
            "name another directory and load the graphs there"
        )


def _down(found: "Directory", name: str) -> None:
    from graphdb import server  # noqa: PLC0415

    try:
        _refuse_lost(found)
    finally:
        server.forget_lost(found)
    if server.end_if_unused(found):
        sys.stdout.write(f"{name}: stopped\n")
    else:
        sys.stdout.write(f"{name}: another command uses the server, which stops when that one is done\n")


def _refuse_lost(found: "Directory") -> None:
    from analysis.errors import StoreError  # noqa: PLC0415
    from graphdb import server  # noqa: PLC0415
    from graphdb.server_faults import log_file  # noqa: PLC0415

    lost = server.lost(found)
    if lost is not None:
        raise StoreError(
            f"the server of {found.path}, process {lost}, is gone though nobody stopped it; "
            f"{log_file(found)} may say why, and the next command that needs it starts it again"
        )


def _status(found: "Directory") -> None:
    from graphdb import server  # noqa: PLC0415
    from graphdb.engines import engine_called  # noqa: PLC0415

    running = server.running(found)
    users = f"{found.reader} (reads only) or {found.writer}" if found.reader != found.writer else found.writer
    lines = {
        "directory": str(found.path),
        "engine": found.engine,
        "server": "stopped; every command starts it for itself",
        "size": f"{_size(found.path) / 1e6:,.1f} MB on disk",
        "user": users,
        "password": f"in {found.path / 'credentials.json'}",
    }
    if running is not None:
        until = "`stratigraph db down`" if running.keep else "the commands that use it are done"
        since = f"since {server.started(found):%Y-%m-%d %H:%M:%S}"
        lines["server"] = f"runs as process {running.pid} {since}"
        lines["until"] = until
        lines["address"] = f"{running.url}, database {engine_called(found.engine).database}"
    sys.stdout.write("".join(f"{key:<10} {value}\n" for key, value in lines.items()))


def _size(folder: Path) -> int:
    """Return the bytes that a folder takes on disk; a running server makes and removes files meanwhile."""
    total = 0
    for name, _, files in os.walk(folder):
        for file in files:
            try:
                total += (Path(name) / file).lstat().st_blocks * _BLOCK
            except FileNotFoundError:
                continue
    return total
