"""Seconds of each stage of a trial on one thread, and how near each is to what bounds it.

The bounds are measured beside the stages, in the same process: how fast a core adds up memory in a stream,
how fast it adds to places of a small array in random order (as a co-firing does to a running sum), and how
long one coordinate of a LASSO takes when each waits for the gradient that the one before has left.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from analysis.activations import Activations, Columns, Float64, Int32
from analysis.columns import Moments, columns_of, moments_of
from analysis.kernel import kernel, use_threads
from analysis.nodewise import Fits, PathSettings, nodewise
from analysis.pairs import Crossed, UInt32, cross, sum_products
from analysis.screen import Candidates, screen
from analysis.shuffle import shuffled

Made = TypeVar("Made")


@dataclass(frozen=True)
class Stages:
    """CPU seconds of the stages of one trial on one thread, and what they handled.

    Parameters
    ----------
    firings, visits, pairs
        Entries; tokens at which two features fire, over all pairs; pairs that fire together at all.
    columns, cross, sums, screen, nodewise, shuffle
        Seconds: by feature and moments; by token in the screen's order; the sums of all pairs; the whole
        screen, these two included; all regressions; a null trial's shuffle.
    candidates, fits
        What the screen and the regressions found.
    """

    firings: int
    visits: int
    pairs: int
    columns: float
    cross: float
    sums: float
    screen: float
    nodewise: float
    shuffle: float
    candidates: Candidates
    fits: Fits

    @property
    def trial(self) -> float:
        """Seconds of a null trial."""
        return self.shuffle + self.columns + self.screen + self.nodewise


def timed(function: Callable[[], Made]) -> tuple[Made, float]:
    """Return what `function` makes, and its CPU seconds, which other work on the machine lengthens least."""
    began = time.process_time()
    made = function()
    return made, time.process_time() - began


def measure(activations: Activations) -> Stages:
    """Time every stage of a trial on one thread; call it on something small first, to compile."""
    use_threads(1)
    (columns, moments), by_feature = timed(lambda: _columns(activations))
    part = (moments.count >= 5) & (moments.deviation > 0)
    ratio = moments.mean[part] / moments.deviation[part]
    name = np.flatnonzero(part)[np.argsort(ratio, kind="stable")].astype(np.int32)
    visits, pairs, crossing, sums = _sum_seconds(columns, name)
    candidates, screening = timed(lambda: screen(columns, moments, part))
    fits, fitting = timed(lambda: nodewise(columns, moments, candidates, PathSettings()))
    _, shuffling = timed(lambda: shuffled(columns, 0, 0, 0))
    use_threads(None)
    return Stages(
        firings=len(activations.feature),
        visits=visits,
        pairs=pairs,
        columns=by_feature,
        cross=crossing,
        sums=sums,
        screen=screening,
        nodewise=fitting,
        shuffle=shuffling,
        candidates=candidates,
        fits=fits,
    )


def report(stages: Stages) -> list[str]:
    """Lines that say what each stage took and what bounds it."""
    s = stages
    stream, add, step = streaming(), adding(len(s.fits.penalty)), coordinate(s.candidates.feature.shape[1])
    size = (s.candidates.feature >= 0).sum(axis=1)
    steps = float((s.fits.sweeps * size).sum())
    nodes = max(1, int((s.fits.penalty > 0).sum()))
    read = 8 * s.visits / stream / 1e9
    lists = s.screen - s.cross - s.sums
    return [
        f"bounds of a core: {stream:.1f} GB/s in a stream; {1e9 * add:.2f} ns to add to a random place of "
        f"{len(s.fits.penalty):,} sums; {1e9 * step:.1f} ns a coordinate of the LASSO",
        f"columns, moments  {s.columns:7.2f} s  {1e9 * s.columns / s.firings:.1f} ns a firing "
        f"({s.firings:,}), {32 * s.firings / s.columns / 1e9:.1f} GB/s moved, written in random order",
        f"screen            {s.screen:7.2f} s  {1e9 * s.screen / s.visits:.2f} ns a co-firing "
        f"({s.visits:,}), {1e9 * s.screen / s.pairs:.1f} ns a pair that fires together ({s.pairs:,})",
        f"  by token        {s.cross:7.2f} s  {1e9 * s.cross / s.firings:.1f} ns a firing",
        f"  sums            {s.sums:7.2f} s  {1e9 * s.sums / s.visits:.2f} ns a co-firing, "
        f"{s.sums / (add * s.visits):.1f} times the random additions alone "
        f"({8 * s.visits / 1e9:.1f} GB read, {read:.2f} s in a stream)",
        f"  scores, lists   {lists:7.2f} s  {1e9 * lists / s.pairs:.1f} ns a pair",
        f"nodewise          {s.nodewise:7.2f} s  {1e6 * s.nodewise / nodes:.0f} us a node, "
        f"{1e9 * s.nodewise / max(1.0, steps):.1f} ns a candidate and sweep, "
        f"{s.nodewise / max(1e-9, step * steps):.1f} times the chain of coordinates alone",
        f"shuffle           {s.shuffle:7.2f} s  {1e9 * s.shuffle / s.firings:.1f} ns a firing",
    ]


def streaming() -> float:
    """GB a second that one core adds up from memory."""
    array = np.ones(1 << 25)
    _add_up(array)
    return float(array.nbytes / min(timed(lambda: _add_up(array))[1] for _ in range(3)) / 1e9)


def adding(size: int, count: int = 1 << 22) -> float:
    """Seconds to add to one of `size` sums, in random order, the places being known beforehand."""
    place = np.random.default_rng(0).integers(0, size, count).astype(np.uint32)
    total = np.zeros(size)
    _add_to(total, place)
    return min(timed(lambda: _add_to(total, place))[1] for _ in range(3)) / count


def coordinate(size: int, count: int = 1 << 18) -> float:
    """Seconds to find one coefficient from the gradient and to correct the gradient for it."""
    gram, gradient = np.eye(size) + 0.01, np.zeros(size)
    _walk(gram, gradient, count)
    return min(timed(lambda: _walk(gram, gradient, count))[1] for _ in range(3)) / count


def _columns(activations: Activations) -> tuple[Columns, Moments]:
    columns = columns_of(activations)
    return columns, moments_of(columns)


def _sum_seconds(columns: Columns, name: Int32) -> tuple[int, int, float, float]:
    """Co-firings, pairs that fire together; seconds of turning the activations to tokens, and of the sums."""
    crossed, crossing = timed(lambda: cross(columns, name))
    (visits, pairs), sums = timed(lambda: _sum_all(crossed))
    return visits, pairs, crossing, sums


@kernel
def _sum_all(crossed: Crossed) -> tuple[int, int]:
    """Sum all pairs and throw the sums away; returns co-firings and pairs that fire together."""
    m = len(crossed.start) - 1
    total = np.zeros(m)
    touched = np.empty(m + 1, np.uint32)
    visits, pairs = 0, 0
    for a in range(m):
        found = sum_products(a, crossed, total, touched, 0)
        for b in touched[:found]:
            total[b] = 0.0
        pairs += found
        for entry in range(crossed.start[a], crossed.start[a + 1]):
            visits += crossed.end[entry] - crossed.after[entry]
    return visits, pairs


@kernel
def _add_up(array: Float64) -> float:
    # Eight sums side by side: one would wait for each addition.
    sums = np.zeros(8)
    for place in range(0, len(array), 8):
        for lane in range(8):
            sums[lane] += array[place + lane]
    return float(sums.sum())


@kernel
def _add_to(total: Float64, places: UInt32) -> None:
    for place in places:
        total[place] += 1.0


@kernel
def _walk(gram: Float64, gradient: Float64, count: int) -> None:
    size = len(gradient)
    j = 0
    for _ in range(count):
        change = (gradient[j] + 0.5) / gram[j, j] - 0.5
        row = gram[j]
        for other in range(size):
            gradient[other] -= change * row[other]
        j = j + 1 if j + 1 < size else 0


def compile_all(small: Activations) -> None:
    """Compile every kernel on something small, so that no figure holds a compilation."""
    report(measure(small))
