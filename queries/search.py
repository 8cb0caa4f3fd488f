"""Features found by id, label, token or passage.

The columns of each answer are those of the query of the same name; ``stratigraph query --list`` shows them. A
`run` left out is the newest complete one, and a `limit` of 0 is none.
"""

from typing import Any

from graphdb.store import READ_TIMEOUT, Store
from queries.ask import query

Row = dict[str, Any]


def by_ids(store: Store, ids: list[str], timeout: float = READ_TIMEOUT) -> list[Row]:
    """Return site, layer and label of some features; an id that is not there has no row."""
    return query(store, "by_ids", {"ids": ids}, timeout)


def labelled(store: Store, text: str, limit: int = 20, timeout: float = READ_TIMEOUT) -> list[Row]:
    """Return features of complete runs whose label contains `text`, whatever its case."""
    return query(store, "labelled", {"text": text, "limit": limit}, timeout)


def fires_on(
    store: Store, text: str, run: str | None = None, limit: int = 20, timeout: float = READ_TIMEOUT
) -> list[Row]:
    """Return features with `text` in a token that carries much of their activation, largest share first."""
    return query(store, "fires_on", {"text": text, "run": run, "limit": limit}, timeout)


def mentioned(
    store: Store, text: str, run: str | None = None, limit: int = 20, timeout: float = READ_TIMEOUT
) -> list[Row]:
    """Return features with `text` in one of the passages at which they fire most strongly."""
    return query(store, "mentioned", {"text": text, "run": run, "limit": limit}, timeout)


def hubs(store: Store, run: str | None = None, limit: int = 20, timeout: float = READ_TIMEOUT) -> list[Row]:
    """Return the features with most kept edges."""
    return query(store, "hubs", {"run": run, "limit": limit}, timeout)
