"""Where a feature is born and where it ends: how far along the layers its links CARRY it.

A link CARRIES a feature where the residual stream passes it on. Followed back, the first layer of such a line
is where it was made, or the first layer that is linked; followed on, the last is where it ends, or the last
that is linked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from graphdb.store import READ_TIMEOUT, Store
from queries.ask import query
from queries.paths import lineage

Row = dict[str, Any]


@dataclass(frozen=True)
class Span:
    """How far a feature is carried.

    Parameters
    ----------
    first, last
        Layers of the earliest and the latest feature on a line of CARRIES through it.
    lowest, highest
        Layers of the first and the last site that the runs link.
    """

    first: int
    last: int
    lowest: int
    highest: int

    def said(self) -> str:
        """Say it, in a line for either side."""
        born = (
            f"carried from layer {self.first}, where linking begins"
            if self.first == self.lowest
            else f"born in layer {self.first}: no link CARRIES it there"
        )
        ends = (
            f"carried to layer {self.last}, where linking ends"
            if self.last == self.highest
            else f"ends in layer {self.last}: no link CARRIES it on"
        )
        return f"{born}\n{ends}"


def span(
    store: Store,
    feature: str,
    min_weight: float = 0.0,
    runs: Sequence[str] | None = None,
    timeout: float = READ_TIMEOUT,
) -> Span | None:
    """Return how far a feature is carried; None where its site is linked to no other."""
    begins = ("",) if runs is None else tuple(runs)
    linked = [row for row in query(store, "flow", timeout=timeout) if row["run"].startswith(begins)]
    layers = {row["id"]: row["layer"] for row in query(store, "sites", timeout=timeout)}
    ends = {row[end] for row in linked for end in ("lower", "upper")}
    if feature.rpartition("/")[0] not in ends:
        return None
    line = lineage(store, feature, ("CARRIES",), min_weight=min_weight, runs=runs, timeout=timeout)
    met = [row["layer"] for row in line]
    model = feature.partition("/")[0] + "/"
    there = [layers[site] for site in ends if site.startswith(model)]
    return Span(min(met), max(met), min(there), max(there))
