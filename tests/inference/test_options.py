"""The options of infer: how their values are read, and what their help says."""

import argparse

import pytest

from analysis.errors import MisuseError
from ingest.commands import infer as command
from ingest.inference.stopping import FEWEST


@pytest.mark.parametrize(
    ("text", "gigabytes"),
    [
        *(("4", 4), ("0.5", 0.5), ("4GB", 4), ("4G", 4), ("1.5 gb", 1.5)),
        *(("800MB", 0.8), ("1M", 0.001), ("0.5TB", 500), ("1t", 1000), ("-1", -1), (None, None)),
    ],
)
def test_memory_is_gigabytes_unless_it_says_otherwise(text: str | None, gigabytes: float | None) -> None:
    assert command.memory_from(text) == gigabytes


@pytest.mark.parametrize("text", ["much", "", "GB", "4PB", "4B", "4GM", "nan", "inf", "1e400", "4 5"])
def test_another_memory_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(MisuseError, match="expected a number of GB, or one such as 4GB or 800MB") as refused:
        command.memory_from(text)
    assert str(refused.value).startswith(f"--memory is {text!r};")


def test_the_help_says_what_the_options_need() -> None:
    parser = argparse.ArgumentParser(prog="infer")
    command.add_options(parser)
    text = " ".join(parser.format_help().split())
    assert "takes some 0.3 GB more that the budget does not know of" in text
    assert f"needs at least {FEWEST} replicates" in text
