"""Columns to hold a device's results against the CPU's, and how near they should be."""

import numpy as np
import torch
from numpy.typing import NDArray

from analysis.activations import Bool, Columns
from analysis.columns import Moments, columns_of, moments_of
from analysis.cuda.entries import Entries, entries_of
from analysis.screen import Candidates
from tests.analysis.naive import sparse
from tests.analysis.planted import planted

Dense = NDArray[np.float64]


def columns_from(x: Dense) -> Columns:
    return columns_of(sparse(x.astype(np.float32).astype(np.float64)))


def noise(seed: int, n: int, n_features: int) -> Dense:
    """Independent features of log-normal rates."""
    rng = np.random.default_rng(seed)
    rate = np.minimum(0.05 * np.exp(rng.normal(0, 1.5, n_features)), 0.6)
    return (rng.random((n, n_features)) < rate) * (0.5 + rng.exponential(1.0, (n, n_features)))


def factors(seed: int, n: int, n_features: int) -> Dense:
    """Features of every rate that depend on a few causes, so that their lists of candidates are full."""
    rng = np.random.default_rng(seed)
    causes = rng.normal(size=(n, 6))
    drive = causes @ rng.normal(size=(6, n_features)) + rng.normal(size=(n, n_features))
    return np.maximum(drive - np.quantile(drive, rng.uniform(0.3, 0.95, n_features), axis=0).diagonal(), 0.0)


def awkward(seed: int) -> Dense:
    """Planted modules, and all that is unusual: see the comments."""
    x = planted(seed, 500)[1]
    rng = np.random.default_rng(seed)
    x[100:140] = 0.0  # tokens at which nothing fires, but for the always active ones below
    everywhere = np.column_stack([3.0 + rng.random(500), 100.0 + x[:, 0], 50.0 + 0.01 * rng.random(500)])
    near = x[:, 3] * (1.0 + 0.3 * rng.random(500))
    scaled = np.column_stack([1e20 * x[:, 6], 1e-20 * x[:, 7]])
    opposite = np.where(x[:, [9]] > 0, 0.0, 1.0) * rng.exponential(1.0, (500, 1))
    return np.column_stack([x, everywhere, near, scaled, opposite])


SHAPES = {
    "noise": lambda: noise(0, 700, 90),
    "more features than tokens": lambda: noise(1, 150, 300),
    "a group and one": lambda: noise(2, 300, 65),
    "factors": lambda: factors(3, 500, 70),
    "planted": lambda: planted(4, 600)[1],
    "awkward": lambda: awkward(5),
}


def parts(columns: Columns) -> tuple[Moments, Bool]:
    moments = moments_of(columns)
    return moments, (moments.count >= 5) & (moments.deviation > 0)


def entries_from(columns: Columns, device: torch.device) -> Entries:
    return entries_of(columns, *parts(columns), device)


def assert_same_candidates(ours: Candidates, theirs: Candidates) -> None:
    """Require equal lists; where places differ, equal correlations."""
    assert (ours.passed, ours.threshold) == (theirs.passed, theirs.threshold)
    assert ours.feature.shape == theirs.feature.shape
    assert ours.feature.dtype == theirs.feature.dtype
    np.testing.assert_array_equal(ours.feature < 0, theirs.feature < 0)
    np.testing.assert_allclose(np.abs(ours.correlation), np.abs(theirs.correlation), rtol=0, atol=1e-9)
    same = ours.feature == theirs.feature
    np.testing.assert_allclose(ours.correlation[same], theirs.correlation[same], rtol=0, atol=1e-9)
    gap = np.abs(np.diff(np.abs(theirs.correlation), axis=1, prepend=np.inf, append=-np.inf))
    tied = np.minimum(gap[:, :-1], gap[:, 1:]) < 1e-9
    # A full list may end in the middle of a tie.
    tied[:, -1] = True
    assert (same | tied).all()
    assert same.mean() > 0.9
