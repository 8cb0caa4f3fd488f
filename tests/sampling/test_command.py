"""The verb: its options, its help, what it writes where."""

import argparse
import subprocess
import sys
from pathlib import Path

import pytest

from analysis.errors import MisuseError
from ingest.commands import sample as command
from tests.sampling.conftest import Tiny


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="stratigraph")
    command.add(parser.add_subparsers(required=True))
    return parser


def test_the_verb_samples_and_names_its_directories(
    tiny: Tiny, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = _parser().parse_args(
        [
            *("sample", "--model", str(tiny.model), "--sae", str(tiny.saes), "--corpus", str(tiny.corpus)),
            *("--layers", "0,2", "--out", str(tmp_path / "out"), "--activations", "5", "--replicates", "2"),
        ]
    )
    assert arguments.run(arguments) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [str(tmp_path / "out" / "0"), str(tmp_path / "out" / "2")]
    assert "2 replicates of 50 tokens, 100 to read" in err
    assert arguments.run(arguments) == 0
    assert capsys.readouterr() == (out, f"{tmp_path / 'out'} is finished already\n")
    (tmp_path / "out" / "2" / "replicate-001.safetensors").unlink()
    assert arguments.run(arguments) == 0
    again, err = capsys.readouterr()
    assert again == out
    assert f"made again, missing or broken: {tmp_path / 'out' / '2' / 'replicate-001.safetensors'}\n" in err


def test_help_shows_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        _parser().parse_args(["sample", "--help"])
    assert left.value.code == 0
    assert "stratigraph sample --model organism --sae organism --layers 0-3" in capsys.readouterr().out


def test_a_wrong_layer_text_is_refused(tiny: Tiny, tmp_path: Path) -> None:
    arguments = _parser().parse_args(
        ["sample", "--model", "m", "--sae", "s", "--corpus", "c", "--layers", "x", "--out", str(tmp_path)]
    )
    with pytest.raises(MisuseError, match="expected numbers such as 5, 0-3"):
        arguments.run(arguments)


def test_the_command_is_light_to_import() -> None:
    code = "import sys, ingest.commands.sample; print({'torch', 'sae_lens', 'datasets'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout == "set()\n"
