"""Tokens that differ in how many features fire: a log-normal activity that features follow.

At a token of activity ``exp(a)``, ``a`` normal of standard deviation ``spread``, a feature of loading ``l``
fires at ``rate exp(l a - l^2 spread^2 / 2)``, so its mean rate is ``rate``. Given the activity the features
are a forest, and its edges are what is counted as true. That is a choice: the activity is not observed, and
thousands of features settle it only roughly, so given the other features any two that follow it are a little
dependent. Dependence on how busy a token is says nothing of the two features, so such a pair is counted as
false.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analysis.activations import Float32, Float64
from bench.truth.family import structure_of
from bench.truth.tree import Trees


@dataclass(frozen=True)
class Activity(Trees):
    """Trees, and features beside them, that follow the activity of the token.

    Parameters
    ----------
    activity_spread
        Standard deviation of the logarithm of a token's activity.
    least_loading, most_loading
        Limits of the loadings of features outside trees, drawn uniformly.
    least_in_trees, most_in_trees
        Limits of the loadings of features in trees.
    following
        Share of the features that follow the activity at all; the others' loadings are 0.
    frequent_free
        The most frequent features, so many, do not follow it either.
    """

    activity_spread: float = 0.5
    least_loading: float = 1.0
    most_loading: float = 1.0
    least_in_trees: float = 1.0
    most_in_trees: float = 1.0
    following: float = 1.0
    frequent_free: int = 0

    @cached_property
    def loading(self) -> Float64:
        """How far each feature follows the activity; shape (F,)."""
        rng = structure_of(self.seed + 2**32)
        in_tree = np.bincount(self.forest.tree, minlength=self.features)[self.forest.tree] > 1
        outside = rng.uniform(self.least_loading, self.most_loading, self.features)
        inside = rng.uniform(self.least_in_trees, self.most_in_trees, self.features)
        loading = np.where(in_tree, inside, outside)
        loading[rng.random(self.features) >= self.following] = 0.0
        loading[np.argsort(-self.forest.rate, kind="stable")[: self.frequent_free]] = 0.0
        return np.asarray(loading, np.float64)

    def _values(self, rng: np.random.Generator, tokens: int) -> Float32:
        activity = rng.normal(0.0, self.activity_spread, (tokens, 1)).astype(np.float32)
        rate = self.rates_at(activity)
        uniform = rng.random((tokens, self.features), np.float32)
        return self.firing.values(rng, self.forest.fires(uniform, rate=rate))

    def rates_at(self, activity: Float32) -> Float32:
        """Rates of all features at tokens of some log activity, shape (tokens, 1); shape (tokens, F)."""
        loading = self.loading.astype(np.float32)
        mean = np.log(self.forest.rate).astype(np.float32) - (loading * self.activity_spread) ** 2 / 2
        # A rate cannot pass 1; 0.95 is met only far out in the tail of the most frequent features.
        return np.minimum(np.exp(mean + loading * activity), np.float32(0.95))
