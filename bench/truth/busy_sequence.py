"""Activity and sequences together: passages that differ in how many features fire, and tokens alike in each.

A passage of `length` tokens has one log-normal activity (``bench.truth.activity``), and within it whole trees
keep their state from one token to the next (``bench.truth.sequence``). Given the activity every token has the
law of the trees.
"""

from dataclasses import dataclass

import numpy as np

from analysis.activations import Float32
from bench.truth.activity import Activity
from bench.truth.sequence import held


@dataclass(frozen=True)
class BusySequences(Activity):
    """Trees that follow the activity of their passage, and whose states last.

    Parameters
    ----------
    stay
        Probability that a tree keeps its state from one token to the next of its passage.
    length
        Tokens of a passage.
    """

    stay: float = 0.5
    length: int = 20

    def _values(self, rng: np.random.Generator, tokens: int) -> Float32:
        passages = -(-tokens // self.length)
        activity = np.repeat(rng.normal(0.0, self.activity_spread, (passages, 1)), self.length, axis=0)
        rate = self.rates_at(activity[:tokens].astype(np.float32))
        fires = self.forest.fires(rng.random((tokens, self.features), np.float32), rate=rate)
        return self.firing.values(rng, held(rng, fires, self.forest.tree, self.stay, self.length))
