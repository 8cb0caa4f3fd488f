"""Statistics of every feature, accumulated replicate by replicate."""

from dataclasses import dataclass

import numpy as np

from analysis.activations import Columns, Float64, Int32, Int64


@dataclass(frozen=True)
class FeatureSums:
    """Sums over the tokens read so far.

    Parameters
    ----------
    tokens
        Tokens read.
    count, total, largest : shape (F,)
        Tokens at which a feature fires, sum and maximum of its activation.
    replicates : shape (F,)
        Replicates in which it took part.
    """

    tokens: int
    count: Int64
    total: Float64
    largest: Float64
    replicates: Int32

    @classmethod
    def none(cls, n_features: int) -> "FeatureSums":
        """Return the sums over no token at all."""
        return cls(
            0,
            np.zeros(n_features, np.int64),
            np.zeros(n_features),
            np.zeros(n_features),
            np.zeros(n_features, np.int32),
        )

    def plus(self, columns: Columns, min_activations: int) -> "FeatureSums":
        """Return the sums with one more replicate."""
        count = np.diff(columns.start)
        fires = count > 0
        # reduceat reads one entry past an empty run, so only the features that fire are asked.
        runs = columns.start[:-1][fires]
        total, largest = np.zeros(len(count)), np.zeros(len(count))
        if fires.any():
            total[fires] = np.add.reduceat(columns.value.astype(np.float64), runs)
            largest[fires] = np.maximum.reduceat(columns.value, runs)
        return FeatureSums(
            self.tokens + columns.n_tokens,
            self.count + count,
            self.total + total,
            np.maximum(self.largest, largest),
            (self.replicates + (count >= min_activations)).astype(np.int32),
        )
