"""Many parents: features that fire where one of many others does, by how strongly those fire.

In a module of ``P`` parents and some outputs, an output stays silent, on its own given the parents, with

    P(silent) = (1 - leak) prod over the parents that fire of (1 - quantile of the parent's magnitude)

So each output depends on every parent, and two outputs are exactly independent given the activations of all
parents, which a regression that reads how strongly only some of them fire cannot see. Given their outputs the
parents depend on each other, but far too weakly to be seen where they seldom fire together: those pairs are
not scored.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product

import numpy as np
from scipy.special import ndtri

from analysis.activations import Float32, Float64, Int64
from bench.truth.family import Pairs, Planted, members_of, pair, structure_of
from bench.truth.firing import Firing


@dataclass(frozen=True)
class Parents(Planted):
    """Modules of parents and outputs, and features beside them that depend on nothing.

    Parameters
    ----------
    in_modules
        Share of the features that are in modules.
    parents, outputs
        Features of each kind in a module.
    parent_rate
        Rate of every parent.
    leak
        Chance that an output fires where no parent does.
    firing
        How often features outside modules fire.
    """

    in_modules: float = 0.5
    parents: int = 10
    outputs: int = 6
    parent_rate: float = 0.008
    leak: float = 0.002
    firing: Firing = Firing()  # noqa: RUF009  frozen, so it can be shared

    @cached_property
    def member(self) -> Int64:
        """Features of each module, its parents first, shape (modules, parents + outputs)."""
        size = self.parents + self.outputs
        return members_of(self, int(self.features * self.in_modules) // size, size)

    @cached_property
    def rate(self) -> Float64:
        """Rate of each feature; shape (F,)."""
        rate = self.firing.rates(structure_of(self.seed + 2**32), self.features)
        rate[self.member[:, : self.parents]] = self.parent_rate
        # The quantile of a magnitude is one half on average.
        silent = (1 - self.leak) * (1 - self.parent_rate / 2) ** self.parents
        rate[self.member[:, self.parents :]] = 1 - silent
        return rate

    def edges(self) -> Pairs:
        """Join each output with all parents of its module."""
        return {
            pair(int(i), int(j))
            for module in self.member
            for i, j in product(module[: self.parents], module[self.parents :])
        }

    def excluded(self) -> Pairs:
        """Parents of one module: dependent given their outputs, and hardly."""
        return {
            pair(int(i), int(j)) for module in self.member for i, j in combinations(module[: self.parents], 2)
        }

    def _values(self, rng: np.random.Generator, tokens: int) -> Float32:
        fires = rng.random((tokens, self.features), np.float32) < self.rate
        # Half a step off 0, where the normal quantile is infinite.
        quantile = rng.random(fires.shape, np.float32) + np.float32(2.0**-25)
        parents = self.member[:, : self.parents]
        silent = np.where(fires[:, parents], 1 - quantile[:, parents], 1).prod(axis=2) * (1 - self.leak)
        shape = (tokens, len(self.member), self.outputs)
        fires[:, self.member[:, self.parents :]] = rng.random(shape) >= silent[:, :, np.newaxis]
        value = np.zeros(fires.shape, np.float32)
        value[fires] = np.exp(0.5 * ndtri(np.minimum(quantile[fires], 1 - 2.0**-24)))
        return value
