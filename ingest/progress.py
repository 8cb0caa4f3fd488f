"""Progress of long work, on stderr, with an estimate of the time left."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

Advance = Callable[[float], None]

_PLAIN_INTERVAL = 15.0
"""Seconds between two lines where stderr is no terminal (a log file, a batch system)."""


@contextmanager
def progress(description: str, total: float, done: int = 0, unit: str = "") -> Iterator[Advance]:
    """Show progress of `total` units of work, `done` of them there already; yields ``advance(units)``."""
    if not sys.stderr.isatty():
        yield _plain(description, total, done, unit)
        return
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    with bar:
        task = bar.add_task(description, total=total, completed=done)
        yield lambda units: bar.advance(task, units)


def _plain(description: str, total: float, done: int, unit: str) -> Advance:
    """Return an ``advance`` that writes a line every few seconds and one at the end."""
    began = last = time.monotonic()
    at, start = float(done), float(done)

    def advance(units: float) -> None:
        nonlocal at, last
        at += units
        now = time.monotonic()
        if now - last < _PLAIN_INTERVAL and at < total:
            return
        last = now
        left = (now - began) / max(at - start, 1e-9) * (total - at)
        sys.stderr.write(
            f"{description}: {at:,.0f} of {total:,.0f} {unit}, about {max(left, 0):.0f} s left\n"
        )
        sys.stderr.flush()

    return advance
