"""Tokens in sequences: whole trees keep their state from one token to the next.

At every token a tree (or a feature on its own) keeps the state it had with probability `stay`, and draws a
new one otherwise; magnitudes are new at every token. Every token has the law of the trees, so the graph is
theirs, but the tokens are worth fewer independent ones: ``(1 - stay) / (1 + stay)`` as many for a mean.
"""

from dataclasses import dataclass

import numpy as np

from analysis.activations import Bool, Float32, Int64
from bench.truth.tree import Trees


@dataclass(frozen=True)
class Sequences(Trees):
    """Trees whose states last.

    Parameters
    ----------
    stay
        Probability that a tree keeps its state from one token to the next.
    length
        Tokens of a sequence; nothing is carried from one to the next.
    """

    stay: float = 0.5
    length: int = 100

    def _values(self, rng: np.random.Generator, tokens: int) -> Float32:
        fires = self.forest.fires(rng.random((tokens, self.features), np.float32))
        return self.firing.values(rng, held(rng, fires, self.forest.tree, self.stay, self.length))


def held(rng: np.random.Generator, fires: Bool, tree: Int64, stay: float, length: int) -> Bool:
    """Let each tree keep the state of the token before with probability `stay`, within `length` tokens.

    `fires` are states drawn token by token, `tree` the root of the tree of each feature.
    """
    new = rng.random(fires.shape, np.float32) >= stay
    new[::length] = True
    since = np.maximum.accumulate(np.where(new, np.arange(len(fires))[:, np.newaxis], 0), axis=0)
    return np.take_along_axis(fires, since[:, tree], axis=0)
