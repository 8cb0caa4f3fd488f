"""The graph in a notebook: every answer a polars frame."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np  # noqa: F401  before the driver, which then takes its numbers as parameters
import polars as pl

from graphdb.runs import find_run
from graphdb.store import READ_TIMEOUT, Store
from graphdb.store import connect as open_store
from queries import ask, features, runs
from queries import communities as groups
from queries import neighbors as spread
from queries import paths as ways
from queries.catalogue import named
from queries.frames import frame


class Graph:
    """An open graph database, for reading. Made by `connect`; closed by ``close()`` or a ``with`` block.

    Runs are named by their id, a unique beginning of it, or left out for the newest complete one.
    """

    def __init__(self, store: Store) -> None:
        self.store = store

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self.store.close()

    def runs(self) -> pl.DataFrame:
        """Return one row a run, newest first."""
        return frame(runs.runs(self.store), runs.RUN_COLUMNS)

    def replicates(self, run: str | None = None) -> pl.DataFrame:
        """Return the replicate table of a run."""
        return frame(runs.replicates(self.store, run), runs.REPLICATE_COLUMNS)

    def feature(self, feature_id: str, run: str | None = None) -> pl.DataFrame:
        """Return one row: a feature and what was measured of it, top tokens and contexts nested."""
        return frame([features.feature(self.store, feature_id, run)], features.FEATURE_COLUMNS)

    def neighbors(
        self,
        feature_id: str,
        run: str | None = None,
        *,
        hops: int = 1,
        min_replicates: int | None = None,
        max_q: float | None = None,
        min_partial: float | None = None,
        everything: bool = False,
        limit: int | None = None,
    ) -> pl.DataFrame:
        """Return the neighbours of a feature; see `queries.neighbors.neighbors`."""
        filters = spread.Filters(everything, min_replicates, max_q, min_partial)
        found = spread.neighbors(self.store, feature_id, run, hops, filters, limit)
        return frame(found, [*spread.NEIGHBOR_COLUMNS, "through"])

    def paths(
        self,
        start: str,
        end: str | None = None,
        *,
        kinds: Sequence[str] = ("CARRIES", "DRIVES", "DEPENDS"),
        min_hops: int = 1,
        max_hops: int = 4,
        min_weight: float = 0.0,
        through: Sequence[str | int] = (),
        shortest: bool = False,
        runs: Sequence[str] | None = None,
        limit: int = 10,
    ) -> pl.DataFrame:
        """Return the best paths from a feature, to another one or to any; see `queries.paths.paths`."""
        route = ways.Route(tuple(kinds), min_hops, max_hops, min_weight, tuple(through), shortest)
        return frame(ways.paths(self.store, start, end, route, runs, limit), ways.PATH_COLUMNS)

    def lineage(
        self,
        feature_id: str,
        kinds: Sequence[str] = ("CARRIES", "DRIVES"),
        max_hops: int = 64,
        min_weight: float = 0.0,
        runs: Sequence[str] | None = None,
        limit: int = 0,
    ) -> pl.DataFrame:
        """Return where a feature comes from and what becomes of it; see `queries.paths.lineage`."""
        found = ways.lineage(self.store, feature_id, kinds, max_hops, min_weight, runs, limit)
        return frame(found, ways.LINEAGE_COLUMNS)

    def communities(self, run: str | None = None, limit: int = 0) -> pl.DataFrame:
        """Return the communities of a run, largest first, with their best connected members."""
        found = groups.communities(self.store, run, limit=limit)
        return frame(found, groups.COMMUNITY_COLUMNS)

    def edges(self, run: str | None = None) -> pl.DataFrame:
        """Return every stored edge of a run, by index; filter on ``kept`` for the graph."""
        chosen = find_run(self.store, run)
        query = named("edges")
        rows = self.store.read(query.cypher, {"run": chosen["id"]}, timeout=600)
        return frame(rows, [column.name for column in query.columns])

    def query(
        self, name_or_cypher: str, params: Mapping[str, Any] | None = None, timeout: float = READ_TIMEOUT
    ) -> pl.DataFrame:
        """Answer a query of the catalogue by name, or Cypher."""
        rows = ask.query(self.store, name_or_cypher, params, timeout)
        if ask.is_cypher(name_or_cypher):
            return frame(rows, None if rows else self.store.columns(name_or_cypher, params))
        return frame(rows, {column.name: column.kind for column in named(name_or_cypher).columns})


def connect(where: str | Path) -> Graph:
    """Open a database directory or the URL of a server, for reading."""
    return Graph(open_store(where))
