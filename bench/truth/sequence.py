"""Tokens in sequences: whole trees keep their state from one token to the next.

At every token a tree (or a feature on its own) keeps the state it had with probability `stay`, and draws a
new one otherwise; magnitudes are new at every token. Every token has the law of the trees, so the graph is
theirs, but the tokens are worth fewer independent ones: ``(1 - stay) / (1 + stay)`` as many for a mean.
"""

from dataclasses import dataclass

import numpy as np

from analysis.activations import Float32
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
        uniform = rng.random((tokens, self.features), np.float32)
        new = rng.random((tokens, self.features), np.float32) >= self.stay
        new[:: self.length] = True
        since = np.maximum.accumulate(np.where(new, np.arange(tokens)[:, np.newaxis], 0), axis=0)
        fires = self.forest.fires(uniform)
        held = np.take_along_axis(fires, since[:, self.forest.tree], axis=0)
        return self.firing.values(rng, held)
