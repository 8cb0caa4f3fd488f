import sys

import pytest

from bench.truth import sweep
from bench.truth.family import Family, tokens_of
from bench.truth.procedure import Answer, calibrated, calibrated_with
from bench.truth.report import heading
from bench.truth.score import keys_of
from bench.truth.sweep import DEFAULT, SWEEPS, Case, modules


@pytest.mark.parametrize("name", SWEEPS)
def test_every_case_can_be_planted_and_differs_from_the_others(name: str) -> None:
    cases = SWEEPS[name]()
    assert len({case.label for case in cases}) == len(cases)
    kinds = set()
    for case in cases:
        family = case.plant(1000, 256)
        assert len(family.edges()) > 20
        assert family.draw(tokens_of(1000, 0), 100).n_features == 256
        assert case.procedures
        kinds.add((repr(family), case.replicates, case.tokens))
    assert len(kinds) == len(cases)


def test_the_settings_swept_include_the_default() -> None:
    procedures = SWEEPS["settings"]()[0].procedures
    replicates = [modules(1000, 256).draw(tokens_of(1000, k), 1000) for k in range(2)]
    kept = {name: tuple(run(replicates, 0).kept) for name, run in procedures.items()}
    assert kept["default"] == tuple(calibrated(replicates, 0).kept)
    assert kept["default"] == tuple(calibrated_with(DEFAULT)(replicates, 0).kept)


def test_a_sweep_prints_a_row_a_case_and_procedure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def case(label: str, weakest: float) -> Case:
        def plant(seed: int, features: int) -> Family:
            return modules(seed, features, weakest=weakest)

        def everything(replicates: object, seed: int) -> Answer:
            keys = keys_of(plant(seed, 128).edges(), 128)
            return Answer(keys, 0.0, "all", [keys], keys)

        return Case(label, plant, {"everything": everything}, replicates=2, tokens=100)

    monkeypatch.setattr(sweep, "SWEEPS", {"mine": lambda: [case("weak", 0.5), case("strong", 3.0)]})
    monkeypatch.setattr(sys, "argv", ["sweep", "mine", "--features", "128", "--seeds", "1"])
    sweep.main()
    lines = capsys.readouterr().out.strip().splitlines()
    assert lines[0] == "mine"
    assert lines[2:4] == heading().splitlines()
    assert [line.split(" | ")[0] for line in lines[4:]] == ["| weak", "| strong"]
    assert all("| everything |" in line for line in lines[4:])


def test_an_unknown_sweep_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["sweep", "weather"])
    with pytest.raises(SystemExit):
        sweep.main()
    assert "there is no sweep weather; expected rate, tokens" in capsys.readouterr().err
