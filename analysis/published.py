"""One trial of the published procedure: screen, nodewise LASSO, AND rule.

The order of the steps is that of the post "Preliminary Results on Building Graphs from SAEs"; the level of
the screen, the number of candidates, the path, the criterion, the weight and the rule on signs are our
reconstruction.
"""

from dataclasses import dataclass

from analysis.activations import Columns
from analysis.columns import moments_of
from analysis.edges import mutual_edges
from analysis.nodewise import nodewise
from analysis.screen import screen
from analysis.trial import Trial, TrialSettings, concluded


@dataclass(frozen=True)
class PublishedSettings(TrialSettings):
    """Settings of the published procedure."""


def published_trial(columns: Columns, settings: PublishedSettings) -> Trial:
    """Run one trial on one replicate (or on a shuffled one)."""
    moments = moments_of(columns)
    frequent = moments.count >= settings.min_activations
    part = frequent & (moments.deviation > 0)
    candidates = screen(columns, moments, part, settings.q, settings.candidates)
    fits = nodewise(columns, moments, candidates, settings.path)
    edges = mutual_edges(candidates.feature, candidates.correlation, fits.coefficient)
    return concluded(frequent, part, candidates, fits, edges)
