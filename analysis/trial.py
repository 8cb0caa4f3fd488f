"""One trial of either procedure: its settings, and what it found."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.activations import Bool
from analysis.edges import Edges
from analysis.errors import MisuseError
from analysis.nodewise import Fits, PathSettings
from analysis.screen import Candidates


@dataclass(frozen=True)
class TrialSettings:
    """Settings of a trial.

    Parameters
    ----------
    path
        The LASSO path and its choice.
    q
        Level of Benjamini-Hochberg in the screen, in (0, 1).
    candidates
        ``K``, most candidates of a feature, at least 1.
    min_activations
        Firings below which a feature takes no part, at least 1.
    """

    path: PathSettings
    q: float = 0.05
    candidates: int = 64
    min_activations: int = 5

    def __post_init__(self) -> None:
        if not 0 < self.q < 1 or self.candidates < 1 or self.min_activations < 1:
            raise MisuseError(f"{self}: expected 0 < q < 1, candidates >= 1, min_activations >= 1")


@dataclass(frozen=True)
class Trial:
    """What one trial, real or null, found.

    Parameters
    ----------
    edges
        The edges.
    certificate
        Convergence of the regressions.
    counts
        How many features and pairs took which way, by name.
    """

    edges: Edges
    certificate: dict[str, Any]
    counts: dict[str, int]


def concluded(frequent: Bool, part: Bool, candidates: Candidates, fits: Fits, edges: Edges) -> Trial:
    """Count what went which way.

    Parameters
    ----------
    frequent, part : shape (F,)
        Which features fire often enough, and which of them take part.
    candidates, fits, edges
        What the steps found.
    """
    counts = {
        "features_taking_part": int(part.sum()),
        "features_too_rare": int((~frequent).sum()),
        "features_without_variance": int((frequent & ~part).sum()),
        "pairs_passing_screen": candidates.passed,
        "candidates": int((candidates.feature >= 0).sum()),
        "features_with_full_list": int((candidates.feature[:, -1] >= 0).sum()),
        "coefficients": int(np.count_nonzero(fits.coefficient)),
        "opposite_signs": edges.opposed,
    }
    return Trial(edges, fits.certificate(), counts)
