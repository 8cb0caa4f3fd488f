"""How an ArcadeDB server is started over a directory, from the wheel that brings its jars and a Java runtime.

Passwords stand in an argument file of mode 0600, so that the list of processes shows only that file's name.
"""

import json
import os
from importlib.util import find_spec
from pathlib import Path

from analysis.errors import StoreError
from graphdb.directory import Directory, write_private

DATABASE = "stratigraph"
READ_SECONDS = 600.0
"""The server itself ends a question of the read-only user after this long. The limit that a person asks for
is kept by the client; this one ends what a client that gave up left behind."""

_HEAP = "2g"
_BRIEFLY = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""For a server that serves one command: without the second compiler it starts in 1.9 s of processor time, not
3.0, and four layers of 512 features load in 6.4 s, not 11.2 (two busy cores)."""

_GROUPS = {
    "databases": {
        "*": {
            "groups": {
                "admin": {
                    "resultSetLimit": -1,
                    "readTimeout": -1,
                    "access": ["updateSecurity", "updateSchema", "updateDatabaseSettings"],
                    "types": {
                        "*": {"access": ["createRecord", "readRecord", "updateRecord", "deleteRecord"]}
                    },
                },
                "reader": {
                    "resultSetLimit": -1,
                    "readTimeout": int(READ_SECONDS * 1000),
                    "access": [],
                    "types": {"*": {"access": ["readRecord"]}},
                },
            }
        }
    },
    "version": 1,
}


def argument_file(directory: Directory) -> Path:
    """Return where the server's arguments stand; the name in a command line tells that a process is ours."""
    return directory.path / "server.args"


def command(directory: Directory, bolt: int, http: int, briefly: bool) -> list[str]:
    """Write what a server on these ports needs and return the command that starts it.

    A server that is there `briefly` starts faster and would answer more slowly in the long run.

    The shell in front writes its process id and then becomes the server, so the id is on disk before the
    server can take the database, whatever happens to the process that started it.
    """
    wheel = _wheel()
    path = directory.path
    (path / "config").mkdir(exist_ok=True)
    write_private(path / "config" / "server-groups.json", json.dumps(_GROUPS))
    arguments = [
        *(_BRIEFLY if briefly else ()),
        f"-Xmx{_HEAP}",
        "--add-modules",
        "jdk.incubator.vector",
        "--enable-native-access=ALL-UNNAMED",
        f"-Darcadedb.server.rootPath={path}",
        f"-Darcadedb.server.databaseDirectory={path / 'databases'}",
        f"-Darcadedb.server.rootPassword={directory.password('root')}",
        "-Darcadedb.server.plugins=Bolt:com.arcadedb.bolt.BoltProtocolPlugin",
        "-Darcadedb.bolt.host=127.0.0.1",
        f"-Darcadedb.bolt.port={bolt}",
        "-Darcadedb.server.httpIncomingHost=127.0.0.1",
        f"-Darcadedb.server.httpIncomingPort={http}",
        "-Darcadedb.server.httpBodyContentMaxSize=-1",
        f"-Darcadedb.server.defaultDatabases={DATABASE}[root,reader:{directory.password('reader')}:reader]",
        "-cp",
        f"{wheel}/jars/*",
        "com.arcadedb.server.ArcadeDBServer",
    ]
    write_private(argument_file(directory), "\n".join(_quoted(argument) for argument in arguments) + "\n")
    pid = str(path / "server.pid")
    java = str(wheel / "jre" / "bin" / "java")
    script = 'echo $$ > "$0" && exec "$1" "@$2"'
    return ["/bin/sh", "-c", script, pid, java, str(argument_file(directory))]


def environment() -> dict[str, str]:
    """Return the environment of the server: under a C locale Java could not open a path that is not ASCII."""
    return {**os.environ, "LC_ALL": "C.UTF-8"}


def held_elsewhere(log: str) -> bool:
    """Whether the log of a server that did not start says that another one has the database."""
    return "locked by another process" in log


def _wheel() -> Path:
    # the package itself is not imported: it would load a bridge to a Java machine inside this process
    found = find_spec("arcadedb_embedded")
    if found is None or not found.submodule_search_locations:
        raise StoreError(
            "the package arcadedb-embedded, which brings the database server, is not installed; "
            "`pip install arcadedb-embedded`, or give --db the URL of a Neo4j"
        )
    return Path(found.submodule_search_locations[0])


def _quoted(argument: str) -> str:
    return '"' + argument.replace("\\", "\\\\").replace('"', '\\"') + '"'
