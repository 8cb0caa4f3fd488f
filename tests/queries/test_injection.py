"""Hostile values are values: what is asked equals a plain comparison, and nothing is written.

The questions go over a connection that may write, so that a value that was taken for Cypher could do harm.
Which queries and parameters there are is read from the catalogue.
"""

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

import stratigraph
from analysis.errors import MisuseError, StratigraphError
from analysis.layer_graph import CONTEXT_COLUMNS, TOP_TOKENS, LayerGraph
from graphdb.load import drop_run, load_graph
from graphdb.runs import find_run
from graphdb.store import Row, Store
from queries.ask import query
from queries.catalogue import Parameter, Query, catalogue
from queries.features import feature
from queries.neighbors import Filters, neighbors
from queries.runs import replicates, runs
from queries.search import by_ids, fires_on, labelled
from tests.graphdb.small_graphs import planted
from tests.graphdb.stores import content
from tests.queries.oracle import ORACLE, newest
from tests.queries.test_catalogue import readable, same
from tests.queries.worlds import CREATED, LAYERS, LINK_RUNS, UNFINISHED, World, plant

LONG = "a'" * 50_000
TEXTS = (
    *("'", '"', "`", "\\", "\\'", '\\"', "x'}) DETACH DELETE n //", "`}) DETACH DELETE n //"),
    *("}) DETACH DELETE n //", "x' OR true //", "$feature", "{}", "[1]", ".*", "%", "null"),
    *("\x00", "a\x00b", "\n", "\r\n\t", "é«漢🦜", "\u0065\u0301", "\u202e", "\ufffe", "", " "),
)
"""Texts that could be taken for something else; all of them can be stored."""
NOT_UNICODE = "\udcff"
"""What Python makes of an argument that is no UTF-8; no database can hold it."""
HOSTILE = ("'", "x'}) DETACH DELETE n //", "\x00`\\", "null", "", LONG, NOT_UNICODE)
ELEMENTS: tuple[Any, ...] = (None, 1, True, ["x"], {"id": "x"})
NUMBERS = (-1, 2**63, 10**40, math.nan, math.inf)
ONE, TWO = "tiny/0-sae/0", "tiny/0-sae/3"
ASKED: Mapping[str, Any] = {
    **{"feature": ONE, "features": [ONE], "from": ONE, "ids": [ONE], "text": "x", "other": "bbbb"},
}


def hostile_graph(run: str, layer: int) -> LayerGraph:
    """A graph with a feature for each of the texts: its label, its token, and the passage it fires in."""
    n = len(TEXTS)
    edges = [
        (a, b, math.log(2 + a + n * b) * (-1) ** a)
        for a, b in itertools.combinations(range(n), 2)
        if (a + b) % 3 == 0
    ]
    made = planted(n, edges, layer=layer, run=run, created=CREATED[run], seed=ord(run[0]))
    tokens = [[{"token": text or "-", "share": 0.5}] for text in TEXTS]
    contexts = [
        {"feature": i, "rank": 0, "value": 1.0, "left": text, "token": TEXTS[i - 1] or "-", "right": text}
        for i, text in enumerate(TEXTS)
    ]
    columns = [
        pl.Series("label", TEXTS, dtype=pl.String),
        pl.Series("top_tokens", tokens, dtype=TOP_TOKENS),
        pl.Series("mean_activation", [1.5] * n),
    ]
    return replace(
        made,
        features=made.features.with_columns(columns),
        contexts=pl.DataFrame(contexts, schema=dict(CONTEXT_COLUMNS)),
    )


def hostile_world() -> World:
    """Three layers with links between them and communities, all labelled with the texts."""
    world = World([hostile_graph(run, layer) for run, layer in {**LAYERS, UNFINISHED: 0}.items()])
    for run, (low, high, _, _) in LINK_RUNS.items():
        for at, kind in enumerate(("CARRIES", "DRIVES", "CARRIES")):
            row = {
                "run": run,
                "source": f"tiny/{low}-sae/{at}",
                "target": f"tiny/{high}-sae/{at}",
                "kind": kind,
            }
            shown = ("partial_correlation", "q_value", "decoder_cosine", "virtual_weight", "carried_share")
            world.links.append({**row, "weight": 1.0 + at, **dict.fromkeys(shown, 0.5), "kept": True})
            world.links[-1]["ablation_effect"] = None
    for run, at in itertools.product(("xxxx", "zzzz"), range(2)):
        members = [f"tiny/{layer}-sae/{at + i}" for layer in range(3) for i in range(3)]
        world.communities.append(
            {
                "id": f"{run}/{at}",
                "run": run,
                "scope": "all",
                "size": 9,
                "label": TEXTS[at],
                "members": members,
            }
        )
    return world


@pytest.fixture
def world(store: Store) -> World:
    made = hostile_world()
    plant(store, made)
    return made


def asked_of(world: World, chosen: Query) -> Row:
    """A value for each parameter of a query."""
    asked = {part.name: ASKED.get(part.name, part.default) for part in chosen.parameters}
    kinds = {part.name: part.kind for part in chosen.parameters}
    chosen_runs = {"run": "aaaa", "runs": newest(world), "links": "llll", "clustering": "xxxx"}
    for name, kind in kinds.items():
        if name in {"run", "runs"}:
            asked[name] = chosen_runs[kind]
        if name in {"first", "second", "community"}:
            at = int(name == "second")
            asked[name] = f"xxxx/{at}" if kind == "community" else (ONE, TWO)[at]
    return asked


def hostile_values(part: Parameter) -> Iterator[Any]:
    """What is tried for a parameter."""
    if part.kind in {"list", "features", "runs"}:
        yield from ([value] for value in (*HOSTILE, *ELEMENTS))
    elif part.kind in {"map", "numbers"}:
        yield from ({value: True} for value in HOSTILE)
        yield from ({ONE: value} for value in (*HOSTILE, *ELEMENTS[2:]))
    else:
        yield from HOSTILE
    if part.name == "text":
        yield from TEXTS
    # paths without number are given up by the clock, not refused
    if part.kind in {"integer", "number"} and part.name not in {"max_hops", "min_hops"}:
        yield from NUMBERS


def check(
    world: World, chosen: Query, part: Parameter, asked: Row, rows: list[Row], usual: list[Row]
) -> None:
    """Compare an answer that was given with what a plain comparison says."""
    if (part.kind, part.name) == ("string", "text"):
        columns = [column.name for column in chosen.columns]
        expected = [{column: row[column] for column in columns} for row in ORACLE[chosen.name](world, asked)]
        assert same([readable(row) for row in rows], expected)
    elif asked[part.name] == "null" and part.kind in {"integer", "number", "boolean"}:
        assert rows == usual, "it is left out"
    elif part.name == "through" and asked["through"] == [1]:
        assert {"tiny/1-sae/0"} & {node for row in rows for node in row["nodes"]}, "it is a layer"
    elif part.kind not in {"integer", "number"}:
        assert rows == [], "nothing is called so"


def answer(store: Store, name: str, asked: Row) -> tuple[list[Row], StratigraphError | None]:
    """The rows of an answer, or its refusal."""
    try:
        return query(store, name, asked), None
    except StratigraphError as error:
        return [], error


def test_every_parameter_of_every_query(store: Store, world: World) -> None:
    before = content(store)
    for name, chosen in catalogue().items():
        plain = asked_of(world, chosen)
        usual = query(store, name, plain)
        assert usual, name
        for part in chosen.parameters:
            for value in hostile_values(part):
                said = f"{name} {part.name}={str(value)[:60]!r}"
                asked = {**plain, part.name: value}
                rows, refused = answer(store, name, asked)
                assert refused is not None or not part.unfit(value), said
                if refused is None:
                    check(world, chosen, part, asked, rows, usual)
                else:
                    assert (part.kind, part.name) != ("string", "text") or value == NOT_UNICODE, said
                    assert isinstance(refused, MisuseError), f"{said}: {refused}"
                    assert len(str(refused).splitlines()) == 1, said
        assert content(store) == before, name


def test_a_limit_beyond_all_is_none(store: Store, world: World) -> None:
    for name, chosen in catalogue().items():
        if any(part.name == "limit" for part in chosen.parameters):
            asked = asked_of(world, chosen)
            everything = query(store, name, {**asked, "limit": 0})
            for limit in (2**31, 2**63):
                assert query(store, name, {**asked, "limit": limit}) == everything, (name, limit)


VERBS = (
    *(
        ("feature", "{}"),
        ("feature", ONE, "--run", "{}"),
        ("neighbors", "{}"),
        ("neighbors", ONE, "--run", "{}"),
    ),
    *(
        ("paths", "{}"),
        ("paths", ONE, "{}"),
        ("paths", ONE, "--through", "{}"),
        ("paths", ONE, "--run", "{}"),
    ),
    *(
        ("lineage", "{}"),
        ("lineage", ONE, "--run", "{}"),
        ("communities", "--run", "{}"),
        ("replicates", "{}"),
    ),
    *(("query", "feature", "--param", "feature={}"), ("query", "by_ids", "--param", "{}=1"), ("drop", "{}")),
)


def test_every_option_that_names_something(
    store: Store, world: World, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = content(store)
    for words, value in itertools.product(
        VERBS, ("x'}) DETACH DELETE n //", "\\", "\n\x1b[2J[red]é\u202e", NOT_UNICODE, LONG, "")
    ):
        asked = [word.replace("{}", value) for word in words]
        assert stratigraph.main([*asked, "--db", address]) == 2, asked
        said = capsys.readouterr()
        assert said.out == ""
        assert len(said.err.splitlines()) == 1, said.err
        assert said.err.startswith("stratigraph: ")
        assert said.err.strip().isprintable()
        assert len(said.err) < 2000
    assert content(store) == before


@pytest.mark.parametrize("kind", ["", "carries", "DEPENDS|IN", "`"])
def test_kinds_are_the_ones_there_are(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("paths", "lineage"):
        with pytest.raises(SystemExit) as done:
            stratigraph.main([verb, ONE, "--kind", kind])
        assert done.value.code == 2
        assert "invalid choice" in capsys.readouterr().err


NAMES = (
    *("'", '"', "`", "\\", "\\'", "a/b", "x'}) DETACH DELETE n //", "${x}", "-Dx=y", "a,b;c|d", "\t", "a\nb"),
    *("\x00", "é漢🦜", "\u202e", "#1:0", "---", "@type", "n" * 3000),
)


@pytest.mark.parametrize("name", NAMES, ids=lambda name: repr(name[:20]))
def test_sites_runs_and_labels_of_any_name(store: Store, name: str) -> None:
    """What is loaded under hostile names answers as the same under plain ones does."""
    edges = [(a, b, 1.0 + a + 0.1 * b) for a in range(6) for b in range(a + 1, 6)]
    plain = planted(6, edges, model="plain", run="plain", word="plain")
    hostile = planted(6, edges, model=f"{name}m", run=f"{name}r", word=f"{name}w")
    hostile = replace(hostile, site=replace(hostile.site, source=f"{name.replace('/', '')}s"))
    plain = replace(plain, site=replace(plain.site, source="plain"))
    load_graph(store, plain)
    before = content(store)
    load_graph(store, hostile)
    one, other = plain.site.feature_id(3), hostile.site.feature_id(3)

    def about(graph: LayerGraph) -> list[Any]:
        run, at = graph.run.id, graph.site.feature_id(3)
        shown = {key: value for key, value in feature(store, at, run).items() if key != "contexts"}
        near = neighbors(store, at, run, hops=2, filters=Filters(everything=True))
        word = graph.features["label"][3].removesuffix(" · x")
        found = by_ids(store, [at]), labelled(store, word), fires_on(store, word, run), replicates(store, run)
        return [shown, near, found, [row for row in runs(store) if row["id"] == run]]

    def renamed(value: Any) -> Any:  # noqa: ANN401  any value of an answer
        if isinstance(value, Mapping):
            return {key: renamed(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [renamed(item) for item in value]
        if isinstance(value, str):
            for before, after in (
                (hostile.site.id, plain.site.id),
                (hostile.site.neuronpedia, plain.site.neuronpedia),
                (f"{name}w", "plain"),
                (f"{name}r", "plain"),
            ):
                value = value.replace(before, after)
        return value

    assert one != other
    assert renamed(about(hostile)) == renamed(about(plain))
    assert find_run(store, f"{name}r")["sites"] == [hostile.site.id]
    loaded = content(store)
    load_graph(store, hostile)
    assert content(store) == loaded
    drop_run(store, f"{name}r")
    assert content(store) == before
