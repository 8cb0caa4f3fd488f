import io
import sys

import pytest

from ingest import progress as module
from ingest.progress import Pace, clock, counted, progress


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


def test_the_time_left_is_that_of_the_mean_speed_and_counts_down() -> None:
    now = Clock()
    pace = Pace(10, 4, now)
    assert pace.left() is None
    now.time = 60.0
    pace.advance(2)
    # What was there at the beginning says nothing of the speed.
    assert pace.left() == pytest.approx(120.0)
    now.time = 90.0
    assert pace.left() == pytest.approx(90.0)
    now.time = 1000.0
    assert pace.left() == 0.0
    pace.advance(4)
    assert pace.left() == 0.0


def test_counts_and_times_are_short() -> None:
    assert counted(Pace(24, 3), "trials") == "3 of 24 trials"
    assert counted(Pace(375_000_000, 12_500_000), "tokens") == "12.5M of 375.0M tokens"
    assert clock(3725.4) == "1:02:05"


def test_off_a_terminal_there_are_few_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    now = Clock()
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    monkeypatch.setattr(module, "Pace", lambda total, done: Pace(total, done, now))
    with progress("trials", 100, unit="trials") as advance:
        for _ in range(100):
            now.time += 1.0
            advance(1)
    lines = written.getvalue().splitlines()
    assert lines[0] == "trials: 15 of 100 trials, left 0:01:25"
    assert lines[-1] == "trials: 100 of 100 trials in 0:01:40"
    assert len(lines) == 7
    with progress("writing", 1, unit="graph") as advance:
        advance(1)
    assert len(written.getvalue().splitlines()) == 7


def test_a_bar_fits_eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    written = Terminal()
    monkeypatch.setattr(sys, "stderr", written)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    with progress("counting firings", 375_000_000, 100, "tokens") as advance:
        advance(300_000_000)
    shown = [line for line in written.getvalue().splitlines() if "300.0M of 375.0M tokens" in line]
    assert shown
    assert all(len(line) <= 80 for line in shown)
