"""A common cause that no feature represents: topics that change how often the roots of some trees fire.

A topic is on or off at a token, independently of the other topics, and the rates of its roots follow it; the
features below a root depend on the topic only through their root. Of the pairs

- parent and child are dependent given all other features: true, whatever the topic;
- two roots under one topic are dependent given all other features too, because those do not settle whether
  the topic is on. But nothing joins them directly, and the dependence gets weaker the more features the topic
  has: to find such a pair is no error and to miss it is no loss, so these pairs are not scored;
- every other pair is exactly independent given all others: false. Among them are the pairs of a child of one
  root with another root of its topic, or with its children: dependent on each other, though not given the
  root between them.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

from analysis.activations import Float32, Int64
from bench.truth.family import Pairs, pair, structure_of
from bench.truth.tree import Trees


@dataclass(frozen=True)
class Topics(Trees):
    """Trees whose roots follow topics.

    Parameters
    ----------
    trees_of_topic
        Trees under one topic; all trees are under one.
    share
        Share of tokens at which a topic is on.
    boost
        Rate of a root under its topic over its mean rate, below ``1 / share``.
    lasts
        Tokens for which a topic stays as it is, at most those that are drawn at a time.
    """

    trees_of_topic: int = 8
    share: float = 0.1
    boost: float = 6.0
    lasts: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.boost < 1 / self.share:
            raise ValueError(f"boost is {self.boost}; expected 1 or more, below 1 / share = {1 / self.share}")

    @cached_property
    def topic(self) -> Int64:
        """Topic of each root of a tree of more than one, -1 elsewhere; shape (F,)."""
        rng = structure_of(self.seed + 2**32)
        roots = np.unique(self.forest.tree[self.forest.parent >= 0])
        topic = np.full(self.features, -1, np.int64)
        topic[rng.permutation(roots)] = np.arange(len(roots)) // self.trees_of_topic
        return topic

    def excluded(self) -> Pairs:
        """Pairs of roots under one topic."""
        return {
            pair(int(i), int(j))
            for topic in range(self.topic.max() + 1)
            for i, j in combinations(np.flatnonzero(self.topic == topic), 2)
        }

    def _values(self, rng: np.random.Generator, tokens: int) -> Float32:
        root = np.flatnonzero(self.topic >= 0)
        spells = -(-tokens // self.lasts)
        on = rng.random((spells, self.topic.max() + 1)) < self.share
        on = np.repeat(on, self.lasts, axis=0)[:tokens][:, self.topic[root]]
        mean = self.forest.rate[root]
        high = np.minimum(self.boost * mean, 0.9)
        low = (mean - self.share * high) / (1 - self.share)
        rate = np.tile(self.forest.rate.astype(np.float32), (tokens, 1))
        rate[:, root] = np.where(on, high, low)
        uniform = rng.random((tokens, self.features), np.float32)
        return self.firing.values(rng, self.forest.fires(uniform, root_rate=rate))
