"""ArcadeDB over a directory, from the wheel that brings its jars and a Java runtime."""

import json

from graphdb.directory import Directory, write_private
from graphdb.engines import arcadedb_files
from graphdb.engines.engine import BRIEFLY, Bulk, Engine, Fetched, Launch, Ports
from graphdb.engines.java import wheel, wheel_java

_DATABASE = "stratigraph"
_READ_SECONDS = 600.0
"""The server itself ends a question after this long. The limit that a person asks for is kept by the client;
this one ends what a client that gave up left behind. The ``readTimeout`` of a group of users is not kept."""

_AT_ONCE = 32
"""Questions that may be at work; what was given up counts too, and by default four of it block all others."""

_HEAP = "2g"

_LONG = ("-XX:+UseParallelGC",)
"""For a server that stays, or has much to do: it loads with a tenth less of processor time than with G1."""

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
                    "readTimeout": -1,
                    "access": [],
                    "types": {"*": {"access": ["readRecord"]}},
                },
            }
        }
    },
    "version": 1,
}


def _launch(directory: Directory, ports: Ports, briefly: bool) -> Launch:
    from graphdb.engines import archive  # noqa: PLC0415  a server that runs is found without it

    path = directory.path
    (path / "config").mkdir(exist_ok=True)
    write_private(path / "config" / "server-groups.json", json.dumps(_GROUPS))
    arguments = (
        *((*BRIEFLY, *archive.options()) if briefly else _LONG),
        f"-Xmx{_HEAP}",
        "--add-modules",
        "jdk.incubator.vector",
        "--enable-native-access=ALL-UNNAMED",
        # it is started in the directory; in a path it takes ${NAME} for a variable, and data lie elsewhere
        "-Darcadedb.server.rootPath=.",
        "-Darcadedb.server.databaseDirectory=databases",
        f"-Darcadedb.server.rootPassword={directory.password('root')}",
        "-Darcadedb.server.plugins=Bolt:com.arcadedb.bolt.BoltProtocolPlugin",
        "-Darcadedb.bolt.host=127.0.0.1",
        f"-Darcadedb.bolt.port={ports.bolt}",
        "-Darcadedb.server.httpIncomingHost=127.0.0.1",
        f"-Darcadedb.server.httpIncomingPort={ports.http}",
        "-Darcadedb.server.httpBodyContentMaxSize=-1",
        f"-Darcadedb.command.timeout={int(_READ_SECONDS * 1000)}",
        f"-Darcadedb.queryMaxConcurrent={_AT_ONCE}",
        f"-Darcadedb.server.defaultDatabases={_DATABASE}[root,reader:{directory.password('reader')}:reader]",
        "-cp",
        f"{wheel()}/jars/*",
        "com.arcadedb.server.ArcadeDBServer",
    )
    return Launch(wheel_java(), arguments)


def _bulk(directory: Directory, port: int) -> Bulk:
    from graphdb.engines.arcadedb_batch import Batch  # noqa: PLC0415  polars, which most commands do without

    return Batch(directory, port, _DATABASE)


def _fetched() -> bool:
    from graphdb.engines import archive  # noqa: PLC0415

    return archive.made()


def _fetch(came: Fetched) -> None:
    from graphdb.engines import archive  # noqa: PLC0415

    archive.make(_launch, _DATABASE)
    came(1)


ENGINE = Engine(
    "arcadedb",
    _DATABASE,
    "Listening for incoming BOLT connections",
    "log/server.log",
    _READ_SECONDS,
    _launch,
    files=1,
    fetching="laying out what the arcadedb server loads, once, so that it starts sooner: some seconds",
    fetched=_fetched,
    fetch=_fetch,
    bulk=_bulk,
    damage=lambda directory: arcadedb_files.damage(directory, _DATABASE),
    note=lambda directory: arcadedb_files.note(directory, _DATABASE),
)
