"""The Neo4j server is fetched whole or not at all, and says in a sentence why it is not."""

import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from tests.graphdb.stores import have_neo4j

FETCH = """
from graphdb.engines import neo4j_jars
neo4j_jars.fetch(lambda _: None)
"""
NEEDS_MAVEN = pytest.mark.skipif(shutil.which("mvn") is None, reason="mvn is not here")


def up(cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Ask for a new Neo4j directory as a person would, from a cache that is empty unless told otherwise."""
    words = ["db", "up", "--engine", "neo4j", "--db", str(cwd / "new.db")]
    return subprocess.run(
        [sys.executable, "-m", "stratigraph", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "XDG_CACHE_HOME": str(cwd / "cache"), **environment},
    )


def refused(cwd: Path, done: subprocess.CompletedProcess[str]) -> str:
    """Return the sentence of a command that failed and left no directory behind."""
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    sentences = [line for line in done.stderr.splitlines() if line.startswith("stratigraph: ")]
    assert len(sentences) == 1
    assert not (cwd / "new.db").exists()
    return sentences[0]


def test_without_maven(tmp_path: Path) -> None:
    said = refused(tmp_path, up(tmp_path, PATH=str(tmp_path)))
    assert "mvn is not on the PATH" in said
    assert "install Apache Maven, or run a Neo4j with `docker compose up`" in said


@NEEDS_MAVEN
def test_without_a_network(tmp_path: Path) -> None:
    nowhere = f"-Dmaven.repo.local={tmp_path / 'm2'} -Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=9"
    said = refused(tmp_path, up(tmp_path, MAVEN_OPTS=nowhere))
    assert "cannot be fetched without a network; with one, what has come is kept" in said


@NEEDS_MAVEN
def test_what_maven_says_otherwise_is_passed_on(tmp_path: Path) -> None:
    (tmp_path / "m2").touch()
    said = refused(tmp_path, up(tmp_path, MAVEN_OPTS=f"-Dmaven.repo.local={tmp_path / 'm2'}"))
    assert "mvn could not fetch Neo4j 5.26.31: " in said


def test_a_cache_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "cache").touch()
    (tmp_path / "mvn").write_text("#!/bin/sh\n")
    (tmp_path / "mvn").chmod(0o755)
    said = refused(tmp_path, up(tmp_path, PATH=str(tmp_path)))
    assert "cannot keep Neo4j in " in said


@NEEDS_MAVEN
def test_a_fetch_that_was_killed_is_completed_by_running_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    have_neo4j()  # so that Maven itself has the files, and only the copy is made again
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made = tmp_path / "stratigraph" / "neo4j-5.26.31"
    part = made.with_name(f"{made.name}.part")
    with subprocess.Popen([sys.executable, "-c", FETCH]) as killed:
        until = time.monotonic() + 60
        while not list(part.glob("*.jar")) and time.monotonic() < until:
            time.sleep(0.01)
        killed.send_signal(signal.SIGKILL)
    assert not made.exists()
    subprocess.run([sys.executable, "-c", FETCH], check=True)
    jars = list(made.glob("*.jar"))
    assert len(jars) == 213
    assert all(zipfile.ZipFile(jar).testzip() is None for jar in jars if jar.stat().st_size < 1e6)
    assert not part.exists()
