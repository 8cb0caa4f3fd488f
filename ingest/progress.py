"""Progress of long work, on stderr, with an estimate of the time left.

A bar on a terminal; elsewhere (a log file, a batch system) a line every quarter of a minute and one at the
end, and none at all for work that is done at once.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

Advance = Callable[[float], None]

_PLAIN_INTERVAL = 15.0
"""Seconds between two lines where stderr is no terminal."""
_AT_ONCE = 1.0
"""Seconds below which finished work is not worth a line there."""


@dataclass
class Pace:
    """How far work has come, and how long the rest will take at the mean speed so far.

    Parameters
    ----------
    total
        Units of work.
    done
        Units that were there at the beginning, and cost nothing.
    now
        The clock, in seconds.
    """

    total: float
    done: float = 0.0
    now: Callable[[], float] = time.monotonic
    at: float = field(init=False)
    began: float = field(init=False)
    last: float = field(init=False)

    def __post_init__(self) -> None:
        self.at = self.done
        self.began = self.last = self.now()

    def advance(self, units: float) -> None:
        """Count `units` more."""
        self.at += units
        self.last = self.now()

    @property
    def seconds(self) -> float:
        """Seconds since the beginning."""
        return self.now() - self.began

    def left(self) -> float | None:
        """Seconds left; None before the first unit. Between two units it counts down."""
        if self.at >= self.total:
            return 0.0
        if self.at <= self.done:
            return None
        rest = (self.last - self.began) / (self.at - self.done) * (self.total - self.at)
        return max(0.0, rest - (self.now() - self.last))


class _LeftColumn(ProgressColumn):
    """Time left. Rich's own forgets what is older than half a minute, and a trial may take longer."""

    max_refresh = 0.5

    def __init__(self, pace: Pace) -> None:
        super().__init__()
        self._pace = pace

    def render(self, task: Task) -> Text:  # noqa: ARG002  the pace knows more than the task
        left = self._pace.left()
        return Text(f"left {'-:--:--' if left is None else clock(left)}", style="progress.remaining")


@contextmanager
def progress(description: str, total: float, done: int = 0, unit: str = "") -> Iterator[Advance]:
    """Show progress of `total` units of work, `done` of them there already; yields ``advance(units)``."""
    pace = Pace(total, done)
    if not sys.stderr.isatty():
        yield _plain(description, pace, unit)
        return
    bar = Progress(
        TextColumn(f"{description:<16}"),
        BarColumn(bar_width=16),
        TextColumn("{task.fields[count]}"),
        TimeElapsedColumn(),
        _LeftColumn(pace),
        console=Console(stderr=True),
    )

    def advance(units: float) -> None:
        pace.advance(units)
        bar.update(task, completed=pace.at, count=counted(pace, unit))

    with bar:
        task = bar.add_task(description, total=total, completed=done, count=counted(pace, unit))
        yield advance


def counted(pace: Pace, unit: str) -> str:
    """Write how much is done, short enough for a line: ``3 of 24 trials``, ``12.5M of 375.0M tokens``."""
    large = pace.total >= 1e6
    at, total = (f"{x / 1e6:.1f}M" if large else f"{x:,.0f}" for x in (pace.at, pace.total))
    return f"{at} of {total} {unit}".rstrip()


def clock(seconds: float) -> str:
    """Write a time as ``h:mm:ss``."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def _plain(description: str, pace: Pace, unit: str) -> Advance:
    """Return an ``advance`` that writes a line every few seconds and one at the end."""
    written = pace.now()

    def advance(units: float) -> None:
        nonlocal written
        pace.advance(units)
        if pace.at >= pace.total:
            if pace.seconds >= _AT_ONCE:
                sys.stderr.write(f"{description}: {counted(pace, unit)} in {clock(pace.seconds)}\n")
        elif pace.now() - written >= _PLAIN_INTERVAL:
            written = pace.now()
            sys.stderr.write(f"{description}: {counted(pace, unit)}, left {clock(pace.left() or 0)}\n")
        sys.stderr.flush()

    return advance
