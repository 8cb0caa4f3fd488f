"""A Neo4j in a directory of ours, from its first start to its end, as a person types it."""

import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis.errors import StoreError
from graphdb import server
from graphdb.directory import create_directory, open_directory
from graphdb.engines.engine import Ports
from graphdb.engines.java import neo4j_java, wheel_java
from graphdb.graph_directory import write_graph
from graphdb.store import answers, connect
from tests.graphdb.small_graphs import planted
from tests.graphdb.stores import have_neo4j

ROOT = Path(__file__).parents[2]


@pytest.fixture
def where(tmp_path: Path) -> Iterator[Path]:
    """Yield where a Neo4j directory may be made; its server, if any, is ended after the test."""
    have_neo4j()
    path = tmp_path / "my gräph.db"
    yield path
    if path.exists():
        server.end_if_unused(open_directory(path))


def stratigraph(*words: str | Path, code: int = 0) -> str:
    """Run a command and return what it said: its output, or the one sentence of its failure."""
    command = [sys.executable, "-m", "stratigraph", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == code, done.stderr
    if code == 0:
        return done.stdout
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stdout + done.stderr


def process(where: Path) -> int:
    return int((where / "server.pid").read_text())


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_from_its_first_start_to_its_end(where: Path, tmp_path: Path) -> None:
    write_graph(tmp_path / "graph", planted(12))
    db = ("--db", where)

    said = stratigraph("db", "up", "--engine", "neo4j", *db)
    pid = process(where)
    assert f"runs as process {pid} since 20" in said
    assert "until      `stratigraph db down`" in said
    address = re.search(r"bolt://127\.0\.0\.1:(\d+), database neo4j", said)
    assert address
    nothing_is_shown(where, said)
    assert stratigraph("db", "status", *db).split("size")[0] == said.split("size")[0]

    stratigraph("load", tmp_path / "graph", *db)
    found = json.loads(stratigraph("neighbors", "tiny/0-sae/5", "--all", "--format", "json", *db))
    assert sorted(row["id"] for row in found) == ["tiny/0-sae/4", "tiny/0-sae/6"]
    made = "CREATE (:Feature {id: 'x'})"
    assert "refused to write over a connection that only reads" in stratigraph("query", made, *db, code=1)
    assert process(where) == pid, "one server answered all of it"

    said = stratigraph("db", "up", "--engine", "arcadedb", *db, code=2)
    assert "is a database directory of neo4j, --engine is arcadedb" in said
    said = stratigraph("db", "up", "--port", "9", *db, code=1)
    assert f"runs already, on port {address[1]}; `stratigraph db down` ends it" in said

    os.kill(pid, signal.SIGKILL)
    while is_alive(pid):
        time.sleep(0.02)
    said = stratigraph("db", "status", *db, code=1)
    assert "stopped; every command starts it" in said
    assert f"process {pid}, is gone though nobody stopped it; " in said
    assert f"process {pid}, is gone though nobody stopped it; " in stratigraph("db", "down", *db, code=1)
    assert "stopped" in stratigraph("db", "down", *db), "said once"

    # stopped: a command starts it, finds what was committed before the kill, and ends it
    assert json.loads(stratigraph("runs", "--format", "json", *db))[0]["complete"]
    assert not (where / "server.pid").exists()
    said = stratigraph("db", "status", *db)
    assert "stopped; every command starts it" in said
    assert re.search(r"size +\d+\.\d MB on disk", said)


def nothing_is_shown(where: Path, said: str) -> None:
    """The password is in one private file and nowhere else, and nothing listens beyond loopback."""
    password = open_directory(where).password("neo4j")
    pid = process(where)
    logs = [path.read_text(errors="replace") for path in where.rglob("*.log")]
    assert logs
    assert all(password not in text for text in (said, Path(f"/proc/{pid}/cmdline").read_text(), *logs))
    holds = [path for path in where.rglob("*") if path.is_file() and password.encode() in path.read_bytes()]
    assert holds == [where / "credentials.json"]
    assert stat.S_IMODE(holds[0].stat().st_mode) == 0o600
    assert stat.S_IMODE(where.stat().st_mode) == 0o700
    for address in listening(pid):
        assert address.endswith("0100007F"), "loopback only"


def listening(pid: int) -> list[str]:
    """Addresses, in the kernel's notation, at which a process listens."""
    sockets = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            sockets.update(re.findall(r"socket:\[(\d+)\]", os.readlink(entry)))  # noqa: PTH115  may be gone
        except FileNotFoundError:
            continue
    lines = [
        line.split()
        for name in ("tcp", "tcp6")
        for line in Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:]
    ]
    found = [line[1].split(":")[0] for line in lines if line[3] == "0A" and line[9] in sockets]
    assert found
    return found


def test_a_process_id_that_another_program_has_now(where: Path) -> None:
    made = create_directory(where, "neo4j")
    with subprocess.Popen(["/bin/sleep", "60"]) as other:
        (where / "server.json").write_text('{"bolt": 1, "http": 2, "keep": true}')
        (where / "server.pid").write_text(str(other.pid))
        assert server.running(made) is None
        assert f"process {other.pid}, is gone" in stratigraph("db", "down", "--db", where, code=1)
        assert other.poll() is None, "it is not ours to end"
        other.kill()


def test_the_runtime_of_the_wheel_where_there_is_no_java(
    where: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    create_directory(where, "neo4j")
    with connect(where, write=True) as store:
        assert Path(f"/proc/{process(where)}/exe").readlink() == wheel_java().resolve()
        assert store.read("RETURN 'é' AS said") == [{"said": "é"}]


@pytest.mark.parametrize(
    ("version", "used"), [("17.0.9", True), ("21", True), ("11.0.2", False), ("25", False)]
)
def test_only_a_java_that_neo4j_is_made_for_is_used(
    version: str, used: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    java = tmp_path / "java"
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2024-01-16' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert neo4j_java() == (java if used else wheel_java())


def test_a_port_that_is_taken(where: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        said = stratigraph("db", "up", "--engine", "neo4j", "--port", port, "--db", where, code=1)
    assert f"port {port} cannot be used (Address already in use); give another --port" in said
    assert not where.exists(), "the next try may be of the other engine"


@pytest.mark.parametrize("engine", ["neo4j", "arcadedb"])
def test_a_port_that_is_taken_meanwhile(where: Path, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = create_directory(where, engine)
    heard: list[bytes] = []

    with socket.socket() as other, socket.socket() as free:
        other.bind(("127.0.0.1", 0))
        other.listen()
        other.settimeout(0)
        free.bind(("127.0.0.1", 0))
        ports = Ports(other.getsockname()[1], free.getsockname()[1])
        monkeypatch.setattr(server, "_free_ports", lambda _: ports)
        with pytest.raises(StoreError, match=r"another program took the port of .* run the command again"):
            server.acquire(made, answers)
        with pytest.raises(BlockingIOError):
            heard.append(other.accept()[0].recv(1))
    assert heard == [], "no password was sent there"
    assert not (where / "server.pid").exists()


def test_engines_are_refused_by_the_directory_of_the_other(tmp_path: Path) -> None:
    create_directory(tmp_path / "a.db")
    said = stratigraph("db", "up", "--engine", "neo4j", "--db", tmp_path / "a.db", code=2)
    assert "is a database directory of arcadedb, --engine is neo4j; leave it out, or name another" in said
    for action in ("down", "status"):
        stratigraph("db", action, "--engine", "neo4j", "--db", tmp_path / "a.db", code=2)


def on_a_small_disk(size: str, where: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command with a disk of that size mounted at `where`, for itself alone."""
    where.mkdir()
    mount = 'mount -t tmpfs -o size="$0" none "$1" || exit 77; shift; exec "$@"'
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, size, str(where)]
    command += [sys.executable, "-m", "stratigraph", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


@pytest.mark.parametrize(("size", "said"), [("12k", "No space left on device"), ("1m", "the disk is full")])
def test_a_disk_that_is_full(tmp_path: Path, size: str, said: str) -> None:
    have_neo4j()
    if shutil.which("unshare") is None:
        pytest.skip("unshare, which gives a test a small disk, is not here")
    disk = tmp_path / "disk"
    done = on_a_small_disk(size, disk, "db", "up", "--engine", "neo4j", "--db", str(disk / "x.db"))
    if done.returncode == 77 or "unshare:" in done.stderr:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr


def test_a_directory_whose_server_was_removed_from_the_cache(
    where: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_directory(where, "neo4j")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    with pytest.raises(StoreError, match=r"is not in .*neo4j-5\.26\.31; `stratigraph db up --db DIR`"):
        connect(where)


def test_a_port_that_is_none(tmp_path: Path) -> None:
    assert "--port is 0; expected 1 to 65535" in stratigraph(
        "db", "up", "--port", "0", "--db", tmp_path, code=2
    )


def test_a_database_that_is_damaged_is_said_as_soon_as_its_server_knows(where: Path) -> None:
    made = create_directory(where, "neo4j")
    with connect(where, write=True) as store:
        store.write("CREATE (:Seen)")
    stores = where / "neo4j" / "data" / "databases"
    (stores / "neo4j" / "neostore").unlink()
    began = time.monotonic()
    with pytest.raises(
        StoreError, match=r"cannot open its database \(.+\); \S.*debug\.log says why: restore"
    ):
        connect(where)
    assert time.monotonic() - began < 60
    assert server.running(made) is None
    shutil.rmtree(stores / "system")
    began = time.monotonic()
    with pytest.raises(StoreError, match=r"did not start; .*server\.log says why"):
        connect(where)
    assert time.monotonic() - began < 60
    assert server.running(made) is None
