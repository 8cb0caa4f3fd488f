"""Whatever keeps a command from a database is said in one sentence, as a person types it, by real servers."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import stratigraph
from analysis.errors import MisuseError, StoreError
from graphdb.directory import create_directory, open_directory
from graphdb.engines import neo4j
from graphdb.graph_directory import write_graph
from graphdb.store import Store, connect
from tests.graphdb.small_graphs import planted
from tests.graphdb.stores import Reached, content, have_neo4j, reached

Say = Callable[..., str]


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Return a function that asks and loads at a URL, and returns the one sentence of each failure."""
    write_graph(tmp_path / "graph", planted(3))

    def refused(url: str, code: int, verbs: tuple[str, ...] = ("runs", "load"), **variables: str) -> str:
        for name in ("NEO4J_USERNAME", "NEO4J_PASSWORD", "NEO4J_DATABASE"):
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        said = set()
        for verb in verbs:
            words = [verb, str(tmp_path / "graph")] if verb == "load" else [verb]
            assert stratigraph.main([*words, "--db", url]) == code
            captured = capsys.readouterr()
            assert captured.out == ""
            assert len(captured.err.splitlines()) == 1, captured.err
            assert captured.err.startswith("stratigraph: ")
            said.add(captured.err.strip())
        assert len(said) == 1, "every verb says the same"
        return said.pop()

    return refused


@pytest.fixture
def there(address: str, store: Store) -> Reached:
    """A running server, as one that runs somewhere."""
    return reached(address)


@contextmanager
def program(answer: bytes | None) -> Iterator[int]:
    """Yield the port of a program that is no database; without an answer it keeps connections open."""
    held = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                held.append(connection)
                if answer is not None:
                    connection.recv(1024)
                    connection.sendall(answer)
                    connection.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()
    for connection in held:
        connection.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("bolt://127.0.0.1:9", "cannot be reached"),
        ("neo4j://127.0.0.1:9", "cannot be reached"),
        ("bolt://no.such.host.invalid:7687", "cannot be reached"),
        (f"bolt://{'a' * 70}:7687", "cannot be reached"),
        ("bolt://a..b:7687", "cannot be reached"),
    ],
)
def test_nothing_is_there(say: Say, url: str, said: str) -> None:
    assert say(url, 1) == f"stratigraph: {url} {said}; check the address and that the server runs"


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x00\x00\x00\x00", b"220 mail", b"", None]
)
def test_another_program_is_there(say: Say, answer: bytes | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphdb.store._CONNECT_SECONDS", 0.3)
    with program(answer) as port:
        url = f"bolt://127.0.0.1:{port}"
        assert say(url, 1) in {
            f"stratigraph: {url} cannot be reached; check the address and that the server runs",
            f"stratigraph: {url} does not speak Bolt as Neo4j 5.23 and later do; check the address and "
            "version",
        }


def test_a_wrong_name_or_password(say: Say, there: Reached) -> None:
    refusal = (
        f"stratigraph: {there.url} refused the user name or password; check NEO4J_USERNAME and NEO4J_PASSWORD"
    )
    right = there.environment()
    assert say(there.url, 1, **right | {"NEO4J_PASSWORD": "not it"}) == refusal
    assert say(there.url, 1, **right | {"NEO4J_USERNAME": "nobody"}) == refusal
    assert say(there.url, 1) == refusal


@pytest.mark.parametrize("name", ["nowhere", "}) DETACH DELETE n //", "`", "ä'\"\\"])
def test_a_wrong_database(say: Say, there: Reached, name: str) -> None:
    said = say(there.url, 1, **there.environment() | {"NEO4J_DATABASE": name})
    assert said.startswith(f"stratigraph: {there.url} has no such database (")
    assert said.endswith("); check NEO4J_DATABASE")


def test_encryption_that_the_server_does_not_speak(say: Say, there: Reached) -> None:
    url = there.url.replace("bolt://", "bolt+s://")
    assert say(url, 1, **there.environment()) == (
        f"stratigraph: {url} cannot be reached by an encrypted connection; check the address and that the "
        "server runs, or ask for bolt:// if it does not encrypt"
    )


def test_the_right_words_let_it_in(
    there: Reached, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in there.environment().items():
        monkeypatch.setenv(name, value)
    for scheme in ("bolt", "neo4j"):
        assert stratigraph.main(["runs", "--db", there.url.replace("bolt", scheme), "--format", "json"]) == 0
        assert capsys.readouterr().out.strip() == "[]"


READS_ONLY = (
    r"stratigraph: bolt://\S+ does not let this user write \(.+\); "
    r"NEO4J_USERNAME and NEO4J_PASSWORD must be those of one who may"
)


def test_a_user_that_only_reads(say: Say, address: str, store: Store) -> None:
    if "://" in address or open_directory(address).engine == "neo4j":
        pytest.skip("a Neo4j without the enterprise licence has no users that only read; the next test has")
    before = content(store)
    there = reached(address, reads=True)
    assert re.fullmatch(READS_ONLY, say(there.url, 1, ("load",), **there.environment()))
    assert content(store) == before


NAMED = "`Feature`"
WRITES = (
    "CREATE (n:Feature {id: 'x'}) RETURN n.id",
    "MATCH (n:Kept) SET n.value = 2",
    "MATCH (n:Kept) DETACH DELETE n",
    f"CREATE CONSTRAINT made FOR (n:{NAMED}) REQUIRE n.id IS UNIQUE",
    f"CREATE INDEX made FOR (n:{NAMED}) ON (n.layer)",
    f"/* only */ // reads\n cReAtE\n/**/index made FOR (n:{NAMED}) ON (n.layer)",
    f"EXPLAIN CREATE INDEX made FOR (n:{NAMED}) ON (n.layer)",
    "CREATE USER somebody SET PASSWORD 'long enough, 8'",
    "UNWIND [1, 2] AS x CALL (x) { CREATE (:Feature {id: toString(x)}) } IN TRANSACTIONS OF 1 ROWS",
    "UNWIND [1, 2] AS x CALL (x) { MATCH (n:Kept) SET n.value = x } IN /**/ TRANSACTIONS RETURN x",
)
READ_ONLY = (
    r"stratigraph: \S+ refused to write over a connection that only reads \(.+\); add --write if meant"
)
LEFT_OUT = (
    r"stratigraph: bolt://\S+ is an ArcadeDB, which lets Cypher write over a connection that only reads; add "
    r"--write if it may change the database, or ask a query of the catalogue, or the directory of that server"
)


def everything(store: Store) -> list[object]:
    """What is in a database, and what it holds beside nodes and relationships."""
    indexes = store.write("SHOW INDEXES YIELD name, labelsOrTypes, properties")
    return [content(store), sorted(map(str, indexes)), sorted(map(str, store.write("SHOW USERS")))]


@pytest.fixture
def before(store: Store) -> list[object]:
    """What is there before somebody asks: a node, and a label that may get an index."""
    store.write("CREATE (n:Kept {id: 'kept', value: 1})")
    store.write("CREATE (n:Feature {id: 'kept', layer: 1})")
    return everything(store)


@pytest.mark.parametrize("cypher", WRITES)
def test_what_would_write_changes_nothing(
    address: str, store: Store, before: list[object], capsys: pytest.CaptureFixture[str], cypher: str
) -> None:
    code = stratigraph.main(["query", cypher, "--db", address])
    said = capsys.readouterr()
    assert everything(store) == before
    # Neo4j explains what it would refuse to do
    assert code == 1 or (cypher.startswith("EXPLAIN") and said.err == "")
    assert "Traceback" not in said.err


@pytest.mark.parametrize("cypher", WRITES)
def test_who_may_write_still_reads_without_write(
    there: Reached,
    store: Store,
    before: list[object],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    cypher: str,
) -> None:
    for name, value in there.environment().items():
        monkeypatch.setenv(name, value)
    with connect(there.url) as reading:
        arcadedb = reading._undo
        assert reading.read("MATCH (n:Kept) RETURN n.value AS value") == [{"value": 1}]
        if cypher in WRITES[:3]:
            with pytest.raises(StoreError, match="refused to write over a connection that only reads"):
                reading.read(cypher)
    code = stratigraph.main(["query", cypher, "--db", there.url])
    said = capsys.readouterr().err.strip()
    assert everything(store) == before
    if arcadedb:
        assert code == 2
        assert re.fullmatch(LEFT_OUT, said)
    elif cypher in WRITES[:3]:
        assert code == 1
        assert re.fullmatch(READ_ONLY, said)
    if cypher in WRITES[:3]:
        assert stratigraph.main(["query", cypher, "--write", "--db", there.url]) == 0
        assert everything(store) != before


def test_an_arcadedb_elsewhere_is_asked_by_the_catalogue_and_with_write(
    servers: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for reads in (False, True):
        there = reached(servers("arcadedb"), reads=reads)
        for name, value in there.environment().items():
            monkeypatch.setenv(name, value)
        asked = ["--format", "json", "--db", there.url]
        assert stratigraph.main(["query", "sites", *asked]) == 0
        assert capsys.readouterr().out.strip() == "[]"
        assert stratigraph.main(["query", "RETURN 1 AS one", *asked]) == 2
        assert re.fullmatch(LEFT_OUT, capsys.readouterr().err.strip())
        assert stratigraph.main(["query", "RETURN 1 AS one", "--write", *asked]) == 0
        assert '"one": 1' in capsys.readouterr().out
        with stratigraph.connect(there.url) as graph, pytest.raises(MisuseError, match="is an ArcadeDB"):
            graph.query("RETURN 1 AS one")


def test_a_database_that_is_only_read(say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    have_neo4j()
    made = create_directory(tmp_path / "graph.db", "neo4j")
    # a database must be made before it can be kept from changing
    connect(made.path).close()
    monkeypatch.setitem(neo4j._SETTINGS, "server.databases.default_to_read_only", "true")
    with connect(made.path):
        there = reached(str(made.path))
        said = say(there.url, 1, ("load",), **there.environment())
    assert said.startswith(
        f"stratigraph: {there.url} is a database that is only read (No write operations are"
    )
    assert said.endswith("); name one that may be written to")
