"""An archive of the classes that ArcadeDB loads while it starts: from it a server starts in half the time.

Java reads, checks and links some ten thousand classes from the jars at each start. Java 25 writes down what a
server loaded (`record`), lays that out in a file (`create`), and maps the file from then on. It is made once,
by a server over an empty directory that is removed again, and kept in the user's cache::

    ~/.cache/stratigraph/          or $XDG_CACHE_HOME/stratigraph
        arcadedb-1f2e3d4c5b6a.aot      47 MB; named after the jars, so other jars have another one
        arcadedb-1f2e3d4c5b6a.failed   instead, where it could not be made: it is not tried again

Java itself looks whether it fits, and starts without it where it does not. The server that is recorded has
passwords of its own, which go with its directory.
"""

import hashlib
import json
import os
import socket
import subprocess
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from analysis.errors import StratigraphError
from graphdb.directory import Directory, create_directory
from graphdb.engines.engine import Launch, Ports
from graphdb.engines.java import environment, wheel, wheel_java

_SECONDS = 120.0
QUESTIONS = (
    "CREATE CONSTRAINT a IF NOT EXISTS FOR (f:Feature) REQUIRE f.id IS UNIQUE",
    "UNWIND [1, 2, 3] AS at MERGE (f:Feature {id: toString(at)}) SET f.site = 'a', f.index = at",
    "MATCH (a:Feature {id: '1'}) MATCH (b:Feature {id: '2'}) "
    "MERGE (a)-[d:DEPENDS {run: 'r'}]->(b) SET d.weight = 1",
    "UNWIND ['1'] AS id MATCH (f:Feature {id: id})-[d:DEPENDS]-(g:Feature) WHERE d.run = 'r' "
    "RETURN id, g.id AS other, d.weight AS weight ORDER BY abs(d.weight) DESC, other",
    "MATCH (f:Feature) OPTIONAL MATCH (f)-[d:DEPENDS]->(g) WITH f, collect(g.id) AS some "
    "RETURN f.id AS id, some UNION ALL MATCH (f:Feature) RETURN f.site AS id, [] AS some",
)
"""What a look-up makes a server load, beside starting."""


def file() -> Path:
    """Return where the archive of the jars that are installed is, or would be."""
    name = fingerprint((wheel() / "jars").iterdir(), str(wheel()))
    root = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    return root / "stratigraph" / f"arcadedb-{name}.aot"


def fingerprint(jars: Iterable[Path], *known: str) -> str:
    """Return twelve digits that are others for other jars, or where something else that is known is other."""
    told = [f"{jar.name} {jar.stat().st_size} {jar.stat().st_mtime_ns}" for jar in sorted(jars)]
    return hashlib.sha256("\n".join([*known, *told]).encode()).hexdigest()[:12]


def made() -> bool:
    """Whether it is there, or was tried in vain."""
    return file().is_file() or _failed().is_file()


def options() -> tuple[str, ...]:
    """Return what makes Java start from it; nothing where it is not there."""
    return (f"-XX:AOTCache={file()}",) if file().is_file() else ()


def make(launch: Callable[[Directory, Ports, bool], Launch], database: str) -> bool:
    """Make it, with a server of its own; return whether that succeeded: without it all works as well."""
    try:
        file().parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=file().parent, prefix="archive-") as scratch:
            recorded, fresh = Path(scratch) / "recorded", Path(scratch) / "fresh.aot"
            directory = create_directory(Path(scratch) / "db")
            with socket.socket() as one, socket.socket() as two:
                one.bind(("127.0.0.1", 0))
                two.bind(("127.0.0.1", 0))
                ports = Ports(one.getsockname()[1], two.getsockname()[1])
            launched = launch(directory, ports, True)
            _record(directory, launched, ports.http, recorded, database)
            # the class path and what else decides which classes there are; no password is among it
            same = [part for part in launched.arguments[:-1] if not part.startswith(("-D", "-XX:AOTCache"))]
            _java([*same, "-XX:AOTMode=create", f"-XX:AOTConfiguration={recorded}", f"-XX:AOTCache={fresh}"])
            fresh.replace(file())
    except (OSError, HTTPException, subprocess.SubprocessError, StratigraphError):
        with suppress(OSError):
            _failed().touch()
        return False
    return True


def _failed() -> Path:
    return file().with_suffix(".failed")


def _record(directory: Directory, launched: Launch, http: int, recorded: Path, database: str) -> None:
    """Start a server, ask it what look-ups ask, and end it."""
    more = ("-XX:AOTMode=record", f"-XX:AOTConfiguration={recorded}")
    arguments = [part for part in launched.arguments if not part.startswith("-XX:AOTCache")]
    recorder = Launch(launched.java, (*more, *arguments))
    with serving(directory, recorder, _SECONDS) as running:
        for question in QUESTIONS:
            _ask(directory, running, http, database, question)


@contextmanager
def serving(directory: Directory, launched: Launch, seconds: float) -> "Iterator[subprocess.Popen[bytes]]":
    """Run a server, and end it: by itself if all went well, which may take so many seconds."""
    launched.write(directory.path / "server.args")
    with subprocess.Popen(  # noqa: S603  our own command, no shell
        [launched.java, f"@{directory.path / 'server.args'}"],
        cwd=directory.path,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        umask=0o077,
        start_new_session=True,
    ) as running:
        try:
            yield running
            running.terminate()
            running.wait(seconds)
        finally:
            running.kill()


def _ask(
    directory: Directory, running: "subprocess.Popen[bytes]", http: int, database: str, question: str
) -> None:
    secret = b64encode(f"root:{directory.password('root')}".encode()).decode()
    headers = {"Authorization": f"Basic {secret}", "Content-Type": "application/json"}
    body = json.dumps({"language": "opencypher", "command": question})
    until = time.monotonic() + _SECONDS
    while running.poll() is None and time.monotonic() < until:
        with (
            suppress(OSError, HTTPException),
            closing(HTTPConnection("127.0.0.1", http, timeout=_SECONDS)) as connection,
        ):
            connection.request("POST", f"/api/v1/command/{database}", body, headers)
            with connection.getresponse() as answer:
                answer.read()
                if answer.status == 200:
                    return
        time.sleep(0.2)
    raise TimeoutError


def _java(arguments: list[str]) -> None:
    subprocess.run(  # noqa: S603  our own command, no shell
        [wheel_java(), *arguments],
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        umask=0o077,
        timeout=_SECONDS,
    )
