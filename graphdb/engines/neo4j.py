"""Neo4j Community over a directory, from the jars that `neo4j_jars` fetches.

Its home is ``DIR/neo4j``. It has one user, and keeps a connection from writing by the session's access mode.
"""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from analysis.errors import MisuseError, StoreError
from graphdb.directory import Directory, write_private
from graphdb.engines import neo4j_archive, neo4j_jars
from graphdb.engines.engine import BRIEFLY, Engine, Fetched, Launch, Ports
from graphdb.engines.java import environment, neo4j_java, wheel_java

DATABASE = "neo4j"
_HEAP = "1g"
_ADMIN_SECONDS = 3600.0
_SHOWN = 300
_UNFINISHED = "unfinished-import"
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
    # a question that only reads must not send what it finds elsewhere: LOAD CSV opens any address
    "internal.dbms.cypher_ip_blocklist": "0.0.0.0/0,::/0",
    # when all databases are closed, the network layer would idle for ten seconds before the process ends
    "internal.dbms.bolt.netty_server_shutdown_quiet_period": "0",
}


def _launch(directory: Directory, ports: Ports, briefly: bool) -> Launch:
    home = _home(directory)
    if (home / _UNFINISHED).exists():
        raise StoreError(
            f"the import into {directory.path} did not finish; run `stratigraph db import` again, or remove "
            "the directory"
        )
    here = f"127.0.0.1:{ports.bolt}"
    _write_settings(directory, {"server.bolt.listen_address": here, "server.bolt.advertised_address": here})
    if not (home / "data" / "databases").exists():
        _set_password(directory)
    return _java(
        *((*BRIEFLY, *neo4j_archive.options()) if briefly else ()),
        f"-Xmx{_HEAP}",
        *(f"--add-opens={package}=ALL-UNNAMED" for package in _OPENED),
        "-cp",
        f"{neo4j_jars.folder()}/*",
        "org.neo4j.server.CommunityEntryPoint",
        f"--home-dir={home}",
        f"--config-dir={home / 'conf'}",
        "--console-mode",
    )


def _write_settings(directory: Directory, more: Mapping[str, str]) -> None:
    folder, settings = _home(directory) / "conf", {**_SETTINGS, **more}
    folder.mkdir(parents=True, exist_ok=True)
    write_private(folder / "neo4j.conf", "".join(f"{key}={settings[key]}\n" for key in settings))


def _home(directory: Directory) -> Path:
    return directory.path / "neo4j"


def _java(*arguments: str) -> Launch:
    java = neo4j_java()
    newer = ("--enable-native-access=ALL-UNNAMED",) if java == wheel_java() else ()
    return Launch(java, (*newer, *arguments))


def _set_password(directory: Directory) -> None:
    """Give the one user its password, before the first start; may be repeated until then."""
    try:
        _admin(directory, directory.path, "dbms", "set-initial-password", directory.password("neo4j"))
    except (OSError, subprocess.SubprocessError) as error:
        raise StoreError(
            f"cannot set the password of the Neo4j in {directory.path} ({type(error).__name__}); "
            "see that the disk has room and run the command again"
        ) from error


def _fill(directory: Directory, files: Path) -> None:
    """Import the files of `graphdb.admin_import` into a directory that holds no database yet."""
    home = _home(directory)
    unfinished = home / _UNFINISHED
    if unfinished.exists():
        shutil.rmtree(home)
    if (home / "data" / "databases").exists():
        raise MisuseError(
            f"{directory.path} holds a database already, and an import makes a new one; name a directory "
            "that is absent, or `stratigraph load` the graphs into this one"
        )
    try:
        _write_settings(directory, {})
        unfinished.touch()
        _set_password(directory)
        # a path in the options is relative to where the command runs
        _admin(directory, files, "database", "import", "full", DATABASE, "@import.args")
    except (OSError, subprocess.SubprocessError) as error:
        said = " ".join((getattr(error, "stderr", None) or str(error)).split())[:_SHOWN]
        raise StoreError(
            f"the import of {files} failed: {said}; see that the disk has room and run the command again"
        ) from error
    unfinished.unlink()


def _admin(directory: Directory, where: Path, *arguments: str) -> None:
    """Run Neo4j's admin tool on the directory, from the folder `where`."""
    home = _home(directory)
    file = directory.path / "admin.args"
    # a name in these arguments that begins with @ is the tool's own to read
    launch = _java("-cp", f"{neo4j_jars.folder()}/*", "org.neo4j.cli.AdminTool", *arguments)
    launch.write(file)
    try:
        subprocess.run(  # noqa: S603  our own command, no shell
            [launch.java, f"@{file}"],
            cwd=where,
            env=environment(NEO4J_HOME=str(home), NEO4J_CONF=str(home / "conf")),
            capture_output=True,
            text=True,
            errors="replace",
            check=True,
            umask=0o077,
            timeout=_ADMIN_SECONDS,
        )
    finally:
        file.unlink(missing_ok=True)


def _fetched() -> bool:
    return neo4j_jars.fetched() and neo4j_archive.made()


def _fetch(came: Fetched) -> None:
    neo4j_jars.fetch(came)
    if not neo4j_archive.made():
        neo4j_archive.make(_launch, DATABASE)


ENGINE = Engine(
    "neo4j",
    DATABASE,
    "Bolt enabled on",
    "neo4j/logs/debug.log",
    None,
    _launch,
    files=neo4j_jars.FILES,
    fetching="fetching the neo4j server and laying out what it loads, once: a minute or two",
    fetched=_fetched,
    fetch=_fetch,
    fill=_fill,
)
