"""Trees in which a child's firing depends on how strongly its parent fires.

A parent of magnitude quantile ``q`` makes its child fire with probability ``off + 2 (on - off) q``. The law
is Markov over activations: siblings are independent given the activation of their parent. They are *not*
independent given only whether it fires, so a procedure that reads nothing but firing sees edges between
siblings that are not there.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from analysis.activations import Float32
from bench.truth.tree import Trees


@dataclass(frozen=True)
class MagnitudeTrees(Trees):
    """Trees along which magnitudes matter.

    Parameters
    ----------
    magnitude_spread
        Standard deviation of the logarithm of a magnitude.
    """

    magnitude_spread: float = 0.5

    def _values(self, rng: np.random.Generator, tokens: int) -> Float32:
        uniform = rng.random((tokens, self.features), np.float32)
        # Half a step off 0, where the normal quantile is infinite.
        quantile = rng.random((tokens, self.features), np.float32) + np.float32(2.0**-25)
        fires = self.forest.fires(uniform, quantile=self._felt(quantile))
        value = np.zeros(fires.shape, np.float32)
        value[fires] = np.exp(self.magnitude_spread * ndtri(np.minimum(quantile[fires], 1 - 2.0**-24)))
        return value

    def _felt(self, quantile: Float32) -> Float32:
        """Return what a child feels of the quantiles of its parent's magnitude; the mean is one half."""
        return quantile


@dataclass(frozen=True)
class Thresholds(MagnitudeTrees):
    """Trees in which a child fires often where its parent is above its median magnitude, and seldom below."""

    def _felt(self, quantile: Float32) -> Float32:
        return np.where(quantile > 0.5, np.float32(0.95), np.float32(0.05))
