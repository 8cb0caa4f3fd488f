"""What each procedure keeps, and what it says of an edge.

Published: an edge seen in at least ``r*`` replicates. Its weight is the mean of its trials'.

Calibrated: a pair whose q is at most the run's level, however many trials show it. Its weight is its partial
correlation; an edge of the trials that was never tested keeps the mean of its trials' and has a q of 1.
"""

from pathlib import Path

import numpy as np
import polars as pl

from analysis.layer_graph import EDGE_COLUMNS
from analysis.run import Run
from analysis.stability import EdgeCounts
from ingest.inference.counting import Block, Keep
from ingest.inference.dependence import read_dependence

_SAID = ("partial_correlation", "standard_error", "q_value")


def published_keep(r_star: int | None) -> Keep:
    """Keep what is seen in at least `r_star` replicates, nothing for None."""

    def keep(found: EdgeCounts, _: Block) -> pl.DataFrame:
        kept = np.zeros(len(found.count), bool) if r_star is None else found.count >= r_star
        unsaid = {name: pl.lit(None, EDGE_COLUMNS[name]) for name in _SAID}
        return _counted(found).with_columns(kept=pl.Series(kept, dtype=pl.Boolean), **unsaid)

    return keep


def calibrated_keep(out: Path, run: Run) -> Keep:
    """Keep what the tests on all replicates together say."""
    tested = read_dependence(out)

    def keep(found: EdgeCounts, block: Block) -> pl.DataFrame:
        here = tested.filter(pl.col("source").is_between(block[0], block[1] - 1))
        both = _counted(found).join(here, on=("source", "target"), how="full", coalesce=True)
        return both.with_columns(
            weight=pl.coalesce("partial_correlation", "weight"),
            replicates=pl.col("replicates").fill_null(0),
            q_value=pl.col("q_value").fill_null(1.0),
        ).with_columns(kept=pl.col("q_value") <= run.fdr)

    return keep


def _counted(found: EdgeCounts) -> pl.DataFrame:
    """Tabulate what the trials say of each edge."""
    return pl.DataFrame(
        {
            "source": found.source,
            "target": found.target,
            "weight": found.weight,
            "replicates": found.count,
            "correlation": found.correlation,
        },
        schema={
            "source": pl.Int32,
            "target": pl.Int32,
            "weight": pl.Float64,
            "replicates": pl.Int32,
            "correlation": pl.Float64,
        },
    )
