"""How fast this machine is at each step of an inference, measured on a part of the job's own data.

The kernels run on one replicate, or on independent features of its size where there is none yet. What grows
with the firings is timed whole. The screen is timed on a random share ``f`` of the features at all tokens,
which keeps the ratio of pairs to visits, and extended by ``t(f) = linear f + square f^2`` from two shares.
The regressions are timed on nodes drawn at random, with the candidates that the screen would give them.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numba
import numpy as np

from analysis.activations import Activations, Bool, Columns, Float64, Int64, Samples
from analysis.columns import Moments, columns_of, moments_of, transpose
from analysis.nodewise import nodewise
from analysis.published import PublishedSettings
from analysis.screen import Candidates, p_of_r, screen
from analysis.shuffle import shuffled

_LONG_ENOUGH = 0.25
"""Seconds after which a larger share of the screen is no longer timed."""
_NODES = 128
"""Nodes fitted for each thread."""
_MOST_FIRINGS = 3_000_000
"""Firings of made-up data."""

Made = TypeVar("Made")


@dataclass(frozen=True)
class TrialSeconds:
    """Seconds of one trial by step.

    Parameters
    ----------
    moments
        Moments of every feature.
    screen
        All pairs.
    nodes
        All regressions.
    edges
        Edges it finds, at most.
    """

    moments: float
    screen: float
    nodes: float
    edges: float

    @property
    def total(self) -> float:
        """Seconds of the trial."""
        return self.moments + self.screen + self.nodes


def timed(function: Callable[[], Made]) -> tuple[Made, float]:
    """Return what `function` returns, and its seconds."""
    began = time.perf_counter()
    made = function()
    return made, time.perf_counter() - began


def time_trial(activations: Activations, share: float, settings: PublishedSettings) -> TrialSeconds:
    """Estimate the seconds of a trial of which `activations` hold a `share` of the features."""
    columns = columns_of(activations)
    moments, summing = timed(lambda: moments_of(columns))
    part = (moments.count >= settings.min_activations) & (moments.deviation > 0)
    a_node, chosen = _node(activations, columns, moments, part, settings)
    nodes = float(part.sum()) / share
    return TrialSeconds(
        moments=summing / share,
        screen=_screen_seconds(columns, moments, part, share, settings),
        nodes=a_node * nodes,
        edges=chosen * nodes / 2,
    )


def time_shuffle(activations: Activations, share: float) -> tuple[Activations, float]:
    """Return shuffled activations, and the seconds that shuffling all of them would take."""
    columns = columns_of(activations)
    null, seconds = timed(lambda: shuffled(columns, 0, 0, 0))
    rows = transpose(null.start, null.token, null.value, null.n_tokens)
    return Activations(*rows, null.n_features), seconds / share


def _screen_seconds(
    columns: Columns, moments: Moments, part: Bool, share: float, settings: PublishedSettings
) -> float:
    """Time growing shares of the features until one takes long enough, and extend the last two."""
    order = np.random.default_rng(0).random(len(part))
    done: list[tuple[float, float]] = []
    for f in (1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0):
        of_these = part & (order < f)
        _, seconds = timed(
            lambda chosen=of_these: screen(columns, moments, chosen, settings.q, settings.candidates)  # type: ignore[misc]
        )
        done.append((f * share, seconds))
        if seconds > _LONG_ENOUGH and len(done) > 1:
            break
    return _extended(done[-2:])


def _extended(runs: list[tuple[float, float]]) -> float:
    """Seconds at ``f = 1`` of ``linear f + square f^2`` through two runs ``(f, seconds)``."""
    (f, t), (g, u) = runs
    square = max(0.0, (u / g - t / f) / (g - f))
    linear = max(0.0, u / g - square * g)
    return min(linear + square, u / g**2)


def _node(
    activations: Activations, columns: Columns, moments: Moments, part: Bool, settings: PublishedSettings
) -> tuple[float, float]:
    """Return the seconds of one node, and its mean number of non-zero coefficients."""
    taking_part = np.flatnonzero(part)
    if not len(taking_part):
        return 0.0, 0.0
    count = min(len(taking_part), _NODES * numba.get_num_threads())
    nodes = np.random.default_rng(1).choice(taking_part, count, replace=False)
    candidates = _candidates(activations, columns, moments, part, nodes, settings)
    fits, seconds = timed(lambda: nodewise(columns, moments, candidates, settings.path))
    return seconds / count, np.count_nonzero(fits.coefficient) / count


def _candidates(
    activations: Activations,
    columns: Columns,
    moments: Moments,
    part: Bool,
    nodes: Int64,
    settings: PublishedSettings,
) -> Candidates:
    """Screen the pairs of a few nodes only; their share of passing pairs stands for all."""
    k = min(settings.candidates, columns.n_features)
    feature = np.full((columns.n_features, settings.candidates), -1, np.int32)
    correlation = np.zeros((columns.n_features, settings.candidates))
    for i in nodes:
        r = _correlations(activations, columns, moments, part, int(i))
        best = np.argpartition(-np.abs(r), k - 1)[:k]
        feature[i, :k] = best[np.argsort(-np.abs(r[best]), kind="stable")]
        correlation[i, :k] = r[feature[i, :k]]
    p = p_of_r(correlation[nodes, :k], columns.n_tokens)
    # Benjamini-Hochberg among the best of each: the rest of the pairs count as tests.
    ranked = np.sort(p, axis=None)
    rejects = np.flatnonzero(ranked <= settings.q * np.arange(1, ranked.size + 1) / (len(nodes) * part.sum()))
    level = ranked[rejects[-1]] if len(rejects) else -1.0
    if len(rejects) < ranked.size:
        for row, i in enumerate(nodes):
            feature[i, :k][p[row] > level] = -1
    return Candidates(feature, correlation, 0.0, 0)


def _correlations(
    activations: Activations, columns: Columns, moments: Moments, part: Bool, i: int
) -> Float64:
    """Correlate feature `i` with every other that takes part; 0 with the rest."""
    fires = slice(columns.start[i], columns.start[i + 1])
    token = columns.token[fires]
    length = activations.start[token + 1] - activations.start[token]
    entry = np.arange(length.sum()) + np.repeat(activations.start[token] - (length.cumsum() - length), length)
    product = np.repeat(columns.value[fires], length) * activations.value[entry]
    total = np.bincount(activations.feature[entry], weights=product, minlength=columns.n_features)
    scale = np.where(part, moments.deviation, np.inf)
    r = (total / columns.n_tokens - moments.mean * moments.mean[i]) / (scale * moments.deviation[i])
    r[i] = 0.0
    return np.asarray(r, np.float64)


def noise(n_features: int, tokens: int, l0: float) -> tuple[Samples, float]:
    """Make independent features of log-normal rates; returns them and the share of the features they are."""
    share = min(1.0, _MOST_FIRINGS / max(1.0, tokens * l0))
    rng = np.random.default_rng(0)
    rate = np.exp(rng.normal(0, 1.5, n_features))
    rate = np.minimum(rate / rate.sum() * l0, 0.3)[: max(2, int(n_features * share))]
    fires = [rng.integers(0, tokens, rng.binomial(tokens, p)) for p in rate]
    key = np.unique(np.concatenate([t * len(rate) + i for i, t in enumerate(fires)]))
    start = np.searchsorted(key, np.arange(tokens + 1) * len(rate)).astype(np.int64)
    value = (0.5 + rng.exponential(1.0, len(key))).astype(np.float32)
    made = Activations(start, (key % len(rate)).astype(np.int32), value, len(rate))
    return Samples(made), len(rate) / n_features


def process_seconds() -> float:
    """Seconds since this process was started: what importing the libraries took, at the beginning of work."""
    try:
        ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / 100
    except (OSError, AttributeError, ValueError):
        return time.process_time()
