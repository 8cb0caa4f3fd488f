"""Siblings that exclude each other: of a parent's children at most one fires, and only where the parent does.

Each pair of a module is dependent given all the others: where a sibling fires none of the others can, and
where the parent is silent none does. Two siblings meet never, which is hardly less than chance foretells of
features that fire seldom, and far less than chance foretells where their parent fires.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

from analysis.activations import Float32, Float64, Int64
from bench.truth.family import Pairs, Planted, members_of, pair, structure_of
from bench.truth.firing import Firing


@dataclass(frozen=True)
class Exclusive(Planted):
    """Modules of a parent and its children, and features beside them that depend on nothing.

    Parameters
    ----------
    in_modules
        Share of the features that are in modules.
    children
        Children of each parent.
    parent_rate
        Rate of every parent.
    none
        Chance that no child fires where the parent does.
    firing
        How often features outside modules fire, and how strongly any fires.
    """

    in_modules: float = 0.5
    children: int = 5
    parent_rate: float = 0.03
    none: float = 0.1
    firing: Firing = Firing()  # noqa: RUF009  frozen, so it can be shared

    @cached_property
    def member(self) -> Int64:
        """Features of each module, its parent first, shape (modules, 1 + children)."""
        size = 1 + self.children
        return members_of(self, int(self.features * self.in_modules) // size, size)

    @cached_property
    def rate(self) -> Float64:
        """Rate of each feature; shape (F,)."""
        rate = self.firing.rates(structure_of(self.seed + 2**32), self.features)
        rate[self.member[:, 0]] = self.parent_rate
        rate[self.member[:, 1:]] = self.parent_rate * (1 - self.none) / self.children
        return rate

    def edges(self) -> Pairs:
        """Join all pairs of a module."""
        return {pair(int(i), int(j)) for module in self.member for i, j in combinations(module, 2)}

    def _values(self, rng: np.random.Generator, tokens: int) -> Float32:
        fires = rng.random((tokens, self.features), np.float32) < self.rate
        # Children 0 to C - 1 share the first 1 - none of what a parent's firing leaves, in equal parts.
        child = np.floor(rng.random((tokens, len(self.member))) * self.children / (1 - self.none))
        which = np.where(fires[:, self.member[:, 0]], child, -1)
        fires[:, self.member[:, 1:]] = which[:, :, np.newaxis] == np.arange(self.children)
        return self.firing.values(rng, fires)
