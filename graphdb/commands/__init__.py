"""Verbs of the command line that run a database server of ours, or write for another one."""

from typing import TYPE_CHECKING

from graphdb.commands import db, export

if TYPE_CHECKING:
    from argparse import ArgumentParser, _SubParsersAction


def add_commands(commands: "_SubParsersAction[ArgumentParser]") -> None:
    """Add this room's verbs to the command line."""
    db.add(commands)
    export.add(commands)
