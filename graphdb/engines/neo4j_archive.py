"""An archive of the classes that Neo4j loads: from it a server starts in six tenths of the time.

What `archive` is for ArcadeDB, by what Java 17 and 21 can: a server over an empty directory, which is removed
again, writes at its end what it loaded (``-XX:ArchiveClassesAtExit``), and later ones map it::

    ~/.cache/stratigraph/          or $XDG_CACHE_HOME/stratigraph
        neo4j-5.26.31-1f2e3d4c5b6a.jsa      114 MB; named after the jars and the Java, as it fits no others
        neo4j-5.26.31-1f2e3d4c5b6a.failed   instead, where it could not be made: it is not tried again

Java itself looks whether it fits, and starts without it where it does not.
"""

import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from analysis.errors import StratigraphError
from graphdb.directory import Directory, create_directory
from graphdb.engines import neo4j_jars
from graphdb.engines.archive import QUESTIONS, fingerprint, serving
from graphdb.engines.engine import Launch, Ports
from graphdb.engines.java import neo4j_java

_SECONDS = 180.0


def file() -> Path:
    """Return where the archive for the jars and the Java of this machine is, or would be."""
    folder, java = neo4j_jars.folder(), neo4j_java().resolve()
    name = fingerprint(folder.glob("*.jar"), str(folder), str(java), str(java.stat().st_mtime_ns))
    return folder.with_name(f"{folder.name}-{name}.jsa")


def made() -> bool:
    """Whether it is there, or was tried in vain."""
    return file().is_file() or _failed().is_file()


def options() -> tuple[str, ...]:
    """Return what makes Java start from it; nothing where it is not there."""
    archive = file()
    return (f"-XX:SharedArchiveFile={archive}",) if archive.is_file() else ()


def make(launch: Callable[[Directory, Ports, bool], Launch], database: str) -> bool:
    """Make it, with a server of its own; return whether that succeeded: without it all works as well."""
    try:
        with neo4j_jars.alone(), tempfile.TemporaryDirectory(dir=file().parent, prefix="archive-") as scratch:
            if made():
                return file().is_file()
            fresh = Path(scratch) / "fresh.jsa"
            directory = create_directory(Path(scratch) / "db", "neo4j")
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
            _record(directory, launch(directory, Ports(port, 0), True), port, fresh, database)
            fresh.replace(file())
    except (OSError, subprocess.SubprocessError, StratigraphError):
        with suppress(OSError):
            _failed().touch()
        return False
    return True


def _failed() -> Path:
    return file().with_suffix(".failed")


def _record(directory: Directory, launched: Launch, port: int, fresh: Path, database: str) -> None:
    """Start a server, ask it what look-ups ask, and end it: it then writes `fresh`."""
    arguments = [part for part in launched.arguments if not part.startswith("-XX:SharedArchiveFile")]
    recorder = Launch(launched.java, (f"-XX:ArchiveClassesAtExit={fresh}", *arguments))
    with serving(directory, recorder, _SECONDS) as running:
        _ask(running, f"bolt://127.0.0.1:{port}", directory.password("neo4j"), database)


def _ask(running: "subprocess.Popen[bytes]", url: str, password: str, database: str) -> None:
    from neo4j import GraphDatabase  # noqa: PLC0415  only this once
    from neo4j.exceptions import DriverError, Neo4jError  # noqa: PLC0415

    until = time.monotonic() + _SECONDS
    while running.poll() is None and time.monotonic() < until:
        with suppress(DriverError, Neo4jError), GraphDatabase.driver(url, auth=("neo4j", password)) as driver:
            # a question would be asked again and again, and each time said to have failed
            driver.verify_connectivity()
            for question in QUESTIONS:
                driver.execute_query(question, database_=database)
            return
        time.sleep(0.2)
    raise TimeoutError
