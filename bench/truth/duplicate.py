"""Near-duplicates: features with a noisy copy, whose firing and magnitude both follow the original's.

The copy is one more leaf of the original's tree: given the original it depends on nothing, so the original's
neighbours are no neighbours of the copy, though they fire with it nearly as often.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analysis.activations import Float32, Int64
from bench.truth.family import structure_of
from bench.truth.forest import Forest
from bench.truth.tree import Trees


@dataclass(frozen=True)
class Duplicates(Trees):
    """Trees, some of whose features have a noisy copy.

    Parameters
    ----------
    copies
        Features that have a copy.
    agreement
        Share of the original's firings that the copy shares, about.
    noise
        Standard deviation of the logarithm of the ratio of their magnitudes where both fire.
    """

    copies: int = 128
    agreement: float = 0.9
    noise: float = 0.1

    @cached_property
    def copy(self) -> Int64:
        """The copies."""
        return self._planted[1]

    @cached_property
    def forest(self) -> Forest:
        """The trees, copies among their leaves."""
        return self._planted[0]

    @cached_property
    def _planted(self) -> tuple[Forest, Int64]:
        plain = Trees(
            self.seed, self.features, self.in_trees, self.size, self.weakest, self.strongest, self.firing
        ).forest
        rng = structure_of(self.seed + 2**32)
        in_tree = np.bincount(plain.tree, minlength=self.features)[plain.tree] > 1
        original = rng.choice(np.flatnonzero(in_tree), self.copies, replace=False)
        copy = rng.choice(np.flatnonzero(~in_tree), self.copies, replace=False)
        parent, rate, strength = plain.parent.copy(), plain.rate.copy(), plain.strength.copy()
        parent[copy] = original
        rate[copy] = rate[original]
        strength[copy] = self.agreement
        return Forest(parent, rate, strength), copy

    def _values(self, rng: np.random.Generator, tokens: int) -> Float32:
        value = super()._values(rng, tokens)
        copy, original = self.copy, self.forest.parent[self.copy]
        both = (value[:, copy] > 0) & (value[:, original] > 0)
        blurred = value[:, original] * rng.lognormal(0.0, self.noise, both.shape)
        value[:, copy] = np.where(both, blurred, value[:, copy])
        return value
