"""A feature is labelled by the complete runs that measured it, and by no other."""

from contextlib import suppress
from dataclasses import replace

import polars as pl
import pytest

from analysis.errors import StoreError
from analysis.layer_graph import LayerGraph
from graphdb.cypher import statement
from graphdb.load import drop_run, load_graph
from graphdb.store import Store
from queries.ask import query
from queries.features import feature
from tests.graphdb.small_graphs import planted

FEATURE = "tiny/0-sae/1"


class Killed(Exception):  # noqa: N818  it stands for a signal, not an error
    """The process ends here."""


def made(word: str, tokens: int = 1000, created: str = "2026-01-01T00:00:00Z") -> LayerGraph:
    return planted(4, run=f"{word}-run", word=word, tokens=tokens, created=created)


def label(store: Store, of: str = FEATURE) -> tuple[str | None, str | None]:
    row = store.read("MATCH (f:Feature {id: $id}) RETURN f.label AS l, f.label_source AS s", {"id": of})[0]
    return row["l"], row["s"]


def load_until(store: Store, graph: LayerGraph, rows: int) -> None:
    """Load a graph and be killed after some of its rows."""

    def kill(done: float) -> None:
        nonlocal rows
        rows -= int(done)
        if rows <= 0:
            raise Killed

    with suppress(Killed):
        load_graph(store, graph, kill)


def test_a_load_killed_while_it_labels_labels_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    load_graph(store, made("old"))
    # the last statement of all fails, which calls the run complete
    broken = {"finish_run": "THIS IS NO CYPHER"}
    monkeypatch.setattr("graphdb.load.statement", lambda name: broken.get(name) or statement(name))
    with pytest.raises(StoreError):
        load_graph(store, made("new", 9000))
    assert label(store) == ("old1 · x", "tokens")
    assert query(store, "labelled", {"text": "new"}) == []
    monkeypatch.undo()
    load_graph(store, made("new", 9000))
    assert label(store) == ("new1 · x", "tokens")


@pytest.mark.parametrize("rows", [4, 8, 11])
def test_a_run_half_loaded_labels_nothing(store: Store, rows: int) -> None:
    load_graph(store, made("old"))
    load_until(store, made("new", 9000), rows)
    assert label(store) == ("old1 · x", "tokens")
    assert feature(store, FEATURE)["label"] == "old1 · x"
    assert query(store, "labelled", {"text": "new"}) == []
    load_graph(store, made("new", 9000))
    assert label(store) == ("new1 · x", "tokens")


@pytest.mark.parametrize("rows", [4, 8, 11])
def test_features_of_a_run_half_loaded_are_not_found(store: Store, rows: int) -> None:
    load_until(store, made("new"), rows)
    assert query(store, "labelled", {"text": "new"}) == []


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize(
    ("chosen", "other"),
    [
        (made("large", 5000), made("small", 400, "2026-09-01T00:00:00Z")),
        (made("newer", 1000, "2026-09-01T00:00:00Z"), made("older", 1000)),
    ],
)
def test_the_run_with_more_tokens_labels_then_the_newer(
    store: Store, chosen: LayerGraph, other: LayerGraph, first: int
) -> None:
    for graph in (chosen, other) if first else (other, chosen):
        load_graph(store, graph)
    word = chosen.run.id.removesuffix("-run")
    assert label(store) == (f"{word}1 · x", "tokens")


def test_each_run_keeps_its_own_label(store: Store) -> None:
    load_graph(store, made("large", 5000))
    load_graph(store, made("small"))
    found = store.read(
        "MATCH (:Feature {id: $id})-[m:MEASURED_IN]->(r) RETURN r.id AS run, m.label AS label ORDER BY run",
        {"id": FEATURE},
    )
    assert found == [{"run": "large-run", "label": "large1 · x"}, {"run": "small-run", "label": "small1 · x"}]


def test_a_drop_gives_the_label_back(store: Store) -> None:
    load_graph(store, made("small"))
    load_graph(store, made("large", 5000))
    drop_run(store, "large-run")
    assert label(store) == ("small1 · x", "tokens")


def test_a_drop_takes_a_label_that_no_other_run_gave(store: Store) -> None:
    without = made("none")
    load_graph(store, replace(without, features=without.features.with_columns(label=pl.lit(None, pl.String))))
    load_graph(store, made("large", 5000))
    drop_run(store, "large-run")
    assert label(store) == (None, None)


def test_a_drop_leaves_labels_of_incomplete_runs_out(store: Store) -> None:
    load_graph(store, made("small"))
    load_graph(store, made("large", 5000))
    load_until(store, made("half", 9000), 11)
    drop_run(store, "large-run")
    assert label(store) == ("small1 · x", "tokens")
    drop_run(store, "half-run")
    assert label(store) == ("small1 · x", "tokens")


def test_a_load_and_a_drop_leave_what_a_person_said(store: Store) -> None:
    load_graph(store, made("small"))
    store.write(
        "MATCH (f:Feature {id: $id}) SET f.label = 'said', f.label_source = 'person'", {"id": FEATURE}
    )
    load_graph(store, made("large", 5000))
    assert label(store) == ("said", "person")
    drop_run(store, "large-run")
    assert label(store) == ("said", "person")
    assert label(store, "tiny/0-sae/2") == ("small2 · x", "tokens")


def test_a_label_comes_with_a_run_already_complete(store: Store) -> None:
    load_graph(store, made("large", 5000))
    store.write("MATCH (f:Feature) SET f.label = null, f.label_source = null")
    store.write_rows(statement("label_features"), [{"id": FEATURE}], {"finishing": ""})
    assert label(store) == ("large1 · x", "tokens")
    assert label(store, "tiny/0-sae/2") == (None, None)
