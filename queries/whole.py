"""Numbers of whole graphs: distributions, components, and the flow of features between layers.

Distributions, components and flow are made when a run is loaded and are stored with it, so asking scans
nothing. The columns of each answer are those of the query of the same name. A `run` left out is the newest
complete one.
"""

from typing import Any

from graphdb.store import READ_TIMEOUT, Store
from queries.ask import query

Row = dict[str, Any]


def sites(store: Store, timeout: float = READ_TIMEOUT) -> list[Row]:
    """Return the sites, by model and layer."""
    return query(store, "sites", {}, timeout)


def degrees(store: Store, run: str | None = None, timeout: float = READ_TIMEOUT) -> list[Row]:
    """Return how many features have how many kept edges."""
    return query(store, "degrees", {"run": run}, timeout)


def replicate_counts(store: Store, run: str | None = None, timeout: float = READ_TIMEOUT) -> list[Row]:
    """Return how many edges are seen in how many replicates."""
    return query(store, "replicate_counts", {"run": run}, timeout)


def components(
    store: Store,
    run: str | None = None,
    max_size: int | None = None,
    limit: int = 20,
    timeout: float = READ_TIMEOUT,
) -> list[Row]:
    """Return the connected components of the kept edges, largest first."""
    return query(store, "components", {"run": run, "max_size": max_size, "limit": limit}, timeout)


def flow(store: Store, timeout: float = READ_TIMEOUT) -> list[Row]:
    """Return, for each pair of linked layers, how many features are carried, made and gone."""
    return query(store, "flow", {}, timeout)


def fates(
    store: Store, fate: str, run: str | None = None, limit: int = 100, timeout: float = READ_TIMEOUT
) -> list[Row]:
    """Return the features that a pair of linked layers has ``carried``, ``made``, or that are ``gone``."""
    return query(store, "fates", {"fate": fate, "run": run, "limit": limit}, timeout)
