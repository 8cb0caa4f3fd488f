"""Random trees of binary features, and features beside them that depend on nothing."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analysis.activations import Float32, Float64
from bench.truth.family import Pairs, Planted, structure_of
from bench.truth.firing import Firing
from bench.truth.forest import Forest, grow


@dataclass(frozen=True)
class Trees(Planted):
    """Binary Markov trees; magnitudes depend on nothing.

    Parameters
    ----------
    in_trees
        Share of the features that are in trees.
    size
        Features in a tree.
    weakest, strongest
        Limits of the strength of an edge, drawn uniformly.
    firing
        How often features fire and how strongly.
    """

    in_trees: float = 0.5
    size: int = 8
    weakest: float = 0.4
    strongest: float = 0.8
    firing: Firing = Firing()  # noqa: RUF009  frozen, so it can be shared

    @cached_property
    def forest(self) -> Forest:
        """The trees."""
        rng = structure_of(self.seed)
        parent = grow(rng, self.features, int(self.features * self.in_trees) // self.size, self.size)
        rate = self.firing.rates(rng, self.features)
        return Forest(parent, rate, rng.uniform(self.weakest, self.strongest, self.features))

    @property
    def rate(self) -> Float64:
        """Rate of each feature over all tokens, shape (F,)."""
        return self.forest.rate

    def edges(self) -> Pairs:
        """Every child with its parent."""
        return self.forest.edges()

    def _values(self, rng: np.random.Generator, tokens: int) -> Float32:
        uniform = rng.random((tokens, self.features), np.float32)
        return self.firing.values(rng, self.forest.fires(uniform))
