"""What else a database holds: nodes that bear our labels and that we did not write are never touched.

A node is ours if it has what a load writes beside its id: a Site its model and source, a Feature its site and
index, a Run its kind and whether it is complete, a Community its run. Others of the same labels stay as they
are and no question finds them. Where one stands in the way, because it bears an id that we would write or an
id twice, the load is refused before its first write.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.errors import StoreError
from analysis.run import Run
from analysis.site import Site
from graphdb.cypher import statement
from graphdb.store import Store

LABELS = ("Site", "Feature", "Run", "Community")
_REMEDY = "give it another label or another id, or load into another database"
_SHOWN = 5


def check_foreign(store: Store, site: Site, n_features: int, run: Run) -> None:
    """Refuse to load a site, its features and a run over nodes that we did not write.

    Parameters
    ----------
    store
        Open for writing, with the schema made, so that nodes are found by their ids.
    site, n_features, run
        What is about to be loaded.

    Raises
    ------
    StoreError
        A node bears the id of the site, the run, or one of the features, and is not ours.
    """
    found = store.write(
        statement("foreign_nodes"),
        {"site": site.id, "model": site.model, "source": site.source, "run": run.id, "kind": run.kind},
    )
    # ids that begin alike and are none of ours do not stand in the way
    ours = {site.id, run.id, *map(site.feature_id, range(n_features))}
    refuse_foreign(store, [row for row in found if row["id"] in ours])


def refuse_foreign(store: Store, found: Sequence[Mapping[str, Any]]) -> None:
    """Refuse to write over nodes that we did not write, rows of ``label`` and ``id``.

    Raises
    ------
    StoreError
        There is one.
    """
    for row in found:
        raise StoreError(
            f"{store.address} holds a node (:{row['label']} {{id: {row['id']!r}}}) that stratigraph did "
            f"not write; nothing was changed: {_REMEDY}"
        )


def check_unattached(store: Store, run: str) -> None:
    """Refuse to drop a run that relationships of others lead to: they would go with it.

    Raises
    ------
    StoreError
        Something is attached to the run or to a community that it made.
    """
    for row in store.write(statement("foreign_attached"), {"run": run}):
        raise StoreError(
            f"{store.address} holds a relationship [:{row['type']}] at (:{row['label']} {{id: "
            f"{row['id']!r}}}) that stratigraph did not write and that a drop would delete; nothing was "
            "changed: delete it, or attach it to something else, and drop the run again"
        )


def twice(store: Store) -> str | None:
    """Return a sentence that names an id that several nodes of one of our labels bear; None without any."""
    for label in LABELS:
        text = (
            f"MATCH (n:{label}) WHERE n.id IS NOT NULL WITH n.id AS id, count(n) AS nodes WHERE nodes > 1 "
            "RETURN id, nodes ORDER BY nodes DESC LIMIT 1"
        )
        for row in store.write(text):
            return (
                f"{store.address} holds {row['nodes']} nodes (:{label} {{id: {row['id']!r}}}), and no two "
                f"may have one id; nothing was changed: {_REMEDY.replace('it', 'them', 1)}"
            )
    return None
