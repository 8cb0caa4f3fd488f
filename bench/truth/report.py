"""Run procedures on planted families and tabulate nominal against true, in markdown."""

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from analysis.activations import Float64
from bench.truth.catalogue import FIRST_SEED, Entry
from bench.truth.family import tokens_of
from bench.truth.procedure import Procedure
from bench.truth.score import Score, score

HEADINGS = (
    "family", "procedure", "true edges", "kept", "", "stated FDR", "true share false", "of these indirect",
    "power", "screen recall", "chosen", "s",
)  # fmt: skip


def scores_of(
    entry: Entry,
    procedures: Mapping[str, Procedure],
    seeds: int,
    replicates: int,
    tokens: int,
    features: int,
) -> dict[str, list[Score]]:
    """Score every procedure on the same `seeds` plantings of one family, each drawn once."""
    found: dict[str, list[Score]] = {name: [] for name in procedures}
    for seed in range(FIRST_SEED[entry.purpose], FIRST_SEED[entry.purpose] + seeds):
        family = entry.plant(seed, features)
        drawn = [family.draw(tokens_of(seed, k), tokens) for k in range(replicates)]
        for name, procedure in procedures.items():
            began = time.perf_counter()
            answer = procedure(drawn, seed)
            found[name].append(score(family, answer, time.perf_counter() - began))
    return found


def row_of(family: str, procedure: str, scores: Sequence[Score]) -> str:
    """One row of the table."""
    cells = [
        family,
        procedure,
        mean(scores, lambda s: s.true, ",.0f"),
        mean(scores, lambda s: s.kept, ",.0f" if max(s.kept for s in scores) >= 10 else ".1f"),
        ", ".join(dict.fromkeys(s.detail for s in scores)),
        mean(scores, lambda s: s.stated, ".4f"),
        interval(scores, lambda s: s.false_share),
        mean([s for s in scores if s.false_share > 0], lambda s: s.indirect, ".2f"),
        interval(scores, lambda s: s.power),
        mean(scores, lambda s: s.recall, ".3f"),
        mean(scores, lambda s: s.chosen, ".3f"),
        mean(scores, lambda s: s.seconds, ".0f"),
    ]
    return f"| {' | '.join(cells)} |"


def heading() -> str:
    """Return the two lines above the rows."""
    return f"| {' | '.join(HEADINGS)} |\n|---|---|{'---:|' * (len(HEADINGS) - 2)}"


def _figures(scores: Sequence[Score], figure: Callable[[Score], float]) -> Float64:
    values = np.array([figure(s) for s in scores], np.float64)
    return values[~np.isnan(values)]


def mean(scores: Sequence[Score], figure: Callable[[Score], float], form: str) -> str:
    """Mean over the seeds."""
    values = _figures(scores, figure)
    return format(values.mean(), form) if len(values) else "-"


def interval(scores: Sequence[Score], figure: Callable[[Score], float]) -> str:
    """Mean, least and most over the seeds."""
    values = _figures(scores, figure)
    if not len(values):
        return "-"
    return f"{values.mean():.3f} [{values.min():.3f}, {values.max():.3f}]"
