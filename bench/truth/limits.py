"""Children that each fire above a limit of their own in the magnitude of one parent.

In a module of a parent and ``C`` children, child ``c`` fires with

    P(fires) = often    where the parent fires above the quantile ``limit_c`` of its magnitude
             = seldom   elsewhere, whether the parent fires or not

with limits spread evenly from ``lowest`` to ``highest``. Given the activation of the parent the children are
exactly independent. Given only whether it fires, or given a smooth function of its magnitude, they are not:
each limit is a step, at another place for each child.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
from scipy.special import ndtri

from analysis.activations import Float32, Float64, Int64
from bench.truth.family import Pairs, Planted, members_of, pair, structure_of
from bench.truth.firing import Firing


@dataclass(frozen=True)
class Limits(Planted):
    """Modules of a parent and its children, and features beside them that depend on nothing.

    Parameters
    ----------
    in_modules
        Share of the features that are in modules.
    children
        Of each parent.
    parent_rate
        Rate of every parent.
    lowest, highest
        Quantiles of the parent's magnitude between which the limits are spread.
    often, seldom
        Chance that a child fires where the parent is above its limit, and where it is not.
    firing
        How often features outside modules fire.
    """

    in_modules: float = 0.5
    children: int = 6
    parent_rate: float = 0.03
    lowest: float = 0.25
    highest: float = 0.8
    often: float = 0.9
    seldom: float = 0.002
    firing: Firing = Firing()  # noqa: RUF009  frozen, so it can be shared

    @cached_property
    def member(self) -> Int64:
        """Features of each module, its parent first, shape (modules, 1 + children)."""
        size = 1 + self.children
        return members_of(self, int(self.features * self.in_modules) // size, size)

    @property
    def limit(self) -> Float32:
        """Quantile above which each child fires, shape (children,)."""
        return np.linspace(self.lowest, self.highest, self.children, dtype=np.float32)

    @cached_property
    def rate(self) -> Float64:
        """Rate of each feature; shape (F,)."""
        rate = self.firing.rates(structure_of(self.seed + 2**32), self.features)
        rate[self.member[:, 0]] = self.parent_rate
        above = self.parent_rate * (1 - self.limit.astype(np.float64))
        rate[self.member[:, 1:]] = above * self.often + (1 - above) * self.seldom
        return rate

    def edges(self) -> Pairs:
        """Join each child with its parent."""
        return {pair(int(i), int(j)) for module in self.member for i, j in product(module[:1], module[1:])}

    def _values(self, rng: np.random.Generator, tokens: int) -> Float32:
        fires = rng.random((tokens, self.features), np.float32) < self.rate
        # Half a step off 0, where the normal quantile is infinite.
        quantile = rng.random(fires.shape, np.float32) + np.float32(2.0**-25)
        parent = self.member[:, 0]
        above = (fires[:, parent] * quantile[:, parent])[:, :, np.newaxis] > self.limit
        chance = np.where(above, np.float32(self.often), np.float32(self.seldom))
        fires[:, self.member[:, 1:]] = rng.random(chance.shape, np.float32) < chance
        value = np.zeros(fires.shape, np.float32)
        value[fires] = np.exp(0.5 * ndtri(np.minimum(quantile[fires], 1 - 2.0**-24)))
        return value
