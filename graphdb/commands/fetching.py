"""What an engine needs once on a machine before its first server: jars fetched, classes laid out."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphdb.engines.engine import Engine, Fetched


def fetch(engine: "Engine") -> None:
    """Bring or make what an engine needs, if it is not there; its progress goes to stderr."""
    if not engine.fetched():
        with _progress(engine.fetching, engine.files) as came:
            engine.fetch(came)


def fetch_for(where: str) -> None:
    """Do so for the directory that a command is about to make; nothing if it is there, or at a URL."""
    from graphdb.directory import is_new  # noqa: PLC0415  imported when it is needed
    from graphdb.engines import engine_called  # noqa: PLC0415

    if "://" not in where and is_new(where):
        fetch(engine_called("arcadedb"))


@contextmanager
def _progress(description: str, files: int) -> "Iterator[Fetched]":
    """Show how many of about so many files have come, on stderr."""
    from rich.console import Console  # noqa: PLC0415  heavy
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    if not console.is_terminal:
        sys.stderr.write(f"{description}\n")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(description, total=files)
        yield lambda count: bar.advance(task, count)
        bar.update(task, completed=files)
