"""How the directions of two dictionaries lie to each other, and what they would do if they lay by chance.

Taking out ``x_i W_dec[i]`` changes what an encoder direction reads by geometry alone. Of a direction that
lies anyhow in ``d`` dimensions, that change has the standard deviation

    x_i |W_dec[i]| |W_enc[j]| / sqrt(d)

so that in a narrow stream features which have nothing to do with each other change each other.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.activations import Float64
from ingest.sampling.autoencoder import Autoencoder, dictionary
from ingest.verification.firing import Firing
from ingest.verification.trials import Trial

_BY_TOKEN = {"layer_norm", "constant_norm_rescale"}


@dataclass(frozen=True)
class Directions:
    """Directions of the SAEs of two layers.

    Parameters
    ----------
    written, read : shape (F lower, d), (F upper, d)
        Decoder directions of the earlier and of the later SAE, of length 1.
    chance : shape (F lower,), (F upper,)
        Lengths of the earlier decoder directions and of the later encoder directions over the root of ``d``;
        nan where an SAE reads the stream scaled token by token.
    """

    written: Float64
    read: Float64
    chance: tuple[Float64, Float64]

    @classmethod
    def of(cls, lower: Autoencoder, upper: Autoencoder) -> "Directions":
        """Take them from the SAEs."""
        one, other = dictionary(lower.sae), dictionary(upper.sae)
        scaled = any(sae.sae.cfg.normalize_activations in _BY_TOKEN for sae in (lower, upper))
        width = np.nan if scaled else one.decoder.shape[1]
        lengths = np.linalg.norm(one.decoder, axis=1), np.linalg.norm(other.encoder, axis=1)
        return cls(_ones(one.decoder), _ones(other.decoder), (lengths[0] / np.sqrt(width), lengths[1]))

    @property
    def comparable(self) -> bool:
        """Whether both are of streams as wide."""
        return bool(self.written.shape[1] == self.read.shape[1])

    def cosines(self, targets: NDArray[np.int64]) -> Float64 | None:
        """Return decoder cosines of all earlier features with these later ones; None if not comparable."""
        return self.written @ self.read[targets].T if self.comparable else None

    def by_chance(self, trial: Trial, firing: Firing) -> float:
        """Return the standard deviation of what chance would do, as a share of the level; nan if unknown."""
        strength = float(firing.lower.at(trial.source, trial.tokens).mean())
        lengths = self.chance[0][trial.source] * self.chance[1][trial.target]
        return strength * float(lengths) / trial.level if self.comparable else np.nan


def _ones(directions: NDArray[np.float32]) -> Float64:
    found: Float64 = directions.astype(np.float64)
    found /= np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)
    return found
