"""The Java runtimes at hand: one on the PATH, or the one that the ArcadeDB wheel brings."""

import os
import re
import shutil
import subprocess
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from analysis.errors import StoreError

_NEO4J_RUNS_ON = (17, 21)


def wheel() -> Path:
    """Return the folder of the wheel that brings the jars of ArcadeDB and a Java runtime."""
    # the package itself is not imported: it would load a bridge to a Java machine inside this process
    found = find_spec("arcadedb_embedded")
    if found is None or not found.submodule_search_locations:
        raise StoreError(
            "the package arcadedb-embedded, which brings the database server, is not installed; "
            "`pip install arcadedb-embedded`, or give --db the URL of a Neo4j"
        )
    return Path(found.submodule_search_locations[0])


def wheel_java() -> Path:
    """Return the program ``java`` in that wheel."""
    return wheel() / "jre" / "bin" / "java"


def neo4j_java() -> Path:
    """Return a Java of a version that Neo4j is made for, from the PATH, else the wheel's."""
    found = shutil.which("java")
    return Path(found) if found and _version(found) in _NEO4J_RUNS_ON else wheel_java()


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a server: under a C locale Java could not open a path that is not ASCII."""
    return {**os.environ, "LC_ALL": "C.UTF-8", **more}


@cache
def _version(java: str) -> int | None:
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False, timeout=30)  # noqa: S603  a program on the person's own PATH
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r'version "(\d+)', said.stderr)
    return int(found[1]) if found else None
