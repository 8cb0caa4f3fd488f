"""Gates: features that fire where two others fire together, which no sum of the two foretells.

In a module both inputs fire at once at some tokens and one of them alone at others; each output fires often
where both do, and hardly elsewhere, on its own given the inputs. So the inputs depend on each other, each
output depends on both inputs, and two outputs are exactly independent given the inputs: false.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

from analysis.activations import Bool, Float32, Float64, Int64
from bench.truth.family import Pairs, Planted, members_of, pair, structure_of
from bench.truth.firing import Firing


@dataclass(frozen=True)
class Gates(Planted):
    """Modules of two inputs and some outputs, and features beside them that depend on nothing.

    Parameters
    ----------
    modules
        Number of modules.
    outputs
        Outputs of a module.
    together, alone
        Chance that both inputs fire, and that one alone does, for each of the two.
    opened, closed
        Chance that an output fires where both inputs do, and elsewhere.
    firing
        How often features outside modules fire, and how strongly any fires.
    """

    modules: int = 96
    outputs: int = 3
    together: float = 0.005
    alone: float = 0.01
    opened: float = 0.5
    closed: float = 0.003
    firing: Firing = Firing()  # noqa: RUF009  frozen, so it can be shared

    @cached_property
    def member(self) -> Int64:
        """Features of each module, its two inputs first, shape (modules, 2 + outputs)."""
        return members_of(self, self.modules, 2 + self.outputs)

    @cached_property
    def rate(self) -> Float64:
        """Rate of each feature; shape (F,)."""
        rate = self.firing.rates(structure_of(self.seed + 2**32), self.features)
        rate[self.member[:, :2]] = self.together + self.alone
        share = self.open_share
        rate[self.member[:, 2:]] = share * self.opened + (1 - share) * self.closed
        return rate

    @property
    def open_share(self) -> float:
        """Share of the tokens at which the outputs of a module are open."""
        return self.together

    def opens(self, first: Float32, second: Float32) -> Bool:
        """Say where the inputs' activations, 0 where they are silent, open the outputs."""
        return np.asarray((first > 0) & (second > 0))

    def edges(self) -> Pairs:
        """Join the inputs with each other and with each output."""
        return {
            pair(int(i), int(j))
            for module in self.member
            for i, j in combinations(module, 2)
            if i in module[:2] or j in module[:2]
        }

    def _values(self, rng: np.random.Generator, tokens: int) -> Float32:
        fires = rng.random((tokens, self.features), np.float32) < self.rate
        which = rng.random((tokens, self.modules, 1))
        both = which < self.together
        inputs = both | (
            (which >= self.together + self.alone * np.arange(2))
            & (which < self.together + self.alone * np.arange(1, 3))
        )
        fires[:, self.member[:, :2]] = inputs
        fires[:, self.member[:, 2:]] = False
        value = self.firing.values(rng, fires)
        opened = self.opens(value[:, self.member[:, 0]], value[:, self.member[:, 1]])[:, :, np.newaxis]
        chance = np.where(opened, self.opened, self.closed)
        outputs = rng.random((tokens, self.modules, self.outputs)) < chance
        value[:, self.member[:, 2:]] = self.firing.values(rng, outputs)
        return value
