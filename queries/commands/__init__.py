"""Verbs of the command line that ask the graph; one file a verb."""

from typing import TYPE_CHECKING

from queries.commands import communities, feature, lineage, neighbors, paths, query, replicates, runs

if TYPE_CHECKING:
    from argparse import ArgumentParser, _SubParsersAction


def add_commands(commands: "_SubParsersAction[ArgumentParser]") -> None:
    """Add this room's verbs to the command line."""
    for verb in (runs, replicates, feature, neighbors, paths, lineage, communities, query):
        verb.add(commands)
