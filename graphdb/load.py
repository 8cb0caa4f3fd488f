"""Loading a layer graph into a database, and dropping a run from it.

Every row is merged on its id and its run, so a graph loaded twice is there once, and a load that was killed
is completed by running it again. The Run node says ``complete: false`` from the first write to the last;
until then queries leave the run out. The labels of features are chosen right before the last write.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from analysis.errors import DataError
from analysis.layer_graph import LayerGraph
from graphdb import rows
from graphdb.cypher import statement
from graphdb.foreign import check_foreign, check_unattached
from graphdb.schema import ensure_schema
from graphdb.store import Store

_FEATURES_A_DROP = 250
"""A feature may have thousands of edges, and a transaction holds all that it deletes."""


def load_graph(store: Store, graph: LayerGraph, progress: Callable[[float], None] | None = None) -> None:
    """Write a layer graph: its site, features, run, measurements and edges, and then the features' labels.

    Parameters
    ----------
    store
        Open for writing.
    graph
        What `infer` made.
    progress
        Called with the number of rows written since the last call; `row_count` is the total.

    Raises
    ------
    DataError
        The database holds a site of this id with another number of features.
    StoreError
        The database refused or went away; run the load again to complete it.
    """
    ensure_schema(store)
    check_foreign(store, graph)
    _check_site(store, graph)
    site, run = graph.site.id, graph.run.id
    store.write(statement("load_site"), {"site": site, "properties": rows.site_properties(graph)})
    store.write(statement("load_run"), {"site": site, "run": run, "properties": rows.run_properties(graph)})
    features = rows.feature_rows(graph)
    store.write_rows(statement("load_features"), features, advance=progress)
    store.write_rows(statement("load_measurements"), rows.measurement_rows(graph), advance=progress)
    store.write_rows(statement("load_edges"), rows.edge_rows(graph), advance=progress)
    _label(store, features, run, progress)
    store.write(statement("finish_run"), {"run": run})


def row_count(graph: LayerGraph) -> int:
    """Return how many rows `load_graph` writes."""
    return 3 * graph.features.height + graph.edges.height


def drop_run(store: Store, run: str, progress: Callable[[float], None] | None = None) -> None:
    """Delete a run: its edges, measurements and communities, and what no run knows any more.

    The features that stay are labelled by the runs that stay. A drop that was killed is completed by running
    it again. Features and sites that another run measured, or that anything else in the database points to,
    stay.

    Parameters
    ----------
    store
        Open for writing.
    run
        The run's whole id.
    progress
        Called with the number of features done since the last call.
    """
    check_unattached(store, run)
    store.write(statement("drop_begin"), {"run": run})
    sites = store.write(statement("sites_of_run"), {"run": run})
    features = store.write(statement("drop_features"), {"run": run})
    _label(store, features, "", None)
    for name in ("drop_edges", "drop_measurements", "drop_unmeasured"):
        _delete(store, name, features, run, progress)
    store.write(statement("drop_communities"), {"run": run})
    # the run last: while it is there, a drop that was killed can be asked for again
    _delete(store, "drop_sites", sites, run, None)
    store.write(statement("drop_run"), {"run": run})


def _label(
    store: Store,
    features: Sequence[Mapping[str, Any]],
    finishing: str,
    progress: Callable[[float], None] | None,
) -> None:
    ids = [{"id": feature["id"]} for feature in features]
    store.write_rows(statement("label_features"), ids, {"finishing": finishing}, advance=progress)


def _delete(
    store: Store,
    name: str,
    of: Sequence[dict[str, Any]],
    run: str,
    progress: Callable[[float], None] | None,
) -> None:
    store.write_rows(statement(name), of, {"run": run}, batch=_FEATURES_A_DROP, advance=progress)


def _check_site(store: Store, graph: LayerGraph) -> None:
    found = store.write("MATCH (s:Site {id: $site}) RETURN s.features AS features", {"site": graph.site.id})
    if found and found[0]["features"] not in {None, graph.n_features}:
        raise DataError(
            f"the database has {graph.site.id} with {found[0]['features']} features, this graph has "
            f"{graph.n_features}; a site is one SAE: sample the other one under another source name"
        )
