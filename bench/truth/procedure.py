"""What a procedure is, and the procedures that can be reported on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.activations import Activations, Int32, Int64
from analysis.background import background_of
from analysis.calibrated import CalibratedSettings, dependence_of
from analysis.columns import columns_of, moments_of
from analysis.firings import firings_of
from analysis.nodewise import PathSettings
from analysis.published import PublishedSettings, published_trial
from analysis.screen import screen
from analysis.shuffle import shuffled
from analysis.stability import at_least, count_edges, edge_keys, least_stable, replicate_table

FDR = 0.1
"""Level at which every procedure is asked to keep edges."""


@dataclass(frozen=True)
class Answer:
    """What a procedure made of the replicates.

    Parameters
    ----------
    kept : shape (edges,)
        Keys of the edges that it keeps, ``source * F + target`` with ``source < target``.
    stated
        The false discovery rate that it states for them; nan when it keeps nothing.
    detail
        What else the table should say, such as ``r*``.
    screened
        Keys of the pairs that its screen let through, one array a screen.
    selected : shape (pairs,)
        Keys of the pairs that its regressions chose, in any of them.
    """

    kept: Int64
    stated: float
    detail: str
    screened: Sequence[Int64]
    selected: Int64


Procedure = Callable[[Sequence[Activations], int], Answer]
"""Makes an answer of the replicates and a seed."""


def published(replicates: Sequence[Activations], seed: int) -> Answer:
    """Run the published procedure with its defaults, one null trial a replicate."""
    settings = PublishedSettings(PathSettings())
    features = replicates[0].n_features
    real = [published_trial(columns_of(replicate), settings).edges for replicate in replicates]
    null = [
        published_trial(shuffled(columns_of(replicate), seed, k, 0), settings).edges
        for k, replicate in enumerate(replicates)
    ]
    found, chance = count_edges(real, features), count_edges(null, features)
    observed = at_least(found.count, len(replicates))
    table = replicate_table(observed, at_least(chance.count, len(replicates)).astype(np.float64))
    least = least_stable(table, FDR)
    screened = [mutual_candidates(replicate, settings) for replicate in replicates]
    every = edge_keys(found.source, found.target, features)
    if least is None:
        return Answer(np.empty(0, np.int64), np.nan, "no r*", screened, every)
    kept = every[found.count >= least]
    # An r* that no edge reaches is stated with an FDR of 0: of nothing.
    stated = float(table["fdr"][least - 1]) if len(kept) else np.nan
    return Answer(kept, stated, f"r* = {least}", screened, every)


def mutual_candidates(activations: Activations, settings: PublishedSettings) -> Int64:
    """Keys of the pairs in which each is a candidate of the other, as the AND rule needs."""
    columns = columns_of(activations)
    moments = moments_of(columns)
    part = (moments.count >= settings.min_activations) & (moments.deviation > 0)
    keys, ends = _listed(screen(columns, moments, part, settings.q, settings.candidates).feature)
    return np.asarray(keys[ends == 2], np.int64)


def calibrated(replicates: Sequence[Activations], seed: int) -> Answer:
    """Run the calibrated procedure with its defaults; it draws nothing, so the seed is of no use."""
    del seed
    return calibrated_with(CalibratedSettings(PathSettings()))(replicates, 0)


def calibrated_with(settings: CalibratedSettings) -> Procedure:
    """Make the calibrated procedure with other settings than its defaults."""

    def procedure(replicates: Sequence[Activations], seed: int) -> Answer:
        del seed
        firings = firings_of([columns_of(replicate) for replicate in replicates])
        found = dependence_of(firings, background_of(firings), settings)
        tested = edge_keys(found.source, found.target, firings.n_features)
        kept = found.q_value <= FDR
        stated = float(found.q_value[kept].max()) if kept.any() else np.nan
        # A pair is tested when either end chose it, so one list that has it is enough.
        screened, _ = _listed(found.candidates.feature)
        return Answer(tested[kept], stated, f"q <= {FDR:g}", [screened], tested)

    return procedure


def _listed(candidate: Int32) -> tuple[Int64, Int64]:
    """Keys of the pairs in some list of candidates, and in how many of their two lists they are."""
    feature, place = np.nonzero(candidate >= 0)
    other = candidate[feature, place]
    keys = edge_keys(
        np.minimum(feature, other).astype(np.int32),
        np.maximum(feature, other).astype(np.int32),
        len(candidate),
    )
    unique, ends = np.unique(keys, return_counts=True)
    return np.asarray(unique, np.int64), np.asarray(ends, np.int64)


PROCEDURES: dict[str, Procedure] = {"published": published, "calibrated": calibrated}
"""Procedures by the name that the command line knows."""
