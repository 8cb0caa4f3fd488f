"""One feature that fires at most tokens, above some of the trees."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bench.truth.family import structure_of
from bench.truth.forest import Forest, grow
from bench.truth.tree import Trees


@dataclass(frozen=True)
class Dense(Trees):
    """Trees, some of whose roots follow one feature that nearly always fires.

    Parameters
    ----------
    dense_rate
        Firing rate of that feature.
    followers
        Roots that follow it.
    dense_strength
        Least strength of their dependence on it; the most is 1.
    """

    dense_rate: float = 0.8
    followers: int = 40
    dense_strength: float = 0.7

    @cached_property
    def forest(self) -> Forest:
        """The trees, with the dense feature above some of them."""
        rng = structure_of(self.seed)
        parent = grow(rng, self.features, int(self.features * self.in_trees) // self.size, self.size)
        rate = self.firing.rates(rng, self.features)
        strength = rng.uniform(self.weakest, self.strongest, self.features)
        above = set(parent[parent >= 0].tolist())
        alone = [i for i in range(self.features) if parent[i] < 0 and i not in above]
        dense = int(rng.choice(alone))
        followers = rng.choice(np.array(sorted(i for i in above if parent[i] < 0)), self.followers, False)
        parent[followers] = dense
        rate[dense] = self.dense_rate
        strength[followers] = rng.uniform(self.dense_strength, 1.0, self.followers)
        return Forest(parent, rate, strength)
