"""Forests of binary features: given its parent, a feature's firing depends on nothing above or beside it.

With rates ``p_u`` of the parent and ``p_v`` of the child and strength ``s`` in [0, 1]::

    on  = P(v fires | u fires)  = p_v + s (min(most, p_v / p_u) - p_v)
    off = P(v fires | u silent) = (p_v - p_u on) / (1 - p_u)

so the child's rate is ``p_v`` whatever ``s``; 0 is independence, 1 the closest that the two rates allow.
The pairs that are dependent given all other features are the parents with their children, and no others.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analysis.activations import Bool, Float32, Float64, Int64
from bench.truth.family import Pairs, pair


@dataclass(frozen=True)
class Forest:
    """A forest over all features; a tree of one is a feature that depends on nothing.

    Parameters
    ----------
    parent : shape (F,)
        Parent of each feature, -1 for a root.
    rate : shape (F,)
        Firing rates, in (0, 1).
    strength : shape (F,)
        Strength of each feature's dependence on its parent; of no meaning for a root.
    """

    parent: Int64
    rate: Float64
    strength: Float64

    @cached_property
    def levels(self) -> tuple[Int64, ...]:
        """Features by distance from their root, the roots first."""
        depth = np.zeros(len(self.parent), np.int64)
        above = self.parent.copy()
        while (above >= 0).any():
            depth += above >= 0
            above = np.where(above >= 0, self.parent[above], -1)
        return tuple(np.flatnonzero(depth == level) for level in range(int(depth.max(initial=0)) + 1))

    @cached_property
    def tree(self) -> Int64:
        """Root of the tree that each feature belongs to."""
        root = np.arange(len(self.parent))
        for level in self.levels[1:]:
            root[level] = root[self.parent[level]]
        return root

    def edges(self) -> Pairs:
        """Every child with its parent."""
        child = np.flatnonzero(self.parent >= 0)
        return {pair(int(i), int(self.parent[i])) for i in child}

    def fires(
        self,
        uniform: Float32,
        rate: Float32 | None = None,
        root_rate: Float32 | None = None,
        quantile: Float32 | None = None,
    ) -> Bool:
        """Turn uniform numbers into states, shape (tokens, F).

        Parameters
        ----------
        uniform : shape (tokens, F)
            Independent uniform numbers in [0, 1).
        rate : shape (tokens, F), optional
            Rates token by token; the transitions follow them.
        root_rate : shape (tokens, F), optional
            Rates of the roots token by token; the transitions stay what the forest's own rates make them.
        quantile : shape (tokens, F), optional
            Quantile of the magnitude at each firing. With it a child fires with probability
            ``off + 2 (on - off) quantile`` when its parent does, which needs ``on`` at most one half.
        """
        given = np.asarray(self.rate, np.float32) if rate is None else rate
        state = np.asarray(uniform < (given if root_rate is None else root_rate))
        most = np.float32(1.0 if quantile is None else 0.5)
        for child in self.levels[1:]:
            up = self.parent[child]
            on, off = transitions(given[..., up], given[..., child], self.strength[child], most)
            if quantile is not None:
                on = off + 2 * (on - off) * quantile[:, up]
            state[:, child] = uniform[:, child] < np.where(state[:, up], on, off)
        return state


def transitions(
    parent_rate: Float32, rate: Float32, strength: Float64, most: np.float32
) -> tuple[Float32, Float32]:
    """Return ``on`` and ``off`` of the module's formula."""
    s = strength.astype(np.float32)
    on = rate + s * (np.minimum(most, rate / parent_rate) - rate)
    return on, np.maximum((rate - parent_rate * on) / (1 - parent_rate), 0)


def grow(rng: np.random.Generator, features: int, trees: int, size: int) -> Int64:
    """Plant `trees` random trees of `size` features among `features`; returns the parents.

    Within a tree every feature's parent is any of those before it; which features share a tree is random.
    """
    if trees * size > features:
        raise ValueError(f"{trees} trees of {size} need {trees * size} features; there are {features}")
    parent = np.full(features, -1, np.int64)
    for members in rng.permutation(features)[: trees * size].reshape(trees, size):
        for place in range(1, size):
            parent[members[place]] = members[rng.integers(place)]
    return parent
