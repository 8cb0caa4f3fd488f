"""The document on the data model says what the database holds."""

import re
from collections.abc import Callable
from pathlib import Path

from graphdb.load import load_graph
from graphdb.store import Store, connect
from queries.catalogue import catalogue
from tests.graphdb.small_graphs import planted
from tests.graphdb.stores import empty
from tests.queries.test_catalogue import same

TEXT = (Path(__file__).parents[2] / "docs" / "data-model.md").read_text(encoding="utf-8")


def load(store: Store) -> None:
    edges = [(0, 1, 1.0), (1, 2, -2.0), (0, 2, 3.0), (3, 4, 0.5)]
    load_graph(store, planted(6, edges, seed=2))
    for layer in (1, 2):
        load_graph(
            store, planted(3, [], layer=layer, run=f"layer{layer}", created="2025-06-01T00:00:00Z", word="W")
        )
    store.write("MATCH (:Feature {index: 5})-[m:MEASURED_IN]->() SET m.activations = 0")
    store.write(
        "MATCH (:Feature {index: 4})-[m:MEASURED_IN]->() SET m.top_tokens = $t", {"t": '[{"token":" her"}]'}
    )
    store.write("""
        CREATE (:Run {id: 'linked', kind: 'links', complete: true, carried: 1, made: 2, gone: 5})
        CREATE (:Run {id: 'grouped', kind: 'communities', complete: true})
        CREATE (c:Community {id: 'grouped/0', run: 'grouped', scope: 'layer', size: 6, label: 'w'})
        WITH c MATCH (f:Feature {layer: 0}) CREATE (f)-[:MEMBER_OF]->(c)
    """)
    store.write("""
        MATCH (a:Feature {id: 'tiny/0-sae/0'}) MATCH (b:Feature {id: 'tiny/1-sae/1'})
        MATCH (c:Feature {id: 'tiny/2-sae/2'})
        CREATE (a)-[:CARRIES {run: 'linked', weight: 0.5, partial_correlation: 0.4, q_value: 0.01,
                              decoder_cosine: 0.9, virtual_weight: 0.8, carried_share: 0.7}]->(b)
        CREATE (b)-[:DRIVES {run: 'linked', weight: -0.25, ablation_effect: -0.1}]->(c)
    """)


def test_the_ten_queries_answer(store: Store, reader: Store) -> None:
    load(store)
    texts = re.findall(r"```cypher\n(.+?)```", TEXT, re.DOTALL)
    assert len(texts) == 10
    for text in texts:
        assert reader.read(text), text


def test_the_ten_queries_give_the_same_rows_in_the_same_order_on_both_engines(
    servers: Callable[[str], str],
) -> None:
    texts = re.findall(r"```cypher\n(.+?)```", TEXT, re.DOTALL)
    answers = []
    for engine in ("arcadedb", "neo4j"):
        with connect(servers(engine), write=True) as store:
            empty(store)
            load(store)
            answers.append([store.read(text) for text in texts])
            empty(store)
    for text, one, other in zip(texts, *answers, strict=True):
        assert same(one, other), text


def test_an_edge_that_two_runs_found_counts_once(store: Store, reader: Store) -> None:
    texts = re.findall(r"```cypher\n(.+?)```", TEXT, re.DOTALL)
    load(store)
    alone = [reader.read(text) for text in texts]
    edges = [(0, 1, 1.0), (1, 2, -2.0), (0, 2, 3.0), (3, 4, 0.5)]
    load_graph(store, planted(6, edges, seed=2, run="older", created="2025-01-01T00:00:00Z"))
    load_graph(store, planted(6, edges, seed=2, run="unfinished", created="2027-01-01T00:00:00Z"))
    store.write("MATCH (r:Run {id: 'unfinished'}) SET r.complete = false")
    for text, before in zip(texts[1:], alone[1:], strict=True):
        found = [row for row in reader.read(text) if row.get("run") != "older"]
        assert found == before, text


def test_every_property_is_described(store: Store) -> None:
    load(store)
    rows = re.findall(r"^\| (`.+?) \|", TEXT, re.MULTILINE)
    described = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    nodes = store.read("MATCH (n) UNWIND keys(n) AS name RETURN DISTINCT name")
    edges = store.read("MATCH ()-[e]->() UNWIND keys(e) AS name RETURN DISTINCT name")
    assert {row["name"] for row in nodes + edges} <= described


def test_every_query_of_the_catalogue_is_in_the_table() -> None:
    section = TEXT[TEXT.index("## The catalogue") : TEXT.index("## Ten queries")]
    assert set(catalogue()) <= set(re.findall(r"`(\w+)`", section))
