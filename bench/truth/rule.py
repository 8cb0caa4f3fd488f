"""Hard rules on the magnitudes of two features, which no sum of what each says foretells.

Gates whose outputs are opened not by both inputs firing but by a rule on how strongly they do, a silent one
counting 0. Given the activations of the inputs the outputs are exactly independent. An edge of a rule is as
sharp as a magnitude is exact, so a procedure that reads magnitudes coarsely sees outputs agree beside it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import ndtri

from analysis.activations import Bool, Float32
from bench.truth.gate import Gates

RULES: dict[str, Callable[[Float32, Float32], Bool]] = {
    "sum": lambda a, b: np.asarray(a + b > 2),
    "weaker": lambda a, b: np.asarray(np.minimum(a, b) > 0.8),
    "stronger": lambda a, b: np.asarray(np.maximum(a, b) > 1.5),
    "first": lambda a, b: np.asarray(a > b),
    "band": lambda a, b: np.asarray(((a > 1.1) & (a < 1.3)) | ((b > 1.1) & (b < 1.3))),
    "either": lambda a, b: np.asarray((a > 0) | (b > 0)),
}
"""What opens the outputs, of the activations of both inputs, by name: their sum, the weaker or the
stronger is above a limit, the first is above the second, one is within a narrow band, or either fires."""


@dataclass(frozen=True)
class Rules(Gates):
    """Gates with a rule on magnitudes, whose logarithms are normal, standard deviation 0.5.

    Parameters
    ----------
    rule
        Name of the rule.
    """

    together: float = 0.02
    alone: float = 0.02
    opened: float = 0.8
    closed: float = 0.02
    rule: Literal["sum", "weaker", "stronger", "first", "band", "either"] = "sum"

    @property
    def open_share(self) -> float:
        """Share of the tokens at which the outputs of a module are open, by 500 quantiles."""
        magnitude = np.exp(0.5 * ndtri((np.arange(500) + 0.5) / 500)).astype(np.float32)
        silent = np.zeros(1, np.float32)
        both = self.opens(magnitude[:, np.newaxis], magnitude).mean()
        alone = self.opens(magnitude, silent).mean() + self.opens(silent, magnitude).mean()
        return float(self.together * both + self.alone * alone)

    def opens(self, first: Float32, second: Float32) -> Bool:
        """Say where the inputs' activations open the outputs."""
        return RULES[self.rule](first, second)
