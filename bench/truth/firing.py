"""How often features fire, and how strongly."""

from dataclasses import dataclass

import numpy as np

from analysis.activations import Bool, Float32, Float64


@dataclass(frozen=True)
class Firing:
    """Log-normal firing rates and positive magnitudes.

    Parameters
    ----------
    mean
        Mean rate before the limits are applied; 0.0094 is 150 activations in 16,000 tokens.
    spread
        Standard deviation of the logarithm of the rate.
    least, most
        Limits of a rate.
    exponential
        Whether magnitudes are exponential of mean 1; else their logarithm is normal, standard deviation 0.5.
    """

    mean: float = 0.0094
    spread: float = 1.0
    least: float = 1e-4
    most: float = 0.3
    exponential: bool = False

    def rates(self, rng: np.random.Generator, features: int) -> Float64:
        """Draw the rate of every feature."""
        centre = np.log(self.mean) - self.spread**2 / 2
        return np.clip(np.exp(rng.normal(centre, self.spread, features)), self.least, self.most)

    def values(self, rng: np.random.Generator, fires: Bool) -> Float32:
        """Give every firing a magnitude that depends on nothing."""
        value = np.zeros(fires.shape, np.float32)
        count = int(np.count_nonzero(fires))
        drawn = rng.exponential(1.0, count) if self.exponential else rng.lognormal(0.0, 0.5, count)
        # The least positive normal number stands in for an exponential of exactly 0.
        value[fires] = np.maximum(drawn, np.finfo(np.float32).tiny)
        return value
