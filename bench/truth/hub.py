"""Hubs: one feature that many others follow, each on its own."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bench.truth.family import structure_of
from bench.truth.forest import Forest
from bench.truth.tree import Trees


@dataclass(frozen=True)
class Hubs(Trees):
    """Stars: the followers depend on each other only through their hub.

    Parameters
    ----------
    size
        Features in a star, the hub among them.
    hub_rate
        Firing rate of every hub.
    """

    size: int = 41
    hub_rate: float = 0.03

    @cached_property
    def forest(self) -> Forest:
        """The stars."""
        rng = structure_of(self.seed)
        stars = int(self.features * self.in_trees) // self.size
        members = rng.permutation(self.features)[: stars * self.size].reshape(stars, self.size)
        parent = np.full(self.features, -1, np.int64)
        parent[members[:, 1:]] = members[:, :1]
        rate = self.firing.rates(rng, self.features)
        rate[members[:, 0]] = self.hub_rate
        return Forest(parent, rate, rng.uniform(self.weakest, self.strongest, self.features))
