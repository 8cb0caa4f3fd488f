"""Activations by feature: the transposed index lists, and the moments of every feature."""

from dataclasses import dataclass

import numpy as np

from analysis.activations import Activations, Columns, Float32, Float64, Int32, Int64
from analysis.kernel import kernel


@dataclass(frozen=True)
class Moments:
    """Moments of each feature over all tokens, zeros included.

    Parameters
    ----------
    count : shape (F,)
        Tokens at which the feature fires.
    mean, deviation : shape (F,)
        Mean and population standard deviation (divided by ``n``) of its activation.
    """

    count: Int64
    mean: Float64
    deviation: Float64


def columns_of(activations: Activations) -> Columns:
    """Transpose `activations` to lists by feature, tokens ascending within each."""
    start, token, value = transpose(
        activations.start, activations.feature, activations.value, activations.n_features
    )
    return Columns(start, token, value, activations.n_tokens)


def moments_of(columns: Columns) -> Moments:
    """Compute the moments of every feature.

    A feature that fires everywhere at one value has deviation exactly 0: the variance is summed about the
    mean, so it carries no rounding left over from a difference of large sums.
    """
    mean, deviation = _moments(columns.start, columns.value, columns.n_tokens)
    return Moments(np.diff(columns.start), mean, deviation)


@kernel
def transpose(start: Int64, index: Int32, value: Float32, size: int) -> tuple[Int64, Int32, Float32]:
    """Turn lists by token into lists by feature, or the other way round.

    Parameters
    ----------
    start, index, value
        ``index[start[a]:start[a + 1]]`` and their values belong to ``a``.
    size
        Number of different indices.

    Returns
    -------
    The same for the other direction; within a list ascending, because they go in ascending.
    """
    turned = np.zeros(size + 1, np.int64)
    for b in index:
        turned[b + 1] += 1
    for b in range(size):
        turned[b + 1] += turned[b]
    place = turned[:-1].copy()
    owner = np.empty(len(index), np.int32)
    moved = np.empty(len(index), np.float32)
    for a in range(len(start) - 1):
        for entry in range(start[a], start[a + 1]):
            b = index[entry]
            owner[place[b]] = a
            moved[place[b]] = value[entry]
            place[b] += 1
    return turned, owner, moved


@kernel
def _moments(start: Int64, value: Float32, n_tokens: int) -> tuple[Float64, Float64]:
    n_features = len(start) - 1
    mean = np.zeros(n_features)
    deviation = np.zeros(n_features)
    for i in range(n_features):
        fires = start[i + 1] - start[i]
        if fires == 0:
            continue
        total = 0.0
        constant = True
        for entry in range(start[i], start[i + 1]):
            total += value[entry]
            constant = constant and value[entry] == value[start[i]]
        mean[i] = total / n_tokens
        if constant and fires == n_tokens:
            continue
        squares = (n_tokens - fires) * mean[i] * mean[i]
        for entry in range(start[i], start[i + 1]):
            away = value[entry] - mean[i]
            squares += away * away
        deviation[i] = np.sqrt(squares / n_tokens)
    return mean, deviation
