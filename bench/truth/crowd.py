"""Tokens at which everything fires: a share of all, each feature at a rate of its own there.

Activity of a form that no log-normal has: two kinds of tokens, and what a feature does at the one says
nothing of what it does at the other. Given the kind of the token the features are a forest, and its edges are
what is counted as true, as for ``bench.truth.activity``.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analysis.activations import Float32, Float64
from bench.truth.family import structure_of
from bench.truth.tree import Trees


@dataclass(frozen=True)
class Crowds(Trees):
    """Trees, and features beside them, all of which fire often at some tokens.

    Parameters
    ----------
    share
        Share of the tokens at which they do.
    least_there, most_there
        Limits of their rates there, drawn uniformly.
    """

    share: float = 0.01
    least_there: float = 0.02
    most_there: float = 0.3

    @cached_property
    def there(self) -> Float64:
        """Rate of each feature at a crowded token, shape (F,)."""
        rng = structure_of(self.seed + 2**32)
        return rng.uniform(self.least_there, self.most_there, self.features)

    @cached_property
    def rate(self) -> Float64:
        """Rate of each feature over all tokens, shape (F,)."""
        return (1 - self.share) * self.forest.rate + self.share * self.there

    def _values(self, rng: np.random.Generator, tokens: int) -> Float32:
        crowded = rng.random((tokens, 1)) < self.share
        rate = np.where(crowded, self.there, self.forest.rate).astype(np.float32)
        uniform = rng.random((tokens, self.features), np.float32)
        return self.firing.values(rng, self.forest.fires(uniform, rate=rate))
