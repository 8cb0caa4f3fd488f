"""Documents: independent features, each of which fires in a few long documents only.

Whether a feature occurs in a document at all is drawn for each document and feature on its own; where it
does, tokens are independent. So features last as long as documents do, and nothing depends on anything.
"""

from dataclasses import dataclass

import numpy as np

from analysis.activations import Activations, Float32
from bench.truth.family import gather
from bench.truth.noise import Noise


@dataclass(frozen=True)
class Documents(Noise):
    """Features that occur in some documents.

    Parameters
    ----------
    length
        Tokens of a document.
    share
        Share of the documents that a feature occurs in.
    """

    length: int = 512
    share: float = 0.1

    def draw(self, rng: np.random.Generator, n: int) -> Activations:
        """Draw one replicate of `n` tokens."""
        occurs = rng.random((-(-n // self.length), self.features)) < self.share
        rate = np.minimum(self.forest.rate / self.share, 1.0)
        drawn = 0

        def values(rng: np.random.Generator, tokens: int) -> Float32:
            nonlocal drawn
            document = (drawn + np.arange(tokens)) // self.length
            drawn += tokens
            fires = occurs[document] & (rng.random((tokens, self.features), np.float32) < rate)
            return self.firing.values(rng, fires)

        return gather(values, rng, n, self.features)
