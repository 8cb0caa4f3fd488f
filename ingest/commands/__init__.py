"""Verbs of the command line that bring something into the graph; one file a verb, imported when it runs."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, _SubParsersAction

VERBS = ("demo", "sample", "infer", "load", "layer", "link", "verify", "cluster", "drop", "doctor")


def add_commands(commands: "_SubParsersAction[ArgumentParser]") -> None:
    """Add this room's verbs to the command line."""
    for verb in VERBS:
        import_module(f"ingest.commands.{verb}").add(commands)
