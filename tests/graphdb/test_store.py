"""Questions and refusals over the real servers."""

import math
import threading
import time

import pytest

from analysis.errors import MisuseError, StoreError
from graphdb.directory import open_directory
from graphdb.load import load_graph
from graphdb.store import Store, connect
from tests.graphdb.small_graphs import planted

SLOW = "UNWIND range(1, 8000) AS a UNWIND range(1, 8000) AS b WITH a + b AS c WHERE c < 0 RETURN c"


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -(2**63),
        2**63 - 1,
        1e-300,
        "",
        "é « \x00 'quoted' \\",
        [1, 2],
        [],
        {"a": [1.5, {"b": None}]},
    ],
)
def test_values_come_back_equal(reader: Store, value: object) -> None:
    assert reader.read("RETURN $value AS value", {"value": value}) == [{"value": value}]


def test_not_a_number_comes_back(reader: Store) -> None:
    assert math.isnan(reader.read("RETURN $value AS value", {"value": math.nan})[0]["value"])


def test_nodes_edges_and_paths_are_maps(store: Store) -> None:
    load_graph(store, planted(2))
    row = store.read("MATCH p = (f:Feature {index: 0})-[d:DEPENDS]->(g) RETURN f, d, p, [f] AS l")[0]
    assert row["f"]["id"] == "tiny/0-sae/0"
    assert row["d"]["type"] == "DEPENDS"
    assert row["l"] == [row["f"]]
    assert [node["index"] for node in row["p"]["nodes"]] == [0, 1]
    assert row["p"]["edges"] == [row["d"]]


@pytest.mark.parametrize(
    "cypher",
    [
        "CREATE (:Feature {id: 'x'})",
        "MATCH (f:Feature) SET f.x = 1",
        "MATCH (f:Feature) DETACH DELETE f",
        "MATCH (n) DELETE n",
        "MATCH (f:Feature) REMOVE f.label",
        "MERGE (:New {id: 'x'})",
        "CREATE CONSTRAINT IF NOT EXISTS FOR (n:New) REQUIRE n.id IS UNIQUE",
    ],
)
def test_the_server_refuses_writes_of_a_reader(store: Store, reader: Store, cypher: str) -> None:
    load_graph(store, planted(2))
    before = store.read("MATCH (n) RETURN properties(n) AS p ORDER BY n.id")
    for way in (reader.read, reader.write):
        with pytest.raises(StoreError, match="only reads"):
            way(cypher)
    assert store.read("MATCH (n) RETURN properties(n) AS p ORDER BY n.id") == before


@pytest.mark.parametrize(
    ("cypher", "said"),
    [
        ("MATCH (n:Feature RETURN n", "does not understand the query: "),
        ("RETURN nope", "does not understand the query: .*nope"),
        ("RETURN $nope AS x", r"needs a parameter that was not given \(.*nope"),
        ("RETURN 1 / 0 AS x", "does not understand the query: .* by zero"),
    ],
)
def test_bad_cypher(reader: Store, cypher: str, said: str) -> None:
    with pytest.raises(StoreError, match=said) as caught:
        reader.read(cypher)
    assert "\n" not in str(caught.value)


def test_a_second_node_of_an_id_is_refused(store: Store) -> None:
    load_graph(store, planted(2))
    with pytest.raises(StoreError, match="second node of the same id"):
        store.write("CREATE (:Site {id: 'tiny/0-sae'})")


def test_the_time_limit_is_an_error_and_the_store_goes_on(reader: Store) -> None:
    began = time.monotonic()
    with pytest.raises(StoreError, match=r"within 0\.5 s; narrow the question or raise --timeout"):
        reader.read(SLOW, timeout=0.5)
    assert time.monotonic() - began < 30
    assert reader.read("RETURN 1 AS one") == [{"one": 1}]


def test_two_writers_at_once(address: str, store: Store) -> None:
    load_graph(store, planted(30))
    failed: list[BaseException] = []

    def work(run: str) -> None:
        try:
            with connect(address, write=True) as mine:
                load_graph(mine, planted(30, run=run))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(run,)) for run in ("bbbb", "cccc")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    counted = store.read(
        "MATCH (f:Feature)-[:IN]->() RETURN count(f) AS n UNION ALL MATCH (r:Run) RETURN count(r) AS n"
    )
    assert [row["n"] for row in counted] == [30, 3]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("bolt://me:secret@localhost:7687", "holds credentials"),
        ("http://localhost:7474", "expected a directory, or a URL that begins with bolt"),
        ("bolt://", "expected a directory, or a URL"),
        ("bolt://localhost:notaport", "expected bolt://HOST:PORT"),
    ],
)
def test_urls_that_are_none(url: str, said: str) -> None:
    with pytest.raises(MisuseError, match=said) as caught:
        connect(url)
    assert "secret" not in str(caught.value)


def test_an_unreachable_server() -> None:
    with pytest.raises(StoreError, match=r"bolt://127\.0\.0\.1:9 cannot be reached"):
        connect("bolt://127.0.0.1:9")


def test_a_time_limit_beyond_the_servers_own(address: str, reader: Store) -> None:
    if "://" not in address and open_directory(address).engine == "arcadedb":
        with pytest.raises(MisuseError, match="expected at most 600"):
            reader.read("RETURN 1 AS one", timeout=601)
    else:
        assert reader.read("RETURN 1 AS one", timeout=601) == [{"one": 1}]
