"""The links between two sites: what `link` makes and stores, and queries answer from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from analysis.carrying import CARRIES, DRIVES
from analysis.errors import DataError
from analysis.layer_graph import check_columns
from analysis.run import Run
from analysis.site import Site

LINK_COLUMNS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "source": pl.Int32,
    "target": pl.Int32,
    "kind": pl.String,
    "weight": pl.Float64,
    "partial_correlation": pl.Float64,
    "standard_error": pl.Float64,
    "q_value": pl.Float64,
    "decoder_cosine": pl.Float64,
    "virtual_weight": pl.Float64,
    "carried_share": pl.Float64,
    "coactivation": pl.Int64,
}
"""``source`` is a feature of the earlier site, ``target`` one of the later; ``kind`` is CARRIES or DRIVES,
``coactivation`` the tokens at which both fire, over all replicates. All of them pass the run's FDR."""

FATE_COLUMNS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "index": pl.Int32,
    "carried_fraction": pl.Float64,
}
"""Of every feature of the later site: the share of its variance that it has from the stream, null if it
never fires."""


@dataclass(frozen=True)
class LayerLinks:
    """The links from the features of one site to those of a later one.

    Parameters
    ----------
    lower, upper
        The earlier site and the later.
    run
        What made them.
    n_lower, n_upper
        Features of either.
    n_tokens, n_replicates
        Tokens read in all, and replicates.
    links, fates
        Frames with the columns above.
    carried, made, gone
        Features of the later site that some link CARRIES into; those that fire and that none does; features
        of the earlier one that fire and that no link CARRIES on.
    left_out
        What took no part, and why, as counts.
    """

    lower: Site
    upper: Site
    run: Run
    n_lower: int
    n_upper: int
    n_tokens: int
    n_replicates: int
    links: pl.DataFrame
    fates: pl.DataFrame
    carried: int
    made: int
    gone: int
    left_out: Mapping[str, Any]

    def __post_init__(self) -> None:
        check_columns(self.links, LINK_COLUMNS, "links")
        check_columns(self.fates, FATE_COLUMNS, "fates")
        if self.fates.height != self.n_upper:
            raise DataError(f"fates table has {self.fates.height} rows; expected {self.n_upper}")
        for name, size in (("source", self.n_lower), ("target", self.n_upper)):
            column = self.links[name]
            if len(column) and not ((column >= 0) & (column < size)).all():
                raise DataError(f"links table has a {name} outside 0..{size - 1}; expected a feature there")
        odd = set(self.links["kind"].unique()) - {CARRIES, DRIVES}
        if odd:
            raise DataError(f"links table has the kind {min(odd)!r}; expected {CARRIES} or {DRIVES}")

    def of_kind(self, kind: str) -> pl.DataFrame:
        """Return the links of a kind."""
        return self.links.filter(pl.col("kind") == kind)


def fates_of(links: pl.DataFrame, fires_below: pl.Series, fires_above: pl.Series) -> tuple[int, int, int]:
    """Count the features carried, made and gone; the series say of each feature whether it fires."""
    carries = links.filter(pl.col("kind") == CARRIES)
    into, onward = carries["target"].unique(), carries["source"].unique()
    made = int(fires_above.sum()) - int(fires_above.gather(into).sum())
    gone = int(fires_below.sum()) - int(fires_below.gather(onward).sum())
    return len(into), made, gone
