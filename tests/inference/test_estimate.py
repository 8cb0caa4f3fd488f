import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import stratigraph
from analysis.activations import Activations
from analysis.background import background_of
from analysis.calibrated import dependence_of
from analysis.columns import columns_of, moments_of
from analysis.firings import firings_of
from analysis.screen import screen
from ingest.inference import InferConfig, node_sample, rehearsal
from ingest.inference.calibration import _candidates, _extended, noise, time_trial
from ingest.inference.estimate import estimate, estimate_unseen, foretold_size
from ingest.inference.node_sample import drawn, screened, time_regressions
from ingest.inference.rehearsal import beginning, by_power, on_line
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


PUBLISHED = InferConfig(procedure="published")
AT_END = {"start", "reading", "trials", "counting edges", "counting firings", "words"}
POOLED = {"pooling", "background", "screen", "neighbourhoods", "tests"}


def contents(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.iterdir()}


def test_an_estimate_covers_every_stage_of_its_procedure_and_writes_nothing(samples: Path) -> None:
    before = contents(samples)
    directory = open_samples(samples)
    published, calibrated = estimate(directory, PUBLISHED), estimate(directory, InferConfig())
    assert set(published.stages) == AT_END
    assert set(calibrated.stages) == AT_END | POOLED
    assert all(seconds > 0 for found in (published, calibrated) for seconds in found.stages.values())
    assert published.pooled is None
    assert calibrated.pooled == 4
    assert calibrated.memory > 2e8
    assert contents(samples) == before


def test_one_replicate_will_do(tmp_path: Path) -> None:
    found = estimate(open_samples(write_samples(tmp_path / "one", replicates=1)), InferConfig())
    assert found.pooled == 1
    assert found.stages["tests"] > 0


def test_a_site_without_dependence_has_no_pairs_to_test() -> None:
    firings = firings_of([columns_of(noise(200, 3000, 6.0)[0].activations)])
    settings = InferConfig().calibrated()
    found = screened(firings, background_of(firings), settings)
    made = time_regressions(found, settings, tests=True)
    assert made.choices == 0
    assert made.tests < 1


def test_of_a_small_site_all_neighbourhoods_are_those_of_the_job(samples: Path) -> None:
    directory, settings = open_samples(samples), InferConfig().calibrated()
    firings = firings_of([columns_of(directory.read(k).activations) for k in range(4)])
    background = background_of(firings)
    found = screened(firings, background, settings)
    made = time_regressions(found, settings, tests=True)
    truth = dependence_of(firings, background, settings)
    assert truth.candidates.passed == found.candidates.passed
    # Every pair that is tested was chosen by one end or by both.
    assert len(truth.source) <= made.choices <= 2 * len(truth.source)


def test_nodes_are_drawn_evenly_over_the_features_in_order_of_their_firings() -> None:
    firings = firings_of([columns_of(noise(300, 2000, 10.0)[0].activations)])
    found = screened(firings, background_of(firings), InferConfig().calibrated())
    of_part = np.flatnonzero(found.part)
    rank = np.empty(300, int)
    rank[of_part[np.argsort(firings.count[of_part], kind="stable")]] = np.arange(len(of_part))
    run = len(of_part) / 10
    place = np.sort(rank[drawn(found, 10)])
    assert np.all(place >= np.floor(run * np.arange(10)))
    assert np.all(place < run * np.arange(1, 11))
    assert drawn(found, 300).tolist() == of_part.tolist()


def test_a_sample_of_the_nodes_stands_for_all(samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory, settings = open_samples(samples), InferConfig().calibrated()
    firings = firings_of([columns_of(directory.read(k).activations) for k in range(4)])
    found = screened(firings, background_of(firings), settings)
    whole = time_regressions(found, settings, tests=True)
    monkeypatch.setattr(node_sample, "_LONG_ENOUGH", 0.0)
    part = time_regressions(found, settings, tests=True)
    assert part.choices == pytest.approx(whole.choices, rel=0.5)
    assert part.tests > 0


def test_what_is_measured_on_some_replicates_is_extended_to_all(
    samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert on_line([1, 2], [3.0, 5.0], 12) == pytest.approx(25)
    assert on_line([1, 2], [3.0, 2.0], 12) == pytest.approx(2)
    assert on_line([2], [3.0], 4) == pytest.approx(6)
    assert by_power([1, 2], [1.0, 2.0**1.5], 8) == pytest.approx(8**1.5)
    assert by_power([1, 2], [1.0, 64.0], 4) == pytest.approx(64 * 4)
    assert by_power([1, 2], [0.0, 1.0], 4) == pytest.approx(2)
    monkeypatch.setattr(rehearsal, "_LONG_ENOUGH", 0.0)
    directory = open_samples(samples)
    found = estimate(directory, InferConfig())
    assert found.pooled == 2
    assert set(found.stages) == AT_END | POOLED
    monkeypatch.setattr(rehearsal, "_LARGE", 0)
    assert estimate(directory, InferConfig()).pooled == 0.25


def test_the_beginning_of_a_replicate_is_its_first_tokens(samples: Path) -> None:
    a = open_samples(samples).read(0).activations
    h = a.start[150]
    truth = columns_of(Activations(a.start[:151], a.feature[:h], a.value[:h], a.n_features))
    ours = beginning(columns_of(a), 0.25)
    assert ours.n_tokens == truth.n_tokens == 150
    for name in ("start", "token", "value"):
        assert np.array_equal(getattr(ours, name), getattr(truth, name))


def test_more_replicates_are_foretold_more(tmp_path: Path) -> None:
    directory = open_samples(write_samples(tmp_path / "s", replicates=12, n=3000, n_features=121))
    few, many = (estimate(directory, InferConfig(replicates=r)) for r in (1, 12))
    assert many.seconds_once_started > few.seconds_once_started
    assert many.memory >= few.memory


def test_samples_that_are_not_there_yet_are_foretold_by_their_size() -> None:
    for config in (InferConfig(), PUBLISHED):
        size = foretold_size(5000, 12.0, 400, 10, config)
        few, many = (estimate_unseen(size, config).stages["trials"] for _ in range(2))
        assert 0.1 < few / many < 10


def test_doctor_estimates_a_job(samples: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert stratigraph.main(["doctor", str(samples), "--replicates", "2", "--nulls", "3"]) == 0
    text = capsys.readouterr().out
    assert all(len(line) < 80 for line in text.splitlines())
    assert "8: 2 replicates x 4" in text
    assert "measured on 2 of 2 replicates" in text
    assert stratigraph.main(["doctor", str(samples), "--format", "json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["features"]["value"] == 31
    assert rows["time"]["value"] > 0
    assert 2e8 < rows["memory"]["value"] < 1e9
    assert rows["pooled stages"]["value"] == 4
    assert stratigraph.main(["doctor", str(samples), "--procedure", "published"]) == 0
    assert "pooled" not in capsys.readouterr().out


def test_doctor_refuses_what_infer_refuses(samples: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert stratigraph.main(["doctor", str(samples), "--replicates", "9"]) == 2
    assert "holds 4 replicates; expected 9" in capsys.readouterr().err
    assert stratigraph.main(["doctor", "nowhere"]) == 2


@pytest.mark.parametrize("damage", ["missing", "truncated", "garbage"])
def test_doctor_names_a_replicate_that_does_not_read(
    samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    shutil.copytree(samples, tmp_path / "s")
    file = tmp_path / "s" / "replicate-001.safetensors"
    whole = file.read_bytes()
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes(whole[:-100] if damage == "truncated" else b"garbage")
    for procedure in ("calibrated", "published"):
        assert stratigraph.main(["doctor", str(tmp_path / "s"), "--procedure", procedure]) == 1
        assert "! replicates        missing or broken, sample again: replicate-001" in capsys.readouterr().out
    assert open_samples(tmp_path / "s").unreadable(1) == []


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
