"""``stratigraph link`` on samples that somebody else wrote, and links in both databases."""

import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import load_file, save_file

import stratigraph
from graphdb.links_directory import read_links
from graphdb.load import drop_run
from graphdb.load_links import load_links
from graphdb.store import Store, connect
from ingest.linking import LinkConfig, link, pair_of, pairs_in
from ingest.samples_directory import open_samples
from queries.paths import lineage
from tests.analysis.test_links import LINKS, LOWER, UPPER, drawn
from tests.graphdb.stores import content

WIDTH = 48


def write_layer(
    path: Path, layer: int, parts: list[np.ndarray], decoder: np.ndarray, below: str | None
) -> None:
    """A layer in the documented format; of the later one what is passed on is carried too."""
    path.mkdir(parents=True)
    entries = []
    for k, x in enumerate(parts):
        arrays: dict[str, np.ndarray] = {}
        carried = np.where(np.arange(x.shape[1]) < 3, x, 0)
        for prefix, values in (("", x), *([("carried_", carried)] if below is not None else [])):
            token, feature = np.nonzero(values)
            arrays[f"{prefix}start"] = np.searchsorted(token, np.arange(len(x) + 1)).astype(np.int64)
            arrays[f"{prefix}feature"] = feature.astype(np.int32)
            arrays[f"{prefix}value"] = values[token, feature].astype(np.float32)
        save_file(arrays, path / f"replicate-{k:03d}.safetensors")
        entries.append({"file": f"replicate-{k:03d}.safetensors", "tokens": len(x)})
    directions = {"decoder": decoder, "encoder": decoder, "threshold": np.zeros(len(decoder), np.float32)}
    save_file(directions, path / "dictionary.safetensors")
    manifest = {
        "format": "stratigraph-samples",
        "version": 1,
        "site": {"model": "tiny", "source": f"{layer}-sae", "layer": layer},
        "n_features": len(decoder),
        "replicates": entries,
        "tokens_hash": "as one",
        **({} if below is None else {"carried_from": below}),
    }
    (path / "samples.json").write_text(json.dumps(manifest))


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two layers of one pass."""
    root = tmp_path_factory.mktemp("planted")
    parts = [drawn(seed, 3000) for seed in (0, 1)]
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(WIDTH, WIDTH)))[0].astype(np.float32)
    below, above = basis[:LOWER], basis[LOWER : LOWER + UPPER].copy()
    above[:3] = below[[0, 4, 8]]
    write_layer(root / "3", 3, [x for x, _ in parts], below, None)
    write_layer(root / "5", 5, [y for _, y in parts], above, "3")
    return root


@pytest.fixture
def samples(planted: Path, tmp_path: Path) -> Path:
    """The same, to be broken."""
    return Path(shutil.copytree(planted, tmp_path / "samples"))


def say(path: Path, **changes: object) -> None:
    manifest = json.loads((path / "samples.json").read_text())
    (path / "samples.json").write_text(json.dumps(manifest | changes))


def test_links_are_loaded_alike_whoever_writes_them(planted: Path, tmp_path: Path, store: Store) -> None:
    found = link(pair_of(planted / "3", planted / "5"), tmp_path / "links", LinkConfig())
    kinds = {(row["source"], row["target"]): row["kind"] for row in found.links.iter_rows(named=True)}
    assert kinds.keys() == LINKS
    assert {link for link, kind in kinds.items() if kind == "CARRIES"} == {(0, 0), (4, 1), (8, 2)}
    assert (found.carried, found.made, found.gone) == (3, 4, LOWER - 3)
    passed = found.links.filter(pl.col("kind") == "CARRIES")
    np.testing.assert_allclose(passed["decoder_cosine"], 1.0, atol=1e-5)
    np.testing.assert_allclose(passed["virtual_weight"], 1.0, atol=1e-5)
    np.testing.assert_allclose(passed["carried_share"], 1.0, atol=1e-5)
    load_links(store, found)
    once = content(store)
    load_links(store, found)
    assert content(store) == once
    rows = store.read(
        "MATCH (a:Feature)-[l:CARRIES|DRIVES]->(b:Feature) "
        "RETURN a.index AS s, b.index AS t, type(l) AS kind, properties(l) AS p"
    )
    assert {(row["s"], row["t"]): row["kind"] for row in rows} == kinds
    assert all(row["p"]["run"] == found.run.id for row in rows)
    flow = store.read(
        "MATCH (r:Run {kind: 'links', complete: true})-[:OF]->(s:Site) RETURN s.layer AS l, r.carried AS c"
    )
    assert sorted((row["l"], row["c"]) for row in flow) == [(3, 3), (5, 3)]
    assert lineage(store, "tiny/3-sae/4")
    drop_run(store, found.run.id)
    assert not store.read("MATCH ()-[l:CARRIES|DRIVES]->() RETURN l")


def test_what_was_linked_is_loaded_into_another_database(
    planted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert stratigraph.main(["link", str(planted / "3"), str(planted / "5"), "--db", "first.db"]) == 0
    capsys.readouterr()
    (made,) = (tmp_path / "stratigraph-work").glob("links-*")
    assert stratigraph.main(["load", str(made), "--db", "other.db"]) == 0
    found = read_links(made)
    said = capsys.readouterr().out
    assert said == f"run {found.run.id}: tiny/3-sae to tiny/5-sae, {found.links.height} links\n"
    with connect("other.db", write=True) as other, connect("first.db", write=True) as first:
        assert content(other) == content(first)


def test_a_load_that_was_killed_is_completed(planted: Path, tmp_path: Path, store: Store) -> None:
    found = link(pair_of(planted / "3", planted / "5"), tmp_path / "links", LinkConfig())
    load_links(store, found)
    whole = content(store)
    store.write("MATCH (:Feature {index: 4})-[l:CARRIES]->() DELETE l")
    store.write("MATCH (r:Run) SET r.complete = false")
    load_links(store, found)
    store.write("MATCH (r:Run) SET r.complete = true")
    assert content(store) == whole


def test_a_second_run_reads_what_the_first_made(
    planted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    command = ["link", "--all", str(planted), "--db", "graph.db"]
    assert stratigraph.main(command) == 0
    first = capsys.readouterr().out
    assert "3 CARRIES, 6 DRIVES" in first
    assert "3 features are carried and 4 made" in first
    assert max(map(len, first.splitlines())) <= 90
    with connect("graph.db") as store:
        (counted,) = store.read("MATCH ()-[l:CARRIES|DRIVES]->() WHERE l.weight < 0 RETURN count(l) AS n")
    assert f"{counted['n']} of negative weight" in first
    assert stratigraph.main(command) == 0
    again = capsys.readouterr()
    assert again.out == first
    assert "testing" not in again.err
    with connect("graph.db") as store:
        assert len(store.read("MATCH ()-[l:CARRIES|DRIVES]->() RETURN type(l) AS kind")) == len(LINKS)


def test_a_job_resumes_at_its_tests(planted: Path, tmp_path: Path) -> None:
    pair = pair_of(planted / "3", planted / "5")
    whole = link(pair, tmp_path / "links", LinkConfig())
    (tmp_path / "links" / "links.json").unlink()
    resumed = link(pair, tmp_path / "links", LinkConfig())
    assert resumed.links.equals(whole.links)
    assert resumed.run == whole.run


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("reversed", "expected the earlier layer first"),
        ("tokens", "hold different tokens"),
        ("model", "expected two layers of one model"),
        ("corpus", "are of different corpora"),
        ("pass", "is carried from no layer"),
        ("sibling", "is carried from its sibling '4'"),
        ("dictionary", "has no dictionary.safetensors"),
        ("width", "expected two layers of one residual stream"),
        ("fewer", "--replicates is 9"),
        ("unfinished", "is unfinished, 2 replicates so far"),
        ("carried", "has no 'carried_start'"),
        ("one", "expected two, the earlier layer first"),
        ("all", "--all takes one directory"),
        ("fdr", "--fdr is 1.5"),
    ],
)
def test_bad_input_is_a_sentence(
    broken: str, said: str, samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lower, upper = samples / "3", samples / "5"
    words = [str(lower), str(upper)]
    match broken:
        case "reversed":
            words.reverse()
        case "tokens":
            say(upper, tokens_hash="other")
        case "model":
            say(upper, site={"model": "other", "source": "5-sae", "layer": 5})
        case "corpus":
            say(upper, corpus={"name": "other"})
        case "pass":
            say(upper, carried_from=None)
        case "sibling":
            say(upper, carried_from="4")
        case "dictionary":
            (lower / "dictionary.safetensors").unlink()
        case "width":
            arrays = load_file(lower / "dictionary.safetensors")
            arrays |= {name: np.ascontiguousarray(arrays[name][:, :9]) for name in ("decoder", "encoder")}
            save_file(arrays, lower / "dictionary.safetensors")
        case "fewer":
            words += ["--replicates", "9"]
        case "unfinished":
            say(upper, complete=False)
        case "carried":
            file = upper / "replicate-001.safetensors"
            save_file({k: v for k, v in load_file(file).items() if "carried" not in k}, file)
        case "one":
            words.pop()
        case "all":
            words.append("--all")
        case "fdr":
            words += ["--fdr", "1.5"]
    code = stratigraph.main(
        ["link", *words, "--db", str(tmp_path / "g.db"), "--work", str(tmp_path / "work")]
    )
    error = capsys.readouterr().err
    assert code in {1, 2}
    assert said in error
    assert "Traceback" not in error
    assert not (tmp_path / "g.db").exists()


def test_pairs_are_found_lowest_first(samples: Path) -> None:
    shutil.copytree(samples / "5", samples / "7")
    say(samples / "7", site={"model": "tiny", "source": "7-sae", "layer": 7}, carried_from="5")
    assert [pair.name for pair in pairs_in(samples)] == ["3-5", "5-7"]
    assert open_samples(samples / "7").manifest["carried_from"] == "5"
