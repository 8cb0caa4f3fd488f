import json
from pathlib import Path

import numpy as np
import pytest

import stratigraph
from analysis.columns import columns_of, moments_of
from analysis.screen import screen
from ingest.inference import InferConfig
from ingest.inference.calibration import _candidates, _extended, noise, time_trial
from ingest.inference.estimate import estimate, estimate_unseen, foretold_size
from ingest.inference.memory import Plan, peak_bytes
from ingest.inference.size import size_of
from ingest.samples_directory import open_samples
from tests.support.foreign_samples import write_samples


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_samples(tmp_path_factory.mktemp("samples") / "3")


def test_nodes_are_timed_with_the_candidates_of_the_screen(samples: Path) -> None:
    a = open_samples(samples).read(0).activations
    columns = columns_of(a)
    moments = moments_of(columns)
    part = (moments.count >= 5) & (moments.deviation > 0)
    truth = screen(columns, moments, part)
    ours = _candidates(a, columns, moments, part, np.flatnonzero(part), InferConfig().settings())
    # Benjamini-Hochberg here sees every pair from both ends, and its threshold is not rounded to a bin.
    different = (truth.feature != ours.feature).sum()
    assert different <= 0.05 * (truth.feature >= 0).sum()


def test_two_timed_shares_of_the_screen_are_extended_to_the_whole() -> None:
    def seconds(f: float) -> float:
        return 2.0 * f + 5.0 * f**2

    assert _extended([(0.1, seconds(0.1)), (0.2, seconds(0.2))]) == pytest.approx(7.0)
    assert _extended([(0.5, seconds(0.5)), (1.0, seconds(1.0))]) == pytest.approx(7.0)
    assert _extended([(0.1, 3.0), (0.2, 1.0)]) == pytest.approx(5.0)


def test_made_up_data_have_the_size_that_was_asked_for() -> None:
    replicate, share = noise(500, 2000, 10.0)
    assert share == 1.0
    assert replicate.activations.n_tokens == 2000
    assert 5 < replicate.activations.l0 < 12
    part, share = noise(20_000, 50_000, 600.0)
    assert 0.05 < share < 0.2
    assert part.activations.n_features == round(20_000 * share)


def test_a_part_of_the_features_stands_for_all() -> None:
    replicate, _ = noise(300, 2000, 10.0)
    settings = InferConfig().settings()
    time_trial(replicate.activations, 1.0, settings)
    whole = time_trial(replicate.activations, 1.0, settings)
    part = time_trial(replicate.activations, 0.25, settings)
    assert part.edges == pytest.approx(4 * whole.edges)
    assert part.screen > whole.screen


def test_an_estimate_covers_every_stage_and_more_trials_take_longer(samples: Path) -> None:
    directory = open_samples(samples)
    found = estimate(directory, InferConfig())
    assert {"start", "reading", "trials", "counting edges", "counting firings", "words"} == set(found.stages)
    assert all(seconds > 0 for seconds in found.stages.values())
    assert found.memory == peak_bytes(size_of(directory, InferConfig()), Plan(1)) or found.memory > 2e8
    size = foretold_size(5000, 12.0, 400, 10, InferConfig())
    few, many = (estimate_unseen(size, InferConfig()).stages["trials"] for _ in range(2))
    assert 0.2 < few / many < 5


def test_doctor_estimates_a_job(samples: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert stratigraph.main(["doctor", str(samples), "--replicates", "2", "--nulls", "3"]) == 0
    text = capsys.readouterr().out
    assert all(len(line) < 80 for line in text.splitlines())
    assert "8: 2 replicates x 4" in text
    assert stratigraph.main(["doctor", str(samples), "--format", "json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["features"]["value"] == 31
    assert 0 < rows["time"]["value"] < 600
    assert 2e8 < rows["memory"]["value"] < 1e9


def test_doctor_refuses_what_infer_refuses(samples: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert stratigraph.main(["doctor", str(samples), "--replicates", "9"]) == 2
    assert "holds 4 replicates; expected 9" in capsys.readouterr().err
    assert stratigraph.main(["doctor", "nowhere"]) == 2


def test_doctor_looks_at_the_installation_and_tells_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STRATIGRAPH_DB", raising=False)
    monkeypatch.setenv("NEO4J_URI", "bolt://someone:secret@localhost:1")
    assert stratigraph.main(["doctor", "--format", "json"]) == 0
    out = capsys.readouterr().out
    assert "secret" not in out
    rows = {row["name"]: row["value"] for row in json.loads(out)}
    assert rows["NEO4J_URI"] == "unreachable"
    assert rows["database"] == "absent"
    assert rows["kernels"] == "run"
    assert rows["numba"]
