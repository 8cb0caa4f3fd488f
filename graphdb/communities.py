"""Writing communities into a database, and taking them out again.

What a killed job has left of its run is taken out before it is written anew, so that a community never holds
members of two divisions. The Run node says ``complete: false`` from the first write to the last.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from graphdb.cypher import statement
from graphdb.foreign import refuse_foreign
from graphdb.schema import ensure_schema
from graphdb.store import Store

Row = dict[str, Any]

_MOST = 10_000
"""Memberships that one transaction deletes."""


def stored_clustering(store: Store, run: str) -> Row | None:
    """Return the properties of a complete run of communities, None if there is none of this id.

    Raises
    ------
    StoreError
        A node that we did not write bears the id of the run or of one of its communities.
    """
    ensure_schema(store)
    refuse_foreign(store, store.write(statement("foreign_communities"), {"run": run}))
    rows = store.write(statement("run_properties"), {"run": run})
    return rows[0]["properties"] if rows and rows[0]["properties"]["complete"] else None


def write_communities(
    store: Store,
    run: str,
    sites: Sequence[str],
    properties: Mapping[str, Any],
    communities: Iterable[Row],
    members: Iterable[Row],
    advance: Callable[[int], None] | None = None,
) -> None:
    """Write a run of communities.

    Parameters
    ----------
    store
        Open for writing, with the schema made.
    run
        The run's id.
    sites
        Ids of the sites whose features it divides.
    properties
        Of the Run node, `complete` apart.
    communities
        Rows ``{id, run, properties}``.
    members
        Rows ``{feature, community}``.
    advance
        Called with the number of rows written since the last call.

    Raises
    ------
    StoreError
        The database refused or went away; run the job again to complete it.
    """
    delete_communities(store, run)
    store.write(
        statement("load_clustering"), {"run": run, "sites": list(sites), "properties": dict(properties)}
    )
    store.write_rows(statement("load_communities"), communities, advance=advance)
    store.write_rows(statement("load_members"), members, advance=advance)
    store.write(statement("finish_run"), {"run": run})


def delete_communities(store: Store, run: str) -> None:
    """Delete the communities that a run made, a few thousand memberships in a transaction."""
    while store.write(statement("drop_members"), {"run": run, "most": _MOST})[0]["deleted"] == _MOST:
        pass
    store.write(statement("drop_communities"), {"run": run})
