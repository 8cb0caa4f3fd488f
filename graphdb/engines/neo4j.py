"""Neo4j Community over a directory, from the jars that `neo4j_jars` fetches.

Its home is ``DIR/neo4j``. It has one user, and keeps a connection from writing by the session's access mode.
"""

import subprocess
from pathlib import Path

from analysis.errors import StoreError
from graphdb.directory import Directory, write_private
from graphdb.engines import neo4j_jars
from graphdb.engines.engine import BRIEFLY, Engine, Launch, Ports
from graphdb.engines.java import environment, neo4j_java, wheel_java

_HEAP = "1g"
_ADMIN_SECONDS = 120.0
_OPENED = ("java.base/java.nio", "java.base/java.io", "java.base/sun.nio.ch")

_SETTINGS = {
    "server.default_listen_address": "127.0.0.1",
    # nothing here asks over HTTP, and a server without it starts 1.3 s sooner
    "server.http.enabled": "false",
    "server.https.enabled": "false",
    "server.memory.pagecache.size": "512m",
    "dbms.usage_report.enabled": "false",
    "dbms.security.allow_csv_import_from_file_urls": "false",
    "db.tx_log.rotation.retention_policy": "1 files",
    # a new directory takes 2 MB, not 530
    "db.tx_log.preallocate": "false",
    # when all databases are closed, the network layer would idle for ten seconds before the process ends
    "internal.dbms.bolt.netty_server_shutdown_quiet_period": "0",
}


def _launch(directory: Directory, ports: Ports, briefly: bool) -> Launch:
    home = _home(directory)
    here = f"127.0.0.1:{ports.bolt}"
    settings = {**_SETTINGS, "server.bolt.listen_address": here, "server.bolt.advertised_address": here}
    (home / "conf").mkdir(parents=True, exist_ok=True)
    write_private(home / "conf" / "neo4j.conf", "".join(f"{key}={settings[key]}\n" for key in settings))
    if not (home / "data" / "databases").exists():
        _set_password(directory)
    return _java(
        *(BRIEFLY if briefly else ()),
        f"-Xmx{_HEAP}",
        *(f"--add-opens={package}=ALL-UNNAMED" for package in _OPENED),
        "-cp",
        f"{neo4j_jars.folder()}/*",
        "org.neo4j.server.CommunityEntryPoint",
        f"--home-dir={home}",
        f"--config-dir={home / 'conf'}",
        "--console-mode",
    )


def _home(directory: Directory) -> Path:
    return directory.path / "neo4j"


def _java(*arguments: str) -> Launch:
    java = neo4j_java()
    newer = ("--enable-native-access=ALL-UNNAMED",) if java == wheel_java() else ()
    return Launch(java, (*newer, *arguments))


def _set_password(directory: Directory) -> None:
    """Give the one user its password, before the first start; may be repeated until then."""
    home = _home(directory)
    file = directory.path / "admin.args"
    launch = _java(
        *("-cp", f"{neo4j_jars.folder()}/*", "org.neo4j.cli.AdminTool"),
        *("dbms", "set-initial-password", directory.password("neo4j")),
    )
    launch.write(file)
    try:
        subprocess.run(  # noqa: S603  our own command, no shell
            [launch.java, f"@{file}"],
            env=environment(NEO4J_HOME=str(home), NEO4J_CONF=str(home / "conf")),
            capture_output=True,
            check=True,
            umask=0o077,
            timeout=_ADMIN_SECONDS,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise StoreError(
            f"cannot set the password of the Neo4j in {directory.path} ({type(error).__name__}); "
            "see that the disk has room and run the command again"
        ) from error
    finally:
        file.unlink(missing_ok=True)


ENGINE = Engine(
    "neo4j",
    "neo4j",
    "Bolt enabled on",
    None,
    _launch,
    files=neo4j_jars.FILES,
    fetched=neo4j_jars.fetched,
    fetch=neo4j_jars.fetch,
)
