"""Verbs of the command line that bring something into the graph; one file a verb, imported when it runs."""

from typing import TYPE_CHECKING

from ingest.commands import demo, drop, infer, layer, load, sample

if TYPE_CHECKING:
    from argparse import ArgumentParser, _SubParsersAction


def add_commands(commands: "_SubParsersAction[ArgumentParser]") -> None:
    """Add this room's verbs to the command line."""
    for verb in (demo, sample, infer, load, layer, drop):
        verb.add(commands)
