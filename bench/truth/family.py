"""What a family of planted activations is.

A family is a law of the activations of ``F`` features at one token, and the pairs that depend on each other
in it given all the others: ``x_i`` and ``x_j`` are joined exactly when they are not independent given the
rest. ``x`` is the activation, magnitude included.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from analysis.activations import Activations, Float32, Int64

Pairs = set[tuple[int, int]]
"""Pairs of features, lower index first."""

Values = Callable[[np.random.Generator, int], Float32]
"""Draws the activations of some tokens, shape (tokens, F), 0 where a feature is silent."""

CHUNK = 200
"""Tokens that are drawn at a time: 1.6 MB of values at 2,048 features, which stay in the cache."""


class Family(Protocol):
    """Planted activations, and what is true of them."""

    @property
    def features(self) -> int:
        """Number of features ``F``."""
        ...

    def draw(self, rng: np.random.Generator, n: int) -> Activations:
        """Draw one replicate of `n` tokens."""
        ...

    def edges(self) -> Pairs:
        """Pairs that depend on each other given all other features."""
        ...

    def excluded(self) -> Pairs:
        """Pairs that are not scored: neither finding nor missing one counts."""
        ...


def pair(i: int, j: int) -> tuple[int, int]:
    """Order a pair, lower index first."""
    return (i, j) if i < j else (j, i)


def structure_of(seed: int) -> np.random.Generator:
    """Return the generator that plants a graph; its stream is apart from those that draw tokens."""
    return np.random.default_rng([0, seed])


def tokens_of(seed: int, replicate: int) -> np.random.Generator:
    """Return the generator of one replicate's tokens."""
    return np.random.default_rng([1, seed, replicate])


def gather(values: Values, rng: np.random.Generator, n: int, features: int) -> Activations:
    """Draw `n` tokens a chunk at a time and keep what fires."""
    fires, feature, value = [np.zeros(1, np.int64)], [], []
    for begin in range(0, n, CHUNK):
        chunk = values(rng, min(CHUNK, n - begin))
        # Flat, of booleans: 4 times as fast as the two-dimensional search among floats.
        token, which = np.divmod(np.flatnonzero(chunk > 0), features)
        fires.append(np.bincount(token, minlength=len(chunk)))
        feature.append(which.astype(np.int32))
        value.append(chunk[token, which])
    start = np.cumsum(np.concatenate(fires), dtype=np.int64)
    return Activations(start, np.concatenate(feature), np.concatenate(value), features)


@dataclass(frozen=True)
class Planted:
    """What families share that draw tokens independently of each other and whose every pair is exact.

    Parameters
    ----------
    seed
        Seed of the graph and its parameters.
    features
        Number of features ``F``.
    """

    seed: int
    features: int = 2048

    def draw(self, rng: np.random.Generator, n: int) -> Activations:
        """Draw one replicate of `n` tokens."""
        return gather(self._values, rng, n, self.features)

    def excluded(self) -> Pairs:
        """None: every pair is exactly dependent or exactly not."""
        return set()

    def dense(self, rng: np.random.Generator, tokens: int) -> Float32:
        """Draw some tokens, shape (tokens, F), 0 where a feature is silent."""
        return self._values(rng, tokens)

    def _values(self, rng: np.random.Generator, tokens: int) -> Float32:
        """Draw the activations of some tokens, shape (tokens, F)."""
        raise NotImplementedError


def members_of(family: Planted, modules: int, size: int) -> Int64:
    """Draw the features of each of some modules, shape (modules, size)."""
    drawn = structure_of(family.seed).permutation(family.features)[: modules * size]
    return np.asarray(drawn.reshape(modules, size), np.int64)
