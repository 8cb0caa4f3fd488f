"""Communities of features: what they are, who is in them, and what ties them.

The columns of each answer are those of the query of the same name. A `limit` of 0 is none.
"""

from typing import Any

from graphdb.store import READ_TIMEOUT, Store
from queries.ask import query

Row = dict[str, Any]

COMMUNITY_COLUMNS = ("id", "scope", "size", "layers", "label", "members")


def clusterings(store: Store, timeout: float = READ_TIMEOUT) -> list[Row]:
    """Return the complete runs that made communities, newest first."""
    return query(store, "clusterings", {}, timeout)


def communities(
    store: Store,
    run: str | None = None,
    min_size: int = 1,
    top: int = 5,
    limit: int = 20,
    timeout: float = READ_TIMEOUT,
) -> list[Row]:
    """Return the communities of a run, largest first, with their `top` best connected members."""
    return query(
        store, "communities", {"run": run, "min_size": min_size, "top": top, "limit": limit}, timeout
    )


def members(store: Store, community: str, limit: int = 0, timeout: float = READ_TIMEOUT) -> list[Row]:
    """Return the members of a community, those with most kept edges first."""
    return query(store, "members", {"community": community, "limit": limit}, timeout)


def between(
    store: Store, community: str, runs: list[str] | None = None, limit: int = 0, timeout: float = READ_TIMEOUT
) -> list[Row]:
    """Return the communities that this one is tied to by kept edges and links."""
    return query(store, "between", {"community": community, "runs": runs, "limit": limit}, timeout)


def bridges(
    store: Store,
    first: str,
    second: str,
    runs: list[str] | None = None,
    limit: int = 0,
    timeout: float = READ_TIMEOUT,
) -> list[Row]:
    """Return the kept edges and links between two communities, strongest first."""
    return query(store, "bridges", {"first": first, "second": second, "runs": runs, "limit": limit}, timeout)
