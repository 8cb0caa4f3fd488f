"""The jars of a Neo4j server, fetched once into the user's cache by Maven.

::

    ~/.cache/stratigraph/          or $XDG_CACHE_HOME/stratigraph
        neo4j-5.26.31/             the jars; there only when all of them are
        neo4j-5.26.31.part/        what a fetch works on
        neo4j-5.26.31.lock         held by the fetch

Maven keeps what it has downloaded in its own repository, each file whole and compared with its checksum, so a
fetch that was interrupted goes on where it was when it is run again.
"""

import fcntl
import os
import shutil
import subprocess
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from analysis.errors import StoreError
from graphdb.engines.engine import Fetched
from graphdb.engines.java import environment, wheel

VERSION = "5.26.31"
FILES = 775
"""Files that Maven downloads when it has none: 213 jars of the server, a plugin, and what describes them."""

_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_ARTIFACTS = ("org.neo4j:neo4j", "org.neo4j.app:neo4j-server")
_LAST_LINES = 60
_FULL = "No space left on device"
_NO_NETWORK = (
    "Unknown host",
    "Name or service not known",
    "Temporary failure in name resolution",
    "Connection refused",
    "Connect to ",
    "Network is unreachable",
    "No route to host",
    "timed out",
    "offline mode",
)


def fetched() -> bool:
    """Whether the jars are on this machine."""
    return _cache().is_dir()


def folder() -> Path:
    """Return the folder that holds the jars.

    Raises
    ------
    StoreError
        They have not been fetched, or the cache was emptied.
    """
    if not fetched():
        raise StoreError(
            f"the Neo4j server is not in {_cache()}; `stratigraph db up --db DIR` with the directory's name "
            "fetches it"
        )
    return _cache()


def fetch(came: Fetched) -> None:
    """Bring the jars into the cache, unless they are there.

    Parameters
    ----------
    came
        Called with 1 for each file that Maven has downloaded: fewer than `FILES` where it has some.

    Raises
    ------
    StoreError
        There is no Maven, no network, or no room; what has come is kept.
    """
    if fetched():
        return
    maven = shutil.which("mvn")
    if maven is None:
        raise StoreError(
            f"mvn is not on the PATH; Neo4j {VERSION} is fetched with it: install Apache Maven, or run a "
            "Neo4j with `docker compose up` and give its URL"
        )
    try:
        with alone() as lock:
            if not fetched():
                _copy(maven, lock, came)
    except OSError as error:
        raise StoreError(
            f"cannot keep Neo4j in {_cache()}: {error.strerror}; make room or allow it"
        ) from error


def _cache() -> Path:
    root = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    return root / "stratigraph" / f"neo4j-{VERSION}"


@contextmanager
def alone() -> Iterator[int]:
    """Wait for another fetch and yield its lock, which lasts as long as any process that has it open."""
    _cache().parent.mkdir(parents=True, exist_ok=True)
    with _cache().with_name(f"{_cache().name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock.fileno()


def _copy(maven: str, lock: int, came: Fetched) -> None:
    part = _cache().with_name(f"{_cache().name}.part")
    # a copy that was killed may have left half a jar; the downloads themselves lie in Maven's own repository
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    (part / "pom.xml").write_text(_project())
    command = [
        *(maven, "--batch-mode", "--strict-checksums", "--update-snapshots", "--file", str(part / "pom.xml")),
        *(_PLUGIN, "-DincludeScope=runtime", f"-DoutputDirectory={part}"),
    ]
    with subprocess.Popen(  # noqa: S603  our own command, no shell
        command,
        cwd=part,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        # a Maven whose parent was killed goes on copying, and the next fetch must wait for it
        pass_fds=(lock,),
    ) as child:
        assert child.stdout is not None
        try:
            said = _follow(child.stdout, came)
        except BaseException:
            child.terminate()
            raise
    if child.returncode != 0:
        raise _why_not(said)
    part.rename(_cache())


def _follow(lines: Iterable[str], came: Fetched) -> list[str]:
    """Count downloads and return the last lines."""
    last: deque[str] = deque(maxlen=_LAST_LINES)
    for line in lines:
        last.append(line.strip())
        if " Downloaded from " in line:
            came(1)
    return list(last)


def _why_not(said: list[str]) -> StoreError:
    text = "\n".join(said)
    first = next((line for line in said if line.startswith("[ERROR]")), said[-1] if said else "no word")
    again = "what has come is kept, run the command again"
    if _FULL in text:
        return StoreError(
            f"the disk is full: Neo4j {VERSION} takes 300 MB while it is fetched; make room, {again}"
        )
    if any(sign in text for sign in _NO_NETWORK):
        return StoreError(f"Neo4j {VERSION} cannot be fetched without a network; with one, {again}")
    why = first[first.find("Could not ") :] if "Could not " in first else first
    return StoreError(f"mvn could not fetch Neo4j {VERSION}: {why.removesuffix(' -> [Help 1]')}; {again}")


def _environment() -> dict[str, str]:
    """Return the environment of Maven, which runs on any Java, so on ours where there is no other."""
    if shutil.which("java") or os.environ.get("JAVA_HOME"):
        return environment()
    return environment(JAVA_HOME=str(wheel() / "jre"))


def _project() -> str:
    parts = (artifact.split(":") for artifact in _ARTIFACTS)
    dependencies = "".join(
        f"<dependency><groupId>{group}</groupId><artifactId>{name}</artifactId><version>{VERSION}</version>"
        "</dependency>"
        for group, name in parts
    )
    return (
        "<project><modelVersion>4.0.0</modelVersion><groupId>stratigraph</groupId>"
        "<artifactId>neo4j-jars</artifactId><version>1</version><packaging>pom</packaging>"
        f"<dependencies>{dependencies}</dependencies></project>\n"
    )
