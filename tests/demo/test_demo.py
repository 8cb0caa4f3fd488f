"""The demo, its notebook and the one-line ingest, run as a person would, on the small model.

All in one file: the demo is run once for it, and files of tests are dealt to processes.
"""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from analysis.errors import MisuseError
from analysis.layer_graph import LayerGraph
from graphdb.directory import create_directory
from graphdb.graph_directory import read_graph
from graphdb.links_directory import read_links
from graphdb.store import Store, connect
from ingest.demo.comparison import compare
from ingest.demo.line import strongest_line
from ingest.demo.reading import feature_classes, read_components
from ingest.organism import CLASSES, document
from ingest.organism.labels import planted_classes
from ingest.samples_directory import open_samples
from queries.ask import query
from queries.catalogue import catalogue
from tests.demo.conftest import DEMO, run
from tests.graphdb.stores import content, have_neo4j
from tests.queries.test_catalogue import same

NOTEBOOK = Path(__file__).parents[2] / "docs" / "notebook.ipynb"


def asked(home: Path, *arguments: object) -> list[dict[str, Any]]:
    done = run(*arguments, "--format", "json", cwd=home)
    assert done.returncode == 0, done.stderr
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows


def test_the_story_is_told_to_the_end(told: str) -> None:
    for part in (
        "7 of 7",
        "Published: edges seen in at least r replicates",
        "The two procedures on the same samples",
        "Do modules and edges respect the planted classes?",
        "Decoder cosine against the weight",
        "$ stratigraph neighbors organism/",
        "layers  links  CARRIES  DRIVES  weight < 0  carried  made  gone",
        "Of all lines from the first layer to the last",
        "$ stratigraph lineage organism/",
        "taken out: mean change of the later feature",
        "carried to layer 2, where linking ends",
        "$ stratigraph communities --run ",
        "The database stays in graph.db",
    ):
        assert part in told


def test_both_procedures_are_in_the_database_for_every_layer(told: str, home: Path) -> None:
    runs = [run for run in asked(home, "runs") if run["kind"] == "layer"]
    assert sorted((r["site"], r["procedure"]) for r in runs) == [
        (f"organism/blocks.{layer}.hook_resid_post", procedure)
        for layer in (0, 2)
        for procedure in ("calibrated", "published")
    ]
    for row in runs:
        assert row["complete"] is True
        table = asked(home, "replicates", row["id"])
        assert [r["replicates"] for r in table] == [1, 2, 3]
        if row["procedure"] == "published":
            assert table[row["r_star"] - 1]["observed"] == row["kept"]


def test_the_calibrated_run_answers_unless_another_is_named(told: str, home: Path) -> None:
    published = read_graph(home / "demo" / "graphs" / "published" / "2")
    calibrated = read_graph(home / "demo" / "graphs" / "calibrated" / "2")
    assert published.n_replicates == calibrated.n_replicates == 3
    index = int(calibrated.features.sort("degree")["index"][-1])
    name = calibrated.site.feature_id(index)

    def degree(graph: LayerGraph) -> int:
        return int(graph.features["degree"][index])

    assert degree(published) != degree(calibrated)
    rows = asked(home, "neighbors", name, "--limit", 0)
    assert len(rows) == degree(calibrated)
    rows = asked(home, "neighbors", name, "--limit", 0, "--run", published.run.id)
    assert len(rows) == degree(published)


def test_replicates_that_judge_are_kept_back(told: str, home: Path) -> None:
    samples = open_samples(home / "demo" / "samples" / "2")
    for procedure in ("published", "calibrated"):
        graph = read_graph(home / "demo" / "graphs" / procedure / "2")
        assert len(samples.replicates) > graph.n_replicates
        assert graph.n_tokens == sum(r.tokens for r in samples.replicates[: graph.n_replicates])


def test_fresh_tokens_bear_out_calibrated_edges(told: str, home: Path) -> None:
    samples = open_samples(home / "demo" / "samples" / "2")
    graphs = home / "demo" / "graphs"
    found = compare(
        read_graph(graphs / "published" / "2"), read_graph(graphs / "calibrated" / "2"), samples, 0
    )
    assert found.calibrated.false_firing < 0.1 < found.published.false_firing
    assert found.both.false_firing < found.published_only.false_firing
    assert found.both.edges + found.published_only.edges == found.published.edges
    assert found.both.edges + found.calibrated_only.edges == found.calibrated.edges
    assert min(found.published.same_class, found.calibrated.same_class) > 5 * found.chance
    for said in (found.published, found.calibrated, found.both, found.published_only):
        assert f"{said.edges:,}" in told


def test_layers_are_linked_and_links_tried(told: str, home: Path) -> None:
    found = read_links(home / "demo" / "links" / "0-2")
    assert f" {found.links.height:,} " in told
    assert found.n_replicates == 2
    made = [run["kind"] for run in asked(home, "runs")]
    assert (made.count("links"), made.count("communities")) == (1, 1)
    (flow,) = asked(home, "query", "flow")
    assert (flow["carried"], flow["made"], flow["gone"]) == (found.carried, found.made, found.gone)
    line = strongest_line([found])
    assert line is not None
    rows = asked(home, *line.asked())
    assert {row["layer"] for row in rows} == {0, 2}
    tried = [row["ablation_effect"] for row in rows if row["hops"]]
    assert None not in tried, "every link that is shown was tried"
    kinds = ["--kind", "CARRIES", "--kind", "DRIVES"]
    (way,) = asked(home, "paths", line.features[0], line.features[-1], *kinds, "--limit", 1)
    assert way["weights"] == pytest.approx([line.weakest])


def test_communities_span_layers_and_agree_with_the_planted_classes(told: str, home: Path) -> None:
    found = asked(home, "communities", "--limit", 0)
    assert any(row["layers"] == [0, 2] for row in found)
    said = re.search(r"with the planted classes (0\.\d\d)", " ".join(told.split()))
    assert said is not None
    assert float(said[1]) > 0.15


def test_what_the_database_says_is_what_was_inferred(told: str, home: Path) -> None:
    graph = read_graph(home / "demo" / "graphs" / "calibrated" / "2")
    kept = graph.edges.filter("kept")
    index = int(graph.features.sort("degree")["index"][-1])
    name = graph.site.feature_id(index)
    rows = asked(home, "neighbors", name, "--limit", 0)
    expected = {}
    for edge in kept.to_dicts():
        if index in (edge["source"], edge["target"]):
            other = edge["target"] if edge["source"] == index else edge["source"]
            expected[graph.site.feature_id(other)] = edge["weight"]
    assert {r["id"]: r["weight"] for r in rows} == pytest.approx(expected)
    (feature,) = asked(home, "feature", name)
    assert feature["degree"] == len(expected)
    assert feature["contexts"][0]["value"] == pytest.approx(feature["max_activation"])


def test_edges_respect_the_planted_classes_far_beyond_chance(told: str, home: Path) -> None:
    reading = read_components(
        read_graph(home / "demo" / "graphs" / "calibrated" / "0"),
        open_samples(home / "demo" / "samples" / "0"),
        seed=0,
    )
    strong, kept, chance = reading.same_class
    assert strong > 5 * chance
    assert kept > 2 * chance
    assert reading.ami > 0.2
    assert {m.planted for m in reading.modules} <= set(CLASSES)


def test_labels_of_sampled_tokens_are_those_of_the_generator(told: str, home: Path) -> None:
    samples = open_samples(home / "demo" / "samples" / "0")
    replicate = samples.read(1)
    assert replicate.document is not None
    assert replicate.offset is not None
    assert replicate.token_id is not None
    assert samples.vocabulary is not None
    text = dict(samples.vocabulary.iter_rows())
    token, kind, names = planted_classes(0, replicate.document[:500], replicate.offset[:500])
    for t in range(500):
        made = document(0, int(replicate.document[t]))
        offset = int(replicate.offset[t])
        assert text[int(replicate.token_id[t])].strip() == made.words[offset]
        assert {names[k] for k in kind[token == t]} == made.labels[offset]


def test_some_feature_stands_for_a_planted_class(told: str, home: Path) -> None:
    samples = open_samples(home / "demo" / "samples" / "0")
    classes, score = feature_classes(samples, samples.n_features, seed=0)
    assert {"weekday", "negation"} <= set(classes[score > 0.3].tolist())


def test_ingest_goes_from_text_to_the_database_and_resumes(home: Path) -> None:
    command = ["ingest", "--model", "organism", "--sae", "organism", "--corpus", "organism", "--layer", 1]
    command += ["--activations", 20, "--replicates", 2, "--db", "one.db"]
    done = run(*command, cwd=home)
    assert done.returncode == 0, done.stderr
    assert "tokens" in done.stderr
    assert "inferring and loading included, about" in done.stderr
    assert "if features depended on nothing; more where they do" in done.stderr
    assert "loaded into one.db" in done.stdout
    (row,) = asked(home, "runs", "--db", "one.db")
    assert row["site"] == "organism/blocks.1.hook_resid_post"
    again = run(*command, cwd=home)
    assert again.stdout == done.stdout
    assert "2 x 2 trials, about" in again.stderr
    assert len(asked(home, "runs", "--db", "one.db")) == 1


@pytest.fixture(scope="module")
def both(told: str, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Store]]:
    """The demo's own ArcadeDB, and a Neo4j with which it went on after a kill and said the same."""
    have_neo4j()
    elsewhere = tmp_path_factory.mktemp("neo4j")
    (elsewhere / "demo").symlink_to(home / "demo")
    directory = create_directory(elsewhere / "graph.db", "neo4j")
    # as if it had been killed, in the procedure whose trials take a moment
    unfinished = home / "demo" / "graphs" / "published" / "2"
    (unfinished / "graph.json").unlink()
    (unfinished / "trials" / "real-001.parquet").unlink()
    again = run(*DEMO, cwd=elsewhere)
    assert again.returncode == 0, again.stderr
    assert again.stdout.splitlines()[:-1] == told.splitlines()[:-1], "but for the seconds it took"
    with connect(directory.path, write=True) as neo4j, connect(home / "graph.db", write=True) as arcadedb:
        _forget_when(neo4j, arcadedb)
        yield [arcadedb, neo4j]


def _forget_when(*stores: Store) -> None:
    """Take out when links were tried and communities made, which differs."""
    for store in stores:
        store.write("MATCH (r:Run {kind: 'communities'}) SET r.created = '2026-01-01T00:00:00Z'")
        (row,) = store.write("MATCH (r:Run {kind: 'links'}) RETURN r.verified AS verified")
        verified = json.loads(row["verified"]) | {"created": ""}
        store.write(
            "MATCH (r:Run {kind: 'links'}) SET r.verified = $verified", {"verified": json.dumps(verified)}
        )


@pytest.fixture(scope="module")
def params_for(both: list[Store]) -> dict[str, Any]:
    """A value for each parameter that has to be given: a hub, two of its neighbours, and its site's runs."""
    (hub,) = query(both[0], "hubs", {"limit": 1})
    near = [row["id"] for row in query(both[0], "neighborhood", {"feature": hub["id"], "limit": 2})]
    of_site = (
        "MATCH (r:Run {kind: 'layer'})-[:OF]->(:Site)<-[:IN]-(:Feature {id: $id}) "
        "RETURN r.id AS id ORDER BY r.created, id"
    )
    first, last = (row["id"] for row in both[0].read(of_site, {"id": hub["id"]}))
    token = query(both[0], "feature", {"feature": hub["id"]})[0]["label"].split()[0]
    return {
        "feature": hub["id"],
        "features": [hub["id"], near[0]],
        "from": hub["id"],
        "first": near[0],
        "second": near[1],
        "ids": near,
        "text": token,
        "run": last,
        "other": first,
        "community": query(both[0], "communities", {"limit": 1})[0]["id"],
    }


def test_both_hold_the_same(both: list[Store]) -> None:
    one, other = map(content, both)
    assert one == other
    assert len(one) > 5000


@pytest.mark.parametrize("name", sorted(catalogue()))
def test_both_answer_the_same(both: list[Store], params_for: dict[str, Any], name: str) -> None:
    parameters = catalogue()[name].parameters
    params = {p.name: params_for[p.name] for p in parameters if p.required and p.name in params_for}
    answers: list[Any] = []
    for store in both:
        try:
            answers.append(query(store, name, params))
        except MisuseError as error:
            # what has two communities is given features here, and both say so
            answers.append(re.sub(re.escape(store.address), "it", str(error)))
    # sums of weights hang on their order in the last digit
    assert answers[0] == answers[1] or same(*answers)
    # a hub need not be in a triangle, nor be linked, nor a community be tied to others
    nothing = {"triangles", "bridges", "between", "links"}
    assert (isinstance(answers[0], list) and len(answers[0]) > 0) or name in nothing


def values_of(cells: list[str]) -> list[Any]:
    """Run the cells in one namespace; what a cell ends with is its value, as in a notebook."""
    names: dict[str, Any] = {}
    values = []
    for cell in cells:
        body = ast.parse(cell).body
        last = body.pop() if isinstance(body[-1], ast.Expr) else None
        exec(compile(ast.Module(body, []), str(NOTEBOOK), "exec"), names)
        if isinstance(last, ast.Expr):
            values.append(eval(compile(ast.Expression(last.value), str(NOTEBOOK), "eval"), names))
    return values


def test_every_cell_answers(told: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    monkeypatch.chdir(home)
    values = values_of(["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"])
    frames = [value for value in values if isinstance(value, pl.DataFrame)]
    assert len(frames) == 6
    assert all(frame.height for frame in frames)
