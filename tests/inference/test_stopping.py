"""A job that ends when its kept edges are stable is a job of that many replicates, and of no more."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

import stratigraph
from analysis.errors import DataError, MisuseError
from analysis.firings import Firings, lay_out
from graphdb.graph_directory import read_graph, read_manifest
from ingest.inference import InferConfig, dependence, infer, job
from ingest.inference.stopping import Look, schedule, share_in_common
from ingest.summary import graph_summary
from tests.support.foreign_samples import write_samples

REPLICATES = 12
PROCEDURES = ("calibrated", "published")


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_samples(tmp_path_factory.mktemp("samples") / "3", replicates=REPLICATES)


@pytest.fixture(scope="module", params=PROCEDURES)
def stopped(
    request: pytest.FixtureRequest, samples: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    """A procedure, and the directory of its job that could have used 12 replicates and used 7."""
    out = tmp_path_factory.mktemp("stopped") / "3"
    assert infer(samples, out, InferConfig(request.param, stable=0.9))
    return request.param, out


def files_of(out: Path) -> dict[str, bytes]:
    """Every file below a directory but those that record what was asked for and when."""
    return {
        str(file.relative_to(out)): file.read_bytes()
        for file in sorted(out.rglob("*"))
        if file.is_file() and file.suffix != ".json" and file.name != "lock"
    }


def manifest_of(out: Path) -> dict[str, Any]:
    manifest = read_manifest(out)
    manifest["run"].pop("created")
    return manifest


def noise(path: Path, replicates: int = REPLICATES, n: int = 600, n_features: int = 31) -> Path:
    """Samples of features that fire independently."""
    write_samples(path, replicates=replicates, n=n, n_features=n_features, words=False)
    rng = np.random.default_rng(3)
    for k in range(replicates):
        token, feature = np.nonzero(rng.random((n, n_features)) < 0.2)
        arrays: dict[str, Any] = {
            "start": np.searchsorted(token, np.arange(n + 1)).astype(np.int64),
            "feature": feature.astype(np.int32),
            "value": (0.5 + rng.exponential(1.0, len(token))).astype(np.float32),
        }
        save_file(arrays, path / f"replicate-{k:03d}.safetensors")
    return path


def test_looks_grow_by_the_root_of_two_and_end_with_all() -> None:
    assert schedule(6) == (5, 6)
    assert schedule(30) == (5, 7, 10, 14, 20, 28, 30)
    assert schedule(40) == (5, 7, 10, 14, 20, 28, 40)
    for replicates in range(6, 200):
        looks = schedule(replicates)
        assert (looks[0], looks[-1]) == (5, replicates)
        assert list(looks) == sorted(set(looks))
        assert looks[:-1] == schedule(1000)[: len(looks) - 1]


@given(st.sets(st.integers(0, 20)), st.sets(st.integers(0, 20)))
def test_the_share_in_common_is_that_of_the_sets(one: set[int], other: set[int]) -> None:
    expected = len(one & other) / len(one | other) if one | other else 1.0
    keys = (np.array(sorted(s), np.int64) for s in (one, other))
    assert share_in_common(*keys) == expected


def test_it_is_the_run_of_that_many_replicates(
    stopped: tuple[str, Path], samples: Path, tmp_path: Path
) -> None:
    procedure, out = stopped
    plain = tmp_path / "plain"
    infer(samples, plain, InferConfig(procedure, replicates=7))
    found = files_of(out)
    assert {name for name in found if name.startswith("looks")} == {"looks/005.parquet", "looks/007.parquet"}
    assert {name: data for name, data in found.items() if not name.startswith("looks")} == files_of(plain)
    mine, theirs = manifest_of(out), manifest_of(plain)
    assert mine["run"]["config"].pop("stable") == 0.9
    assert mine["run"].pop("id") != theirs["run"].pop("id")
    assert mine["left_out"].pop("replicates_spared") == 5
    looks = mine["left_out"].pop("looks")
    assert mine == theirs
    assert [look["replicates"] for look in looks] == [5, 7]
    assert looks[0]["in_common"] is None
    assert looks[1]["kept"] == mine["kept"] > 0
    assert looks[1]["in_common"] >= 0.9


def test_looks_keep_what_a_run_of_so_many_replicates_keeps(
    stopped: tuple[str, Path], samples: Path, tmp_path: Path
) -> None:
    procedure, out = stopped
    kept = []
    for count in (5, 7):
        infer(samples, tmp_path / str(count), InferConfig(procedure, replicates=count))
        edges = read_graph(tmp_path / str(count)).edges.filter("kept").select("source", "target")
        assert pl.read_parquet(out / "looks" / f"{count:03d}.parquet").rows() == edges.rows()
        kept.append(set(edges.rows()))
    looks = read_manifest(out)["left_out"]["looks"]
    assert [look["kept"] for look in looks] == [len(edges) for edges in kept]
    assert looks[1]["in_common"] == len(kept[0] & kept[1]) / len(kept[0] | kept[1])


def test_the_summary_shows_the_looks(stopped: tuple[str, Path]) -> None:
    _, out = stopped
    looks = read_manifest(out)["left_out"]["looks"]
    text = graph_summary(out)
    assert "stable after 7 of 12 replicates, 0.9 in common asked for" in text
    rows = [line.split() for line in text.splitlines()]
    assert ["5", f"{looks[0]['kept']}"] in rows
    assert rows[rows.index(["5", f"{looks[0]['kept']}"]) + 1][:2] == ["7", f"{looks[1]['kept']}"]


def test_a_run_that_is_asked_for_nothing_records_nothing(samples: Path, tmp_path: Path) -> None:
    infer(samples, tmp_path / "g", InferConfig(replicates=2))
    manifest = read_manifest(tmp_path / "g")
    assert "stable" not in manifest["run"]["config"]
    assert not {"looks", "replicates_spared"} & set(manifest["left_out"])
    assert not (tmp_path / "g" / "looks").exists()
    assert "stable" not in InferConfig().asked()
    assert "stable" not in graph_summary(tmp_path / "g")


@pytest.mark.parametrize("procedure", PROCEDURES)
def test_noise_is_stable_at_once_with_nothing_kept(tmp_path: Path, procedure: str) -> None:
    infer(noise(tmp_path / "s"), tmp_path / "g", InferConfig(procedure, stable=1.0))
    graph = read_graph(tmp_path / "g")
    assert (graph.n_replicates, graph.kept) == (7, 0)
    assert [look["in_common"] for look in graph.left_out["looks"]] == [None, 1.0]


@pytest.mark.parametrize("procedure", PROCEDURES)
def test_what_is_never_stable_uses_all_and_says_so(tmp_path: Path, procedure: str) -> None:
    samples = write_samples(tmp_path / "s", replicates=8, n=80, words=False)
    infer(samples, tmp_path / "g", InferConfig(procedure, stable=1.0))
    graph = read_graph(tmp_path / "g")
    shares = [look["in_common"] for look in graph.left_out["looks"]]
    assert graph.n_replicates == graph.run.config["replicates"] == 8
    assert graph.left_out["replicates_spared"] == 0
    assert max(shares[1:]) < 1
    said = f"never stable: all 8 replicates are used, .* at most {int(max(shares[1:]) * 1000) / 1000:.3f}"
    assert re.search(said, graph_summary(tmp_path / "g"))


def test_every_look_pools_once_and_no_trial_goes_before(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pooled: list[int] = []
    looks: list[Look] = []

    def watched(read: Any, replicates: int) -> Firings:  # noqa: ANN401
        assert not (tmp_path / "g" / "trials").exists()
        pooled.append(replicates)
        return lay_out(read, replicates)

    monkeypatch.setattr(dependence, "lay_out", watched)
    infer(samples, tmp_path / "g", InferConfig(stable=0.9), looked=looks.append)
    assert pooled == [5, 7]
    assert [look.replicates for look in looks] == [5, 7]
    assert len(list((tmp_path / "g" / "trials").glob("*"))) == 14


@pytest.mark.parametrize("procedure", PROCEDURES)
def test_a_replicate_that_is_not_needed_is_not_read(samples: Path, tmp_path: Path, procedure: str) -> None:
    shutil.copytree(samples, tmp_path / "s")
    (tmp_path / "s" / "replicate-007.safetensors").write_bytes(b"short")
    assert infer(tmp_path / "s", tmp_path / "g", InferConfig(procedure, stable=0.9))
    assert read_graph(tmp_path / "g").n_replicates == 7


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize("allowed", [4, 5, 6])
def test_killed_at_any_file_it_goes_on_to_the_same_bytes(
    stopped: tuple[str, Path], samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, allowed: int
) -> None:
    procedure, whole = stopped
    out = tmp_path / "g"
    made: list[Path] = []
    rename = Path.replace

    def die_after(more: int) -> None:
        end = len(made) + more

        def replace(self: Path, target: Path) -> Path:
            if target.is_relative_to(out):
                if len(made) == end:
                    raise Killed
                made.append(target)
            return rename(self, target)

        monkeypatch.setattr(Path, "replace", replace)

    attempts = 0
    while not (out / "graph.json").exists():
        attempts += 1
        die_after(allowed)
        try:
            infer(samples, out, InferConfig(procedure, stable=0.9))
        except Killed:
            assert attempts < 40
    assert attempts >= 3
    assert files_of(out) == files_of(whole)
    assert manifest_of(out) == manifest_of(whole)
    once = [file for file in made if file.parent.name in ("looks", "trials") or file.stem == "dependence"]
    assert len(once) == len(set(once))


def test_a_killed_process_goes_on_after_its_last_look(tmp_path: Path) -> None:
    samples = write_samples(tmp_path / "s", replicates=8, n=80, words=False)
    config = InferConfig("published", stable=1.0)
    infer(samples, tmp_path / "whole", config)
    options = ["--procedure", "published", "--stable", "1"]
    out = tmp_path / "killed"
    process = subprocess.Popen(
        [sys.executable, "-m", "stratigraph", "infer", str(samples), "--out", str(out), *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not (out / "looks" / "005.parquet").exists() and process.poll() is None:
        time.sleep(0.001)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    stamps = {file: file.stat().st_mtime_ns for file in out.glob("*/*.parquet")}
    assert out / "looks" / "005.parquet" in stamps
    infer(samples, out, config)
    assert {file: file.stat().st_mtime_ns for file in stamps} == stamps
    assert files_of(out) == files_of(tmp_path / "whole")
    assert manifest_of(out) == manifest_of(tmp_path / "whole")


def test_a_replicate_broken_between_looks_is_mended_and_the_looks_before_stay(tmp_path: Path) -> None:
    samples = write_samples(tmp_path / "s", replicates=8, n=80, words=False)
    config = InferConfig(stable=1.0)
    infer(samples, tmp_path / "whole", config)
    file = samples / "replicate-005.safetensors"
    whole = file.read_bytes()
    file.write_bytes(whole[:-10])
    with pytest.raises(DataError, match=r"replicate-005\.safetensors"):
        infer(samples, tmp_path / "g", config)
    stamp = (tmp_path / "g" / "looks" / "005.parquet").stat().st_mtime_ns
    file.write_bytes(whole)
    assert infer(samples, tmp_path / "g", config)
    assert (tmp_path / "g" / "looks" / "005.parquet").stat().st_mtime_ns == stamp
    assert files_of(tmp_path / "g") == files_of(tmp_path / "whole")


def test_a_replicate_that_a_look_has_read_belongs_to_the_run(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(look: Look) -> None:
        raise Killed

    shutil.copytree(samples, tmp_path / "s")
    with pytest.raises(Killed):
        infer(tmp_path / "s", tmp_path / "g", InferConfig(stable=0.9), looked=killed)
    shutil.copy(samples / "replicate-000.safetensors", tmp_path / "s" / "replicate-004.safetensors")
    with pytest.raises(MisuseError, match="made from other samples"):
        infer(tmp_path / "s", tmp_path / "g", InferConfig(stable=0.9))


def test_a_look_that_is_spoilt_is_named(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(job, "_all_trials", killed)
        with pytest.raises(Killed):
            infer(samples, tmp_path / "g", InferConfig(stable=0.9))
    file = tmp_path / "g" / "looks" / "007.parquet"
    whole = file.read_bytes()
    file.write_bytes(b"short")
    with pytest.raises(DataError, match=r"007\.parquet: not readable .* delete it and run infer again"):
        infer(samples, tmp_path / "g", InferConfig(stable=0.9))
    file.unlink()
    assert infer(samples, tmp_path / "g", InferConfig(stable=0.9))
    assert file.read_bytes() == whole


def test_another_share_is_another_run(stopped: tuple[str, Path], samples: Path) -> None:
    procedure, out = stopped
    assert not infer(samples, out, InferConfig(procedure, stable=0.9))
    with pytest.raises(MisuseError, match=r"made with stable = 0.9 where this command says 0.5"):
        infer(samples, out, InferConfig(procedure, stable=0.5))
    with pytest.raises(MisuseError, match=r"made with stable = 0.9 where this command says None"):
        infer(samples, out, InferConfig(procedure))


@pytest.mark.parametrize("share", ["0", "-1", "1.01", "95", "nan", "inf", "most", "0,9", ""])
@pytest.mark.parametrize("verb", ["infer", "ingest"])
def test_a_share_that_is_none_is_refused_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], share: str, verb: str
) -> None:
    source = ["--model", "organism", "--sae", "organism", "--corpus", "organism", "--layer", "1"]
    arguments = {
        "infer": [str(tmp_path / "s"), "--out", str(tmp_path / "g")],
        "ingest": [*source, "--work", str(tmp_path / "g"), "--db", str(tmp_path / "db")],
    }
    assert stratigraph.main([verb, *arguments[verb], f"--stable={share}"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("stratigraph: --stable is ")
    assert "above 0 and at most 1" in said
    assert said.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_too_few_replicates_for_two_looks_are_refused(tmp_path: Path) -> None:
    says = r"--stable .* after 5 replicates and after more, and there are 5; expected 6 or more"
    with pytest.raises(MisuseError, match=says):
        InferConfig(stable=0.9, replicates=5)
    samples = write_samples(tmp_path / "s", replicates=5, n=100)
    with pytest.raises(MisuseError, match=says):
        infer(samples, tmp_path / "g", InferConfig(stable=0.9))
    assert not (tmp_path / "g").exists()
