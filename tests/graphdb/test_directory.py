"""A directory has one server: found, shared, ended by its last user, never two."""

import json
import multiprocessing
import os
import re
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from analysis.errors import DataError, MisuseError, StoreError, StratigraphError
from graphdb import server
from graphdb.directory import STATE, USERS, Directory, create_directory, open_directory
from graphdb.store import answers, connect
from tests.graphdb.stores import have_neo4j

ASK = """
import sys, time
from graphdb.store import connect
with connect(sys.argv[1], write=True, create=True) as store:
    store.write("MERGE (:Seen {by: $by})", {"by": sys.argv[2]})
    print("in", flush=True)
    time.sleep(float(sys.argv[3])) if sys.argv[3] != "told" else sys.stdin.readline()
    assert store.read("RETURN 1 AS one") == [{"one": 1}]
"""


def servers(directory: Directory) -> list[int]:
    """Process ids of the servers over a directory."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = path.read_bytes()
        except OSError:
            continue
        if str(directory.path / "server.args").encode() in text:
            found.append(int(path.parent.name))
    return found


@pytest.fixture
def engine() -> str:
    """Say which engine a directory has, unless a test is run with both."""
    return "arcadedb"


@pytest.fixture
def directory(tmp_path: Path, engine: str) -> Iterator[Directory]:
    """Yield a new directory; its server, if any, is ended after the test."""
    if engine == "neo4j":
        have_neo4j()
    made = create_directory(tmp_path / "my gräph.db", engine)
    yield made
    server.end_if_unused(made)


BOTH = pytest.mark.parametrize("engine", ["arcadedb", "neo4j"])


def ask(directory: Directory, by: str, seconds: float | str = 0) -> "subprocess.Popen[str]":
    """Use the server from another process, for so many seconds or until it is ``told`` to end by a line."""
    command = [sys.executable, "-c", ASK, str(directory.path), by, str(seconds)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def wait_in(child: "subprocess.Popen[str]") -> None:
    assert child.stdout is not None
    assert child.stdout.readline() == "in\n"


@BOTH
def test_two_commands_at_once_share_a_server_and_the_last_one_ends_it(directory: Directory) -> None:
    with ask(directory, "first", 0.5) as first, ask(directory, "second", 2) as second:
        wait_in(first)
        wait_in(second)
        assert len(servers(directory)) == 1
        assert first.wait() == 0
        assert len(servers(directory)) == 1
        assert second.wait() == 0
    assert servers(directory) == []
    with connect(directory.path) as store:
        assert store.read("MATCH (s:Seen) RETURN s.by AS by ORDER BY by") == [
            {"by": "first"},
            {"by": "second"},
        ]


@BOTH
def test_a_server_left_by_a_killed_command_is_used_again_and_ended(directory: Directory) -> None:
    with ask(directory, "killed", 60) as child:
        wait_in(child)
        child.send_signal(signal.SIGKILL)
    left = servers(directory)
    assert len(left) == 1
    with connect(directory.path) as store:
        assert servers(directory) == left
        assert store.read("MATCH (s:Seen) RETURN s.by AS by") == [{"by": "killed"}]
    assert servers(directory) == []


def test_a_server_that_hangs_is_replaced(directory: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_ANSWER_SECONDS", 0.0)
    monkeypatch.setattr(server, "_STOP_SECONDS", 0.5)
    with ask(directory, "killed", 60) as child:
        wait_in(child)
        child.send_signal(signal.SIGKILL)
    (left,) = servers(directory)
    os.kill(left, signal.SIGSTOP)
    with connect(directory.path) as store:
        assert left not in servers(directory)
        assert store.read("MATCH (s:Seen) RETURN s.by AS by") == [{"by": "killed"}]


def test_an_engine_that_is_no_word_is_a_sentence(tmp_path: Path) -> None:
    create_directory(tmp_path / "g.db")
    state = tmp_path / "g.db" / STATE
    state.write_text(json.dumps({**json.loads(state.read_text()), "engine": ["arcadedb"]}))
    with pytest.raises(DataError, match="engine"):
        open_directory(tmp_path / "g.db")


def test_a_kept_server_that_does_not_answer_is_left_to_whoever_asks_it(
    directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.acquire(directory, answers, outlive=True).release()
    (kept,) = servers(directory)
    monkeypatch.setattr(server, "_ANSWER_SECONDS", 1.0)
    os.kill(kept, signal.SIGSTOP)
    try:
        with pytest.raises(StoreError, match=r"did not answer within 1 s; .* `stratigraph db down"):
            connect(directory.path)
        assert servers(directory) == [kept]
    finally:
        os.kill(kept, signal.SIGCONT)
    assert server.end_if_unused(directory)
    assert servers(directory) == []


@BOTH
def test_a_server_that_is_busy_for_others_is_left_to_them(
    directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_ANSWER_SECONDS", 1.0)
    with ask(directory, "first", "told") as first:
        wait_in(first)
        (busy,) = servers(directory)
        os.kill(busy, signal.SIGSTOP)
        try:
            with pytest.raises(StoreError, match=r"is busy for another .* within 1 s; run the command again"):
                connect(directory.path)
            assert servers(directory) == [busy]
        finally:
            os.kill(busy, signal.SIGCONT)
        monkeypatch.setattr(server, "_ANSWER_SECONDS", 60.0)
        with connect(directory.path) as store:
            assert servers(directory) == [busy]
            assert store.read("MATCH (s:Seen) RETURN s.by AS by") == [{"by": "first"}]
        first.communicate("ask once more, and end\n")
        assert first.returncode == 0, "what it asks in the end is answered"
    assert servers(directory) == []


def test_a_server_that_goes_away_while_it_is_waited_for_is_started_again(
    directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_ANSWER_SECONDS", 60.0)
    with connect(directory.path, write=True):
        (busy,) = servers(directory)
        os.kill(busy, signal.SIGSTOP)
        with ask(directory, "second") as second:
            time.sleep(2)
            assert second.poll() is None
            os.kill(busy, signal.SIGKILL)
            assert second.wait(60) == 0
        assert busy not in servers(directory)


def test_a_server_is_given_a_moment_to_be_gone(directory: Directory) -> None:
    """The system breaks the connections of a process that was killed before it takes it off its list."""
    with connect(directory.path, write=True):
        (pid,) = servers(directory)
        assert server.trouble(directory, lost=True) is None
        kill = threading.Timer(0.3, os.kill, (pid, signal.SIGKILL))
        kill.start()
        assert server.trouble(directory) is None
        assert "went away" in str(server.trouble(directory, lost=True))
        kill.join()


def server_port(directory: Directory) -> int:
    return int(json.loads((directory.path / "server.json").read_text())["bolt"])


@BOTH
def test_held_by_a_server_that_is_not_on_record(directory: Directory) -> None:
    with connect(directory.path, write=True):
        passwords_are_private(directory)
        pid = directory.path / "server.pid"
        text = pid.read_text()
        pid.unlink()
        with pytest.raises(StoreError, match="is held by a database server"):
            connect(directory.path)
        pid.write_text(text)
    assert servers(directory) == []


def test_up_keeps_the_server_until_down(directory: Directory) -> None:
    server.acquire(directory, answers, outlive=True).release()
    (kept,) = servers(directory)
    with connect(directory.path) as store:
        assert store.read("RETURN 1 AS one") == [{"one": 1}]
        assert not server.end_if_unused(directory), "in use: it ends with its last user"
        assert servers(directory) == [kept]
    assert servers(directory) == []
    assert server.running(directory) is None
    assert server.end_if_unused(directory)


def passwords_are_private(directory: Directory) -> None:
    (pid,) = servers(directory)
    command = Path(f"/proc/{pid}/cmdline").read_text()
    log = (directory.path / "log" / "server.log").read_text()
    for user in USERS[directory.engine]:
        assert directory.password(user) not in command + log
    for name in ("credentials.json", "server.args", "server.json"):
        assert stat.S_IMODE((directory.path / name).stat().st_mode) == 0o600
    listening = Path(f"/proc/{pid}/net/tcp").read_text() + Path(f"/proc/{pid}/net/tcp6").read_text()
    addresses = re.findall(rf"\d+: ([0-9A-F]+):{server_port(directory):04X} 0+:0000 0A", listening)
    assert addresses
    assert all(address.endswith("0100007F") for address in addresses), "loopback only"


def test_absent(tmp_path: Path) -> None:
    with pytest.raises(MisuseError, match=r"no database at .*no\.db; expected a directory made by"):
        connect(tmp_path / "no.db", write=True)
    assert not (tmp_path / "no.db").exists()


@pytest.mark.parametrize("name", ["a" * 5000, "a\0b", "~nobody-of-this-name/graph.db"])
def test_names_that_no_directory_can_have(name: str) -> None:
    for create in (False, True):
        with pytest.raises(MisuseError, match=r"cannot be a directory: .*; name another one") as refused:
            connect(name, write=True, create=create)
        assert len(str(refused.value)) < 300


@BOTH
def test_a_directory_of_any_name_that_it_can_have(tmp_path: Path, engine: str) -> None:
    if engine == "neo4j":
        have_neo4j()
    where = create_directory(tmp_path / "é 'a' \"b\" \\c\n-Dd=e $(f) `g` ${h} %i;j,k:l [m]*", engine)
    with connect(where.path, write=True) as store:
        assert len(servers(where)) == 1
        store.write("CREATE (:Seen {by: 'me'})")
    assert servers(where) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == [where.path.name]


def test_not_one_of_ours(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    for make in (open_directory, create_directory):
        with pytest.raises(MisuseError, match="no database directory of stratigraph"):
            make(tmp_path)
        with pytest.raises(MisuseError, match="no database directory of stratigraph"):
            make(tmp_path / "letter.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize(
    "left",
    [
        ("conf/neo4j.conf", "data/databases/neo4j/neostore"),
        ("config/server-users.jsonl", "databases/x/a.bucket"),
    ],
)
def test_a_database_that_was_not_made_here(tmp_path: Path, left: tuple[str, str]) -> None:
    """The home of a Neo4j or an ArcadeDB that somebody runs is not taken for a directory of ours."""
    for name in left:
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("theirs")
    before = {path: path.stat() for path in tmp_path.rglob("*")}
    for create in (False, True):
        with pytest.raises(MisuseError, match="no database directory of stratigraph"):
            connect(tmp_path, write=True, create=create)
    assert {path: path.stat() for path in tmp_path.rglob("*")} == before


@pytest.mark.parametrize("left", ["credentials.json", "credentials.json.new", f"{STATE}.new"])
def test_a_creation_that_was_killed_is_completed(tmp_path: Path, left: str) -> None:
    (tmp_path / "lock").touch()
    (tmp_path / left).write_text("{")
    assert len(create_directory(tmp_path).password("root")) == 32
    assert open_directory(tmp_path).engine == "arcadedb"


def test_a_directory_made_by_another_command_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = tmp_path / "graph.db"
    where.mkdir()
    listed = Path.iterdir

    def made_meanwhile(path: Path) -> Iterator[Path]:
        monkeypatch.setattr(Path, "iterdir", listed)
        create_directory(where)
        (where / "config").mkdir()
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", made_meanwhile)
    made = create_directory(where)
    assert made == open_directory(where)


def create_many(parent: Path, first: Barrier, said: "Queue[str]") -> None:
    first.wait()
    for number in range(60):
        try:
            said.put(create_directory(parent / str(number)).password("root"))
        except StratigraphError as error:
            said.put(str(error))


def test_several_commands_make_one_directory_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    first, said = context.Barrier(4), context.Queue()
    makers = [context.Process(target=create_many, args=(tmp_path, first, said)) for _ in range(4)]
    for maker in makers:
        maker.start()
    found = [said.get(timeout=60) for _ in range(4 * 60)]
    for maker in makers:
        maker.join()
    assert set(found) == {open_directory(tmp_path / str(number)).password("root") for number in range(60)}


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("", "is damaged; expected the keys format, version and engine"),
        ("{", "is damaged; expected the keys format, version and engine"),
        ('{"format": "stratigraph-db"}', "is damaged"),
        ("[]", "is damaged"),
        (
            '{"format": "stratigraph-db", "version": 2, "engine": "ENGINE"}',
            "version 2, engine 'ENGINE'; this stratigraph reads 'stratigraph-db', version 1, engine",
        ),
        (
            '{"format": "stratigraph-db", "version": "1", "engine": "ENGINE"}',
            "version '1', engine 'ENGINE'; this",
        ),
        (
            '{"format": "stratigraph-graph", "version": 1, "engine": "ENGINE"}',
            "format 'stratigraph-graph', version 1",
        ),
        (
            '{"format": "stratigraph-db", "version": 1, "engine": "other"}',
            "engine 'other'; this stratigraph reads",
        ),
    ],
)
@BOTH
def test_state_files_that_are_refused(tmp_path: Path, engine: str, state: str, said: str) -> None:
    directory = create_directory(tmp_path / "graph.db", engine)
    state = state.replace("ENGINE", engine)
    (directory.path / STATE).write_text(state)
    before = sorted(directory.path.rglob("*"))
    for create in (False, True):
        with pytest.raises(DataError, match=said.replace("ENGINE", engine)):
            connect(directory.path, write=True, create=create)
    assert (directory.path / STATE).read_text() == state
    assert sorted(directory.path.rglob("*")) == before, "no server was started"


def test_an_engine_that_the_directory_was_not_made_with(directory: Directory) -> None:
    state = (directory.path / STATE).read_text()
    (directory.path / STATE).write_text(state.replace("arcadedb", "neo4j"))
    with pytest.raises(DataError, match=r"credentials\.json cannot be read; without its passwords"):
        connect(directory.path)


@BOTH
def test_lost_passwords(directory: Directory) -> None:
    (directory.path / "credentials.json").unlink()
    with pytest.raises(DataError, match=r"credentials\.json cannot be read"):
        connect(directory.path)


FORGETS = """
import os, sys
from graphdb.store import connect
store = connect(sys.argv[1])
assert store.read("RETURN 1 AS one") == [{"one": 1}]
if sys.argv[2] == "forks":
    if os.fork() == 0:
        sys.exit()
    os.wait()
    assert store.read("RETURN 1 AS one") == [{"one": 1}]
    connect(sys.argv[1])
elif sys.argv[2] == "fails":
    raise ValueError
"""


@pytest.mark.parametrize("how", ["ends", "fails", "forks"])
def test_a_program_that_forgets_to_close_leaves_no_server(directory: Directory, how: str) -> None:
    def run() -> None:
        command = [sys.executable, "-c", FORGETS, str(directory.path), how]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == (how == "fails"), done.stderr
        assert done.stderr.count("Traceback") == (how == "fails"), done.stderr

    run()
    assert servers(directory) == []
    server.acquire(directory, answers, outlive=True).release()
    (kept,) = servers(directory)
    run()
    assert servers(directory) == [kept], "it is meant to be kept"


@BOTH
def test_a_wrong_password_is_said_at_once(directory: Directory) -> None:
    connect(directory.path, write=True).close()
    file = directory.path / "credentials.json"
    right = json.loads(file.read_text())
    refusal = r"refused the password in its credentials\.json; restore that file, or remove"
    for wrong in USERS[directory.engine]:
        file.write_text(json.dumps({**right, wrong: "another"}))
        began = time.monotonic()
        with pytest.raises(StoreError, match=refusal), connect(directory.path) as store:
            store.read("RETURN 1 AS one")
        assert time.monotonic() - began < 45
        assert servers(directory) == []
    file.write_text(json.dumps(right))
    server.acquire(directory, answers, outlive=True).release()
    (kept,) = servers(directory)
    file.write_text(json.dumps({**right, directory.writer: "another"}))
    began = time.monotonic()
    with pytest.raises(StoreError, match=refusal):
        connect(directory.path)
    assert time.monotonic() - began < 5
    assert servers(directory) == [kept]
    file.write_text(json.dumps(right))
    with connect(directory.path) as store:
        assert store.read("RETURN 1 AS one") == [{"one": 1}]


def test_a_server_that_cannot_start(directory: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphdb.engines.arcadedb._HEAP", "nonsense")
    began = time.monotonic()
    with pytest.raises(StoreError, match=r"did not start; .*server\.log says why"):
        connect(directory.path)
    assert time.monotonic() - began < 60


@BOTH
def test_a_lock_held_too_long(directory: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphdb.directory._LOCK_SECONDS", 0.2)
    with directory.locked(), pytest.raises(StoreError, match="held by another command"):
        connect(directory.path)
