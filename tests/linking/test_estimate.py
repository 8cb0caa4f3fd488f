"""What ``stratigraph doctor`` foretells of linking two layers."""

import json
from pathlib import Path

import pytest

import stratigraph
from analysis.activations import Columns
from analysis.background import background_of
from analysis.firings import firings_of
from ingest.inference import rehearsal
from ingest.linking import LinkConfig, link, pair_of
from ingest.linking.estimate import _read, _screened, estimate_link
from tests.analysis.test_links import LINKS, LOWER, UPPER
from tests.linking.test_link_command import planted

__all__ = ["planted"]


def test_an_estimate_covers_every_stage_and_writes_nothing(planted: Path) -> None:
    before = {file: file.read_bytes() for file in planted.rglob("*") if file.is_file()}
    found = estimate_link(pair_of(planted / "3", planted / "5"), LinkConfig())
    assert list(found.stages) == [
        *("start", "reading", "pooling", "background", "screens", "neighbourhoods", "tests"),
        "what is carried",
    ]
    assert all(seconds > 0 for seconds in found.stages.values())
    assert found.pooled == 2
    assert 2e8 < found.memory < 2e9
    assert {file: file.read_bytes() for file in planted.rglob("*") if file.is_file()} == before


def test_the_candidates_that_are_timed_are_those_of_the_job(planted: Path, tmp_path: Path) -> None:
    pair = pair_of(planted / "3", planted / "5")
    both: list[Columns] = [_read(pair, k) for k in range(2)]
    firings = firings_of(both)
    found = _screened(firings, background_of(firings), LOWER, LinkConfig().settings())
    assert found.candidates.feature.shape[0] == LOWER + UPPER
    assert (found.candidates.feature < LOWER).all(), "of the earlier layer alone"
    job = link(pair, tmp_path / "links", LinkConfig())
    assert found.candidates.passed == job.left_out["pairs_passing_screen"]
    for source, target in LINKS:
        if job.links.filter(source=source, target=target)["weight"].item() > 0:
            assert source in found.candidates.feature[LOWER + target]


def test_what_is_measured_on_some_replicates_is_extended_to_all(
    planted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsal, "_LARGE", 0)
    monkeypatch.setattr(rehearsal, "_LONG_ENOUGH", 0.0)
    assert estimate_link(pair_of(planted / "3", planted / "5"), LinkConfig()).pooled == 0.25


def test_doctor_estimates_a_link(planted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ends = [str(planted / layer) for layer in ("3", "5")]
    assert stratigraph.main(["doctor", *ends]) == 0
    text = capsys.readouterr().out
    assert all(len(line) < 80 for line in text.splitlines())
    assert "tiny/3-sae to tiny/5-sae" in text
    assert stratigraph.main(["doctor", *ends, "--format", "json"]) == 0
    rows = {row["name"]: row["value"] for row in json.loads(capsys.readouterr().out)}
    assert rows["link"] == "3-5"
    assert rows["features"] == LOWER + UPPER
    assert rows["time"] > 0
    assert 2e8 < rows["memory"] < 2e9


def test_doctor_refuses_what_link_refuses(planted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ends = [str(planted / layer) for layer in ("5", "3")]
    assert stratigraph.main(["doctor", *ends]) == 2
    assert "expected the earlier layer first" in capsys.readouterr().err
    assert stratigraph.main(["doctor", *ends, ends[0]]) == 2
    assert "3 samples directories are named; expected one" in capsys.readouterr().err
