"""The edges of a run, picked or set against those of another.

The columns of each answer are those of the query of the same name. A `run` left out is the newest complete
one, and a `limit` of 0 is none.
"""

from typing import Any

from graphdb.store import READ_TIMEOUT, Store
from queries.ask import query

Row = dict[str, Any]


def edges(store: Store, run: str | None = None, timeout: float = READ_TIMEOUT) -> list[Row]:
    """Return every stored edge, by index."""
    return query(store, "edges", {"run": run}, timeout)


def strongest(
    store: Store, run: str | None = None, limit: int = 20, timeout: float = READ_TIMEOUT
) -> list[Row]:
    """Return the strongest kept edges."""
    return query(store, "strongest", {"run": run, "limit": limit}, timeout)


def opposites(
    store: Store, run: str | None = None, limit: int = 20, timeout: float = READ_TIMEOUT
) -> list[Row]:
    """Return the most negative kept edges: features that exclude each other."""
    return query(store, "opposites", {"run": run, "limit": limit}, timeout)


def unexplained(
    store: Store,
    run: str | None = None,
    max_cosine: float = 0.1,
    limit: int = 20,
    timeout: float = READ_TIMEOUT,
) -> list[Row]:
    """Return strong edges between features whose decoder directions say little of each other."""
    return query(store, "unexplained", {"run": run, "max_cosine": max_cosine, "limit": limit}, timeout)


def disagree(
    store: Store, run: str | None = None, limit: int = 20, timeout: float = READ_TIMEOUT
) -> list[Row]:
    """Return the kept edges on which decoder cosine and dependence disagree most."""
    return query(store, "disagree", {"run": run, "limit": limit}, timeout)


def only_in(
    store: Store, run: str | None, other: str, limit: int = 100, timeout: float = READ_TIMEOUT
) -> list[Row]:
    """Return the kept edges of `run` that `other`, of the same site, did not keep, with both weights."""
    return query(store, "only_in", {"run": run, "other": other, "limit": limit}, timeout)
