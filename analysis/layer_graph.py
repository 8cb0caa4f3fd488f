"""The graph of one site: what `infer` makes, `load` stores and queries answer from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from analysis.errors import DataError
from analysis.run import Run
from analysis.site import Site

TOP_TOKENS = pl.List(pl.Struct({"token": pl.String, "share": pl.Float64}))

FEATURE_COLUMNS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "index": pl.Int32,
    "frequency": pl.Float64,
    "mean_activation": pl.Float64,
    "max_activation": pl.Float64,
    "activations": pl.Int64,
    "degree": pl.Int32,
    "replicates": pl.Int32,
    "label": pl.String,
    "top_tokens": TOP_TOKENS,
}
"""Every feature of the site, dead ones too. ``frequency`` is the share of tokens at which it fires,
``mean_activation`` the mean where it fires, ``degree`` its kept edges, ``replicates`` the replicates it took
part in; ``label`` and ``top_tokens`` are null where the samples carry no words."""

EDGE_COLUMNS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "source": pl.Int32,
    "target": pl.Int32,
    "weight": pl.Float64,
    "replicates": pl.Int32,
    "null_replicates": pl.Int32,
    "q_shuffle": pl.Float64,
    "partial_correlation": pl.Float64,
    "standard_error": pl.Float64,
    "q_value": pl.Float64,
    "correlation": pl.Float64,
    "decoder_cosine": pl.Float64,
    "coactivation": pl.Int64,
    "kept": pl.Boolean,
}
"""``source < target``. ``replicates`` is the number of replicates that show the edge, ``null_replicates`` the
number of null trials that do (over all streams), ``coactivation`` the tokens at which both ends fire, over
all replicates. What a procedure does not compute is null."""

REPLICATE_COLUMNS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "replicates": pl.Int32,
    "observed": pl.Int64,
    "null": pl.Float64,
    "fdr": pl.Float64,
}

CONTEXT_COLUMNS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "feature": pl.Int32,
    "rank": pl.Int32,
    "value": pl.Float64,
    "left": pl.String,
    "token": pl.String,
    "right": pl.String,
}
"""The strongest firings of each feature, from different sequences, each with its text around it."""


@dataclass(frozen=True)
class LayerGraph:
    """The dependence graph over the features of one site.

    Parameters
    ----------
    site, run
        Where it lives, what made it.
    n_features, n_tokens, n_replicates
        ``F``, tokens read in all, replicates ``R``.
    features, edges, replicate_table
        Frames with the columns above.
    contexts
        Frame with the columns above, or None where the samples carry no words.
    r_star
        Least number of replicates whose FDR is at most the run's, or None: then nothing is kept.
    certificate
        How well the fits converged: worst KKT residual, nodes that did not converge, iterations.
    left_out
        What took no part, and why, as counts.
    """

    site: Site
    run: Run
    n_features: int
    n_tokens: int
    n_replicates: int
    features: pl.DataFrame
    edges: pl.DataFrame
    replicate_table: pl.DataFrame
    contexts: pl.DataFrame | None
    r_star: int | None
    certificate: Mapping[str, Any]
    left_out: Mapping[str, Any]

    def __post_init__(self) -> None:
        check_columns(self.features, FEATURE_COLUMNS, "features")
        check_columns(self.edges, EDGE_COLUMNS, "edges")
        check_columns(self.replicate_table, REPLICATE_COLUMNS, "replicate table")
        if self.contexts is not None:
            check_columns(self.contexts, CONTEXT_COLUMNS, "contexts")
        if self.features.height != self.n_features:
            raise DataError(f"features table has {self.features.height} rows; expected {self.n_features}")
        if self.edges.height and bool((self.edges["source"] >= self.edges["target"]).any()):
            raise DataError("edges table has a row with source >= target; expected source < target in each")
        ends = self.edges.select(least=pl.col("source").min(), most=pl.col("target").max()).row(0)
        if self.edges.height and (ends[0] < 0 or ends[1] >= self.n_features):
            raise DataError(
                f"edges table names features {ends[0]} to {ends[1]}; expected 0..{self.n_features - 1}"
            )
        if self.edges["weight"].is_nan().any() or self.edges["weight"].null_count():
            raise DataError("edges table has a weight that is no number; expected one in each row")

    @property
    def kept(self) -> int:
        """Number of edges that pass the run's FDR."""
        return int(self.edges["kept"].sum())


def check_columns(
    frame: pl.DataFrame, columns: Mapping[str, pl.DataType | type[pl.DataType]], what: str
) -> None:
    """Refuse a frame that lacks one of `columns` or has it with another type; others may be there."""
    for name, kind in columns.items():
        if name not in frame.columns:
            raise DataError(f"{what} has no column {name!r}; expected {', '.join(columns)}")
        if frame.schema[name] != kind:
            raise DataError(f"{what} column {name!r} is {frame.schema[name]}; expected {kind}")
