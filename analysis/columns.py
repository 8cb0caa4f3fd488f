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
    start, token, value = _transpose(
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
def _transpose(start: Int64, feature: Int32, value: Float32, n_features: int) -> tuple[Int64, Int32, Float32]:
    column = np.zeros(n_features + 1, np.int64)
    for entry in range(len(feature)):
        column[feature[entry] + 1] += 1
    for i in range(n_features):
        column[i + 1] += column[i]
    place = column[:-1].copy()
    token = np.empty(len(feature), np.int32)
    moved = np.empty(len(feature), np.float32)
    for t in range(len(start) - 1):
        for entry in range(start[t], start[t + 1]):
            i = feature[entry]
            token[place[i]] = t
            moved[place[i]] = value[entry]
            place[i] += 1
    return column, token, moved


@kernel
def rows_of(start: Int64, token: Int32, value: Float32, n_tokens: int) -> tuple[Int64, Int32, Float32]:
    """Transpose lists by feature to lists by token; features come out ascending because they go in so.

    Returns
    -------
    Row starts (n + 1), features and values.
    """
    row = np.zeros(n_tokens + 1, np.int64)
    for t in token:
        row[t + 1] += 1
    for t in range(n_tokens):
        row[t + 1] += row[t]
    place = row[:-1].copy()
    feature = np.empty(len(token), np.int32)
    moved = np.empty(len(token), np.float32)
    for i in range(len(start) - 1):
        for entry in range(start[i], start[i + 1]):
            t = token[entry]
            feature[place[t]] = i
            moved[place[t]] = value[entry]
            place[t] += 1
    return row, feature, moved


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
