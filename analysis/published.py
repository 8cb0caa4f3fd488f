"""One trial of the published procedure: screen, nodewise LASSO, AND rule.

The order of the steps is that of the post "Preliminary Results on Building Graphs from SAEs"; the level of
the screen, the number of candidates, the path, the criterion, the weight and the rule on signs are our
reconstruction.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.activations import Columns
from analysis.columns import moments_of
from analysis.edges import Edges, mutual_edges
from analysis.errors import MisuseError
from analysis.nodewise import PathSettings, nodewise
from analysis.screen import screen


@dataclass(frozen=True)
class PublishedSettings:
    """Settings of the published procedure.

    Parameters
    ----------
    path
        The LASSO path and its choice.
    q
        Level of Benjamini-Hochberg in the screen.
    candidates
        ``K``, most candidates of a feature.
    min_activations
        Firings in a replicate below which a feature takes no part in it.
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


def published_trial(columns: Columns, settings: PublishedSettings) -> Trial:
    """Run one trial on one replicate (or on a shuffled one)."""
    moments = moments_of(columns)
    frequent = moments.count >= settings.min_activations
    part = frequent & (moments.deviation > 0)
    candidates = screen(columns, moments, part, settings.q, settings.candidates)
    fits = nodewise(columns, moments, candidates, settings.path)
    edges = mutual_edges(candidates.feature, candidates.correlation, fits.coefficient)
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
