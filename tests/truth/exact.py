"""Joint laws of a handful of binary features, written out, and what they say of pairs."""

import itertools

import numpy as np
from numpy.typing import NDArray

from analysis.activations import Activations
from bench.truth.family import Pairs
from bench.truth.forest import Forest

Table = NDArray[np.float64]


def forest_table(forest: Forest) -> Table:
    """Probability of every state, shape (2,) * F, by the chain rule."""
    features = len(forest.parent)
    table = np.zeros((2,) * features)
    for state in itertools.product((0, 1), repeat=features):
        p = 1.0
        for v, u in enumerate(forest.parent):
            rate = forest.rate[v]
            if u >= 0:
                up = forest.rate[u]
                on = rate + forest.strength[v] * (min(1.0, rate / up) - rate)
                rate = on if state[u] else (rate - up * on) / (1 - up)
            p *= rate if state[v] else 1 - rate
        table[state] = p
    return table


def graph_of(table: Table, tolerance: float = 1e-6) -> Pairs:
    """Pairs with an odds ratio other than 1 at some state of all the others."""
    pairs = set()
    for i, j in itertools.combinations(range(table.ndim), 2):
        p = np.moveaxis(table, (i, j), (0, 1)).reshape(2, 2, -1)
        if np.abs(np.log(p[0, 0] * p[1, 1] / (p[0, 1] * p[1, 0]))).max() > tolerance:
            pairs.add((i, j))
    return pairs


def both(table: Table) -> Table:
    """Probability that two features fire, shape (F, F); that one does, on the diagonal."""
    features = table.ndim
    states = np.array(list(itertools.product((0, 1), repeat=features)), float)
    return np.asarray(states.T @ (states * table.reshape(-1, 1)), np.float64)


def firing(activations: Activations) -> Table:
    """States, tokens x features."""
    fires = np.zeros((activations.n_tokens, activations.n_features))
    token = np.repeat(np.arange(activations.n_tokens), np.diff(activations.start))
    fires[token, activations.feature] = 1.0
    return fires


def assert_moments(fires: Table, expected: Table) -> None:
    """Every mean and pair moment of `fires` is within 5 standard errors of `expected`."""
    n = len(fires)
    found = fires.T @ fires / n
    error = np.sqrt(expected * (1 - expected) / n)
    assert (np.abs(found - expected) <= 5 * error + 1 / n).all()
