"""What lies around one feature or two: common neighbours, triangles, links, the component.

The columns of each answer are those of the query of the same name. A `run` left out is the newest complete
one of the feature's site, and a `limit` of 0 is none. See `queries.neighbors` for neighbourhoods.
"""

from typing import Any

from graphdb.store import READ_TIMEOUT, Store
from queries.ask import query

Row = dict[str, Any]


def shared(
    store: Store, first: str, second: str, run: str | None = None, timeout: float = READ_TIMEOUT
) -> list[Row]:
    """Return the features that depend, by kept edges, on both of two features."""
    return query(store, "shared", {"first": first, "second": second, "run": run}, timeout)


def triangles(
    store: Store, feature: str, run: str | None = None, limit: int = 20, timeout: float = READ_TIMEOUT
) -> list[Row]:
    """Return the pairs of kept neighbours of a feature that also depend on each other."""
    return query(store, "triangles", {"feature": feature, "run": run, "limit": limit}, timeout)


def links(
    store: Store,
    feature: str,
    direction: str | None = None,
    kinds: tuple[str, ...] = ("CARRIES", "DRIVES"),
    limit: int = 0,
    timeout: float = READ_TIMEOUT,
) -> list[Row]:
    """Return the links ``to`` later layers and ``from`` earlier ones, strongest first."""
    return query(
        store,
        "links",
        {"feature": feature, "direction": direction, "kinds": list(kinds), "limit": limit},
        timeout,
    )


def component(
    store: Store, feature: str, run: str | None = None, limit: int = 0, timeout: float = READ_TIMEOUT
) -> list[Row]:
    """Return every feature that kept edges lead to from this one, nearest first."""
    return query(store, "component", {"feature": feature, "run": run, "limit": limit}, timeout)
