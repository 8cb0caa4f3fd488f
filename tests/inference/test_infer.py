import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import load_file

from analysis.bursts import LAGS, SPANS
from analysis.errors import DataError, MisuseError, StratigraphError
from analysis.layer_graph import LayerGraph
from analysis.run import Run
from analysis.stability import EdgeCounts, count_edges
from graphdb.graph_directory import read_graph
from ingest.inference import InferConfig, Resources, dependence, infer, job
from ingest.inference.keeping import calibrated_keep
from ingest.samples_directory import open_samples
from tests.analysis.naive import dense
from tests.support.foreign_samples import WORDS, write_samples


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_samples(tmp_path_factory.mktemp("samples") / "3")


@pytest.fixture(scope="module")
def out(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("graph") / "3"
    assert infer(samples, out, InferConfig(nulls=2))
    return out


@pytest.fixture(scope="module")
def graph(out: Path) -> LayerGraph:
    return read_graph(out)


@pytest.fixture(scope="module")
def published(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> LayerGraph:
    out = tmp_path_factory.mktemp("published") / "3"
    assert infer(samples, out, InferConfig("published", nulls=2))
    return read_graph(out)


def same(a: Path, b: Path) -> None:
    """Assert that two graph directories hold the same tables and the same manifest but for the clock."""
    for name in ("features", "edges", "contexts"):
        assert (a / f"{name}.parquet").read_bytes() == (b / f"{name}.parquet").read_bytes()
    one, other = (json.loads((p / "graph.json").read_text()) for p in (a, b))
    one["run"].pop("created")
    other["run"].pop("created")
    assert one == other


PLANTED = {(i, j) for i in range(30) for j in range(i + 1, 30) if i // 3 == j // 3}
"""Pairs of the modules; the last of them lacks the feature that never fires."""


def pairs_of(edges: pl.DataFrame) -> set[tuple[int, int]]:
    return set(zip(edges["source"].to_list(), edges["target"].to_list(), strict=True))


def test_the_published_procedure_finds_the_modules_by_counts(published: LayerGraph) -> None:
    kept = published.edges.filter("kept")
    assert published.r_star is not None
    assert len(pairs_of(kept) & PLANTED) >= 0.9 * len(PLANTED)
    assert (published.edges["source"] < published.edges["target"]).all()
    assert published.edges.filter((pl.col("replicates") < 2) & ~pl.col("kept")).is_empty()
    fdr = {row["replicates"]: row["fdr"] for row in published.replicate_table.to_dicts()}
    assert published.edges["q_shuffle"].to_list() == [fdr[c] for c in published.edges["replicates"]]
    assert (published.edges["kept"] == (published.edges["replicates"] >= published.r_star)).all()
    for name in ("q_value", "partial_correlation", "standard_error"):
        assert published.edges[name].is_null().all()


def test_the_calibrated_procedure_finds_the_modules_by_tests(graph: LayerGraph) -> None:
    kept = graph.edges.filter("kept")
    assert len(pairs_of(kept) & PLANTED) >= 0.9 * len(PLANTED)
    # At level 0.1 of 30 found 3 false are expected at most.
    assert len(pairs_of(kept) - PLANTED) <= 6
    assert (graph.edges["source"] < graph.edges["target"]).all()
    assert (graph.edges["kept"] == (graph.edges["q_value"] <= 0.1)).all()
    assert graph.edges["q_value"].is_between(0, 1).all()
    assert kept["partial_correlation"].is_between(-1, 1).all()
    assert (kept["standard_error"] > 0).all()
    assert (kept["weight"] == kept["partial_correlation"]).all()
    # Of followers of one cause each keeps a share of the others' dependence: it is there and positive.
    assert (kept.filter(pl.col("source") // 3 == pl.col("target") // 3)["partial_correlation"] > 0.1).all()


def test_edges_never_tested_have_a_q_of_one(out: Path, tmp_path: Path) -> None:
    run = Run(**json.loads((out / "job.json").read_text())["run"])
    tested = pl.read_parquet(out / "dependence.parquet")
    assert {"partial_correlation", "standard_error", "q_value"} < set(tested.columns)
    assert pairs_of(tested) <= {(i, j) for i in range(31) for j in range(31) if i < j}
    tested.filter(pl.col("source") != 3).write_parquet(
        tmp_path / "dependence.parquet", metadata={"counts": "{}"}
    )
    edges = EdgeCounts(
        np.array([0, 3], np.int32),
        np.array([1, 4], np.int32),
        np.array([4, 4], np.int32),
        np.array([0.25, 0.5]),
        np.array([0.3, 0.6]),
    )
    keep = calibrated_keep(tmp_path, run)
    rows = {(r["source"], r["target"]): r for r in keep(edges, (0, 31)).to_dicts()}
    assert set(rows) == {(3, 4)} | pairs_of(tested.filter(pl.col("source") != 3))
    assert rows[3, 4]["q_value"] == 1
    assert not rows[3, 4]["kept"]
    assert (rows[3, 4]["weight"], rows[3, 4]["replicates"]) == (0.5, 4)
    assert rows[3, 4]["partial_correlation"] is None
    assert rows[0, 1]["kept"]
    assert rows[0, 1]["weight"] == rows[0, 1]["partial_correlation"] != 0.25
    # What no trial shows is kept by its q all the same; a block holds its own sources only.
    assert {pair for pair, row in rows.items() if row["replicates"] == 0} == set(rows) - {(0, 1), (3, 4)}
    none = count_edges([], 31)
    assert set(keep(none, (6, 9))["source"]) <= {6, 7, 8}


def test_the_background_is_kept_beside_the_tests(out: Path) -> None:
    arrays = load_file(out / "background.safetensors")
    assert arrays["loading"].shape == (31,)
    assert arrays["lasting"].shape == (31, LAGS + SPANS)
    counts = json.loads(pl.read_parquet_metadata(out / "dependence.parquet")["counts"])
    assert counts["pairs_tested"] == pl.read_parquet(out / "dependence.parquet").height > 0
    assert counts["tests_not_converged"] == 0


def test_pooling_that_is_done_is_not_done_again(
    out: Path, samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    def pooled(*_: object) -> None:
        raise AssertionError("all replicates were laid end to end once more")

    with monkeypatch.context() as patch:
        patch.setattr(job, "_all_trials", killed)
        with pytest.raises(KeyboardInterrupt):
            infer(samples, tmp_path / "g", InferConfig(nulls=2))
    assert not (tmp_path / "g" / "trials").exists()
    stamp = (tmp_path / "g" / "dependence.parquet").stat().st_mtime_ns
    monkeypatch.setattr(dependence, "lay_out", pooled)
    assert infer(samples, tmp_path / "g", InferConfig(nulls=2))
    assert (tmp_path / "g" / "dependence.parquet").stat().st_mtime_ns == stamp
    same(out, tmp_path / "g")
    pooled_alike(out, tmp_path / "g")


def test_a_background_without_its_tests_is_made_again(out: Path, samples: Path, tmp_path: Path) -> None:
    # What a job leaves that is killed between the two files.
    infer(samples, tmp_path / "g", InferConfig(nulls=2))
    for name in ("graph.json", "dependence.parquet"):
        (tmp_path / "g" / name).unlink()
    (tmp_path / "g" / "background.safetensors").write_bytes(b"half")
    assert infer(samples, tmp_path / "g", InferConfig(nulls=2))
    pooled_alike(out, tmp_path / "g")
    same(out, tmp_path / "g")


@pytest.mark.parametrize("name", ["background.safetensors", "dependence.parquet"])
def test_what_was_pooled_and_is_spoilt_is_named(samples: Path, tmp_path: Path, name: str) -> None:
    infer(samples, tmp_path / "g", InferConfig())
    (tmp_path / "g" / "graph.json").unlink()
    (tmp_path / "g" / name).write_bytes(b"short")
    with pytest.raises(DataError, match=rf"{name}: not readable .* run infer again") as refused:
        infer(samples, tmp_path / "g", InferConfig())
    assert "\n" not in str(refused.value)


def test_a_gpu_is_refused_to_calibrated_trials(samples: Path, tmp_path: Path) -> None:
    with pytest.raises(
        MisuseError, match=r"--device is 'cuda' .* only published trials run on a GPU"
    ) as refused:
        infer(samples, tmp_path / "g", InferConfig(), Resources(device="cuda"))
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "g").exists()


def test_a_gpu_that_is_not_there_is_refused_before_anything_is_written(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(MisuseError, match="torch sees 0 CUDA devices"):
        infer(samples, tmp_path / "g", InferConfig("published"), Resources(device="cuda"))
    assert not (tmp_path / "g").exists()


def pooled_alike(a: Path, b: Path) -> None:
    """Assert that two directories hold the same background and the same tests."""
    for name in ("background.safetensors", "dependence.parquet"):
        assert (a / name).read_bytes() == (b / name).read_bytes()


def test_features_count_what_the_shards_hold(graph: LayerGraph, samples: Path) -> None:
    directory = open_samples(samples)
    x = np.concatenate([dense(directory.read(k).activations) for k in range(4)])
    np.testing.assert_array_equal(graph.features["activations"], (x > 0).sum(axis=0))
    np.testing.assert_allclose(graph.features["frequency"], (x > 0).mean(axis=0))
    np.testing.assert_allclose(graph.features["max_activation"], x.max(axis=0))
    fires = (x > 0).astype(int)
    for row in graph.edges.head(20).to_dicts():
        assert row["coactivation"] == (fires[:, row["source"]] & fires[:, row["target"]]).sum()
    assert graph.left_out["features_never_firing"] == 1
    degree = np.zeros(31, int)
    for row in graph.edges.filter("kept").to_dicts():
        degree[[row["source"], row["target"]]] += 1
    np.testing.assert_array_equal(graph.features["degree"], degree)


def test_top_tokens_share_out_the_activation(graph: LayerGraph, samples: Path) -> None:
    directory = open_samples(samples)
    mass = np.zeros((31, len(WORDS)))
    for k in range(4):
        replicate = directory.read(k)
        assert replicate.token_id is not None
        np.add.at(mass.T, replicate.token_id, dense(replicate.activations))
    for index in (0, 7, 29):
        tokens = graph.features["top_tokens"][index].to_list()
        shares = mass[index] / mass[index].sum()
        best = np.argsort(-shares)[:5]
        assert [t["token"] for t in tokens] == [f" {WORDS[b]}" for b in best]
        np.testing.assert_allclose([t["share"] for t in tokens], shares[best])
    assert graph.features["label"][0] == " · ".join(
        t["token"].strip() for t in graph.features["top_tokens"][0].to_list()[:3]
    )
    assert graph.features["label"][30] is None


def test_contexts_are_the_text_around_the_strongest_firings(graph: LayerGraph, samples: Path) -> None:
    directory = open_samples(samples)
    assert graph.contexts is not None
    firings = []
    for k in range(4):
        replicate = directory.read(k)
        x = dense(replicate.activations)[:, 5]
        assert replicate.token_id is not None
        for s in range(30):
            run = slice(20 * s, 20 * s + 20)
            t = int(np.argmax(x[run]))
            words = [f" {WORDS[i]}" for i in replicate.token_id[run]]
            firings.append(
                (float(x[run][t]), "".join(words[max(0, t - 16) : t]), words[t], "".join(words[t + 1 :][:8]))
            )
    best = sorted(firings, key=lambda f: -f[0])[:5]
    got = graph.contexts.filter(pl.col("feature") == 5).sort("rank")
    assert got["rank"].to_list() == [1, 2, 3, 4, 5]
    assert list(zip(got["value"], got["left"], got["token"], got["right"], strict=True)) == best


def test_samples_without_words_or_dictionary_still_give_a_graph(tmp_path: Path) -> None:
    infer(write_samples(tmp_path / "s", words=False, d_model=None), tmp_path / "g", InferConfig())
    graph = read_graph(tmp_path / "g")
    assert graph.contexts is None
    assert graph.features["label"].is_null().all()
    assert graph.edges["decoder_cosine"].is_null().all()


def test_a_finished_directory_is_left_as_it_is(samples: Path, tmp_path: Path) -> None:
    assert infer(samples, tmp_path / "g", InferConfig())
    before = (tmp_path / "g" / "graph.json").stat().st_mtime_ns
    assert not infer(samples, tmp_path / "g", InferConfig())
    assert (tmp_path / "g" / "graph.json").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("graph.json", "{"),
        ("graph.json", "{}"),
        ("edges.parquet", "garbage"),
        ("edges.parquet", None),
        ("features.parquet", "short"),
        ("contexts.parquet", None),
    ],
)
def test_a_finished_graph_that_does_not_read_is_put_together_again(
    samples: Path, out: Path, tmp_path: Path, name: str, damage: str | None
) -> None:
    shutil.copytree(out, tmp_path / "g")
    stamps = {file: file.stat().st_mtime_ns for file in (tmp_path / "g" / "trials").iterdir()}
    if damage is None:
        (tmp_path / "g" / name).unlink()
    else:
        (tmp_path / "g" / name).write_text(damage)
    told: list[str] = []
    assert infer(samples, tmp_path / "g", InferConfig(nulls=2), mending=told.append)
    assert len(told) == 1
    assert name in told[0]
    same(tmp_path / "g", out)
    assert stamps == {file: file.stat().st_mtime_ns for file in stamps}
    assert not infer(samples, tmp_path / "g", InferConfig(nulls=2), mending=told.append)


def test_threads_and_copies_elsewhere_change_nothing(samples: Path, tmp_path: Path) -> None:
    shutil.copytree(samples, tmp_path / "copy")
    infer(samples, tmp_path / "one", InferConfig(), Resources(threads=1))
    infer(tmp_path / "copy", tmp_path / "two", InferConfig(), Resources(threads=2, memory=8))
    same(tmp_path / "one", tmp_path / "two")
    pooled_alike(tmp_path / "one", tmp_path / "two")


def test_another_configuration_or_other_samples_are_refused(samples: Path, tmp_path: Path) -> None:
    infer(samples, tmp_path / "g", InferConfig())
    with pytest.raises(MisuseError, match=r"made with tune = 'ebic' where this command says 'bic'"):
        infer(samples, tmp_path / "g", InferConfig(tune="bic"))
    other = write_samples(tmp_path / "other", seed=1)
    with pytest.raises(MisuseError, match="made from other samples"):
        infer(other, tmp_path / "g", InferConfig())
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").touch()
    with pytest.raises(MisuseError, match="not empty and no graph directory"):
        infer(samples, tmp_path / "full", InferConfig())
    assert [p.name for p in (tmp_path / "full").iterdir()] == ["thesis.tex"]


def test_fewer_replicates_than_asked_are_refused(samples: Path, tmp_path: Path) -> None:
    with pytest.raises(MisuseError, match=r"--replicates is 5; .* holds 4"):
        infer(samples, tmp_path / "g", InferConfig(replicates=5))
    assert not (tmp_path / "g").exists()


def test_a_job_that_cannot_fit_is_refused_at_the_start(samples: Path, tmp_path: Path) -> None:
    with pytest.raises(MisuseError, match=r"--memory is 0.1 GB; this job needs at least"):
        infer(samples, tmp_path / "g", InferConfig(), Resources(memory=0.1))


def test_a_second_process_is_refused(samples: Path, tmp_path: Path) -> None:
    (tmp_path / "g").mkdir()
    with (tmp_path / "g" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(StratigraphError, match="being worked on by another process"):
            infer(samples, tmp_path / "g", InferConfig())
    assert infer(samples, tmp_path / "g", InferConfig())


def test_a_broken_replicate_stops_the_job_and_a_mended_one_lets_it_go_on(
    samples: Path, tmp_path: Path
) -> None:
    shutil.copytree(samples, tmp_path / "s")
    file = tmp_path / "s" / "replicate-002.safetensors"
    whole = file.read_bytes()
    file.write_bytes(whole[:-100])
    config = InferConfig("published")
    with pytest.raises(DataError, match=r"replicate-002\.safetensors: truncated"):
        infer(tmp_path / "s", tmp_path / "g", config)
    file.write_bytes(whole)
    stamp = (tmp_path / "g" / "trials" / "real-000.parquet").stat().st_mtime_ns
    assert infer(tmp_path / "s", tmp_path / "g", config)
    assert (tmp_path / "g" / "trials" / "real-000.parquet").stat().st_mtime_ns == stamp
    infer(samples, tmp_path / "straight", config)
    same(tmp_path / "g", tmp_path / "straight")


def test_tests_of_replicates_that_were_changed_since_are_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(Exception):  # noqa: N818  it stands for a signal
        pass

    def killed(*_: object) -> None:
        raise Killed

    before = write_samples(tmp_path / "s", seed=1, words=False, d_model=None)
    with monkeypatch.context() as broken:
        broken.setattr(dependence, "_write", killed)
        with pytest.raises(Killed):
            infer(before, tmp_path / "g", InferConfig())
    assert list((tmp_path / "g" / "tests").glob("*.npy"))
    shutil.rmtree(before)
    after = write_samples(tmp_path / "s", seed=2, words=False, d_model=None)
    assert infer(after, tmp_path / "g", InferConfig())
    infer(after, tmp_path / "straight", InferConfig())
    for name in ("edges", "features", "dependence"):
        made, expected = (tmp_path / out / f"{name}.parquet" for out in ("g", "straight"))
        assert made.read_bytes() == expected.read_bytes()


def test_a_broken_replicate_stops_a_calibrated_job_before_any_trial(samples: Path, tmp_path: Path) -> None:
    shutil.copytree(samples, tmp_path / "s")
    file = tmp_path / "s" / "replicate-002.safetensors"
    whole = file.read_bytes()
    file.write_bytes(whole[:-100])
    with pytest.raises(DataError, match=r"replicate-002\.safetensors: truncated"):
        infer(tmp_path / "s", tmp_path / "g", InferConfig())
    assert not (tmp_path / "g" / "dependence.parquet").exists()
    assert not (tmp_path / "g" / "trials").exists()
    file.write_bytes(whole)
    assert infer(tmp_path / "s", tmp_path / "g", InferConfig())
    infer(samples, tmp_path / "straight", InferConfig())
    same(tmp_path / "g", tmp_path / "straight")
    # A replicate that has been pooled belongs to the run as much as one that a trial has read.
    (tmp_path / "g" / "graph.json").unlink()
    shutil.rmtree(tmp_path / "g" / "trials")
    other = write_samples(tmp_path / "other", seed=1)
    with pytest.raises(MisuseError, match="made from other samples"):
        infer(other, tmp_path / "g", InferConfig())


def test_kill_and_resume_gives_the_same_graph(tmp_path: Path) -> None:
    samples = write_samples(tmp_path / "s", replicates=6, n=4000)
    infer(samples, tmp_path / "whole", InferConfig())
    command = [sys.executable, "-m", "stratigraph", "infer", str(samples), "--out", str(tmp_path / "killed")]
    trials = tmp_path / "killed" / "trials"
    for finished in (1, 5, 9):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while len(list(trials.glob("*.parquet"))) < finished and process.poll() is None:
            time.sleep(0.002)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        stamps = {p.name: p.stat().st_mtime_ns for p in trials.glob("*.parquet")}
    assert len(stamps) < 12
    assert infer(samples, tmp_path / "killed", InferConfig())
    # A trial that was finished is never computed again.
    assert all((trials / name).stat().st_mtime_ns == stamp for name, stamp in stamps.items())
    same(tmp_path / "whole", tmp_path / "killed")


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"procedure": "guess"}, "--procedure is 'guess'; expected one of calibrated, published"),
        ({"tune": "cv"}, "--tune is 'cv'; folds know nothing of the activity of the token"),
        ({"tune": "aic"}, "--tune is 'aic'; expected one of ebic, bic, cv"),
        ({"fdr": 1.5}, "--fdr is 1.5; expected a number between 0 and 1"),
        ({"nulls": 0}, "--nulls is 0; expected 1 or more"),
        ({"replicates": 0}, "--replicates is 0; expected 1 or more"),
        ({"seed": -1}, "--seed is -1; expected 0 or more"),
    ],
)
def test_contradictions_are_refused_at_construction(settings: dict[str, object], says: str) -> None:
    with pytest.raises(MisuseError, match=says):
        InferConfig(**settings)  # type: ignore[arg-type]
