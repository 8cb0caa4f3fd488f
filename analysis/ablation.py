"""What taking one feature out did to another, summed up over tokens; a hit is what ``hit_rule`` says."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.activations import Float64
from analysis.hit_rule import LEVEL, SHARE


@dataclass(frozen=True)
class Effect:
    """What taking a feature out did to another.

    Parameters
    ----------
    tokens
        Tokens it was read at, each of another row.
    change
        Mean change of the later feature, in its SAE's units; negative where it is lowered.
    share
        The change in the direction foretold, as a share of the later feature's level; negative where it went
        the other way.
    p_value
        One-sided, that the rows would give such a mean by chance.
    """

    tokens: int
    change: float
    share: float
    p_value: float

    def hits(self, share: float = SHARE) -> bool:
        """Whether it is a hit, at a share of the level."""
        return self.share >= share and self.p_value <= LEVEL


def effect_of(change: NDArray[np.floating], foretold: int, level: float) -> Effect:
    """Sum up the changes at the tokens of a pair.

    Parameters
    ----------
    change : shape (tokens,)
        Of the later feature, each token of another row; ``LEAST`` of them or more.
    foretold
        Sign of the change that the link foretells: -1 or 1.
    level
        Activation of the later feature that a change is a share of, above 0.
    """
    d: Float64 = foretold * np.asarray(change, np.float64)
    mean, error = float(d.mean()), float(d.std(ddof=1)) / len(d) ** 0.5
    # changes that are all the same leave no room for chance
    t = mean / error if error > 0 else math.copysign(math.inf, mean) if mean else 0.0
    p_value = float(stats.t.sf(t, len(d) - 1))
    return Effect(len(d), foretold * mean, mean / level, p_value)
