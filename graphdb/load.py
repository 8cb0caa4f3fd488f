"""Loading a layer graph into a database, and dropping a run from it.

Every row is merged on its id and its run, so a graph loaded twice is there once, and a load that was killed
is completed by running it again. Where nothing of a site is there yet and the server has a bulk way, the rows
are created that way, by one load at a time; what a kill leaves of that is completed by merging. The Run node
says ``complete: false`` from the first write to the last; until then queries leave the run out. The labels of
features are chosen right before the last write, or created with features that only this run knows.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import polars as pl

from analysis.layer_graph import LayerGraph
from analysis.site import Site
from graphdb.communities import delete_communities
from graphdb.cypher import statement
from graphdb.engines.engine import Bulk, RefusedError
from graphdb.foreign import check_foreign, check_unattached
from graphdb.one_width import check_width
from graphdb.properties import run_properties, site_properties
from graphdb.schema import ensure_schema
from graphdb.store import BATCH, Store
from graphdb.tables import as_rows, edge_table, feature_table, labelled, measurement_table

Progress = Callable[[float], None]
"""Called with the number of rows written since the last call."""

_MUCH = 200_000
_FEATURES_A_DROP = 250
"""A feature may have thousands of edges, and a transaction holds all that it deletes."""


def load_graph(store: Store, graph: LayerGraph, progress: Progress | None = None) -> None:
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
    check_foreign(store, graph.site, graph.n_features, graph.run)
    check_site(store, graph.site, graph.n_features, graph.run.id)
    with store.loading(lambda: is_new(store, graph.site.id)) as bulk:
        site, run = graph.site.id, graph.run.id
        store.write(
            statement("load_site"),
            {"site": site, "properties": site_properties(graph.site, graph.n_features)},
        )
        store.write(statement("load_run"), {"site": site, "run": run, "properties": run_properties(graph)})
        if bulk is not None and _create(store, bulk, graph, progress):
            store.write(statement("finish_run"), {"run": run})
        else:
            _merge(store, graph, progress)


def is_much(rows: int) -> bool:
    """Whether so many rows are worth a server that starts more slowly and then writes three times as fast."""
    return rows > _MUCH


def is_new(store: Store, site: str) -> bool:
    """Whether no feature of a site is there; features are made in the order of their index."""
    return not store.write(statement("some_feature"), {"site": site, "first": f"{site}/0"})


def row_count(graph: LayerGraph) -> int:
    """Return how many rows `load_graph` writes."""
    return 3 * graph.features.height + graph.edges.height


def drop_run(store: Store, run: str, progress: Progress | None = None) -> None:
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
    with store.deleting():
        _drop(store, run, progress)


def _drop(store: Store, run: str, progress: Progress | None) -> None:
    store.write(statement("drop_begin"), {"run": run})
    sites = store.write(statement("sites_of_run"), {"run": run})
    features = store.write(statement("drop_features"), {"run": run})
    steps = ["drop_edges", "drop_measurements", "drop_unmeasured"]
    if _kind(store, run) == "communities":
        # it has neither, and gave no label
        steps = ["drop_unmeasured"]
    else:
        store.write_rows(statement("label_features"), features, {"finishing": ""})
    # before the features, which a community that is there keeps
    delete_communities(store, run)
    for name in steps:
        _delete(store, name, features, run, progress)
    # the run last: while it is there, a drop that was killed can be asked for again
    _delete(store, "drop_sites", sites, run, None)
    store.write(statement("drop_run"), {"run": run})


def _kind(store: Store, run: str) -> str | None:
    rows = store.write(statement("run_properties"), {"run": run})
    return rows[0]["properties"].get("kind") if rows else None


def _merge(store: Store, graph: LayerGraph, progress: Progress | None) -> None:
    """Write what may be there already, row by row, and call the run complete."""
    features = feature_table(graph.site, graph.n_features)
    measured, edges = measurement_table(graph), edge_table(graph)
    store.write_rows(statement("load_features"), as_rows(features, "id", "site"), advance=progress)
    store.write_rows(statement("load_measurements"), as_rows(measured, "feature", "run"), advance=progress)
    store.write_rows(statement("load_edges"), as_rows(edges, "source", "target", "run"), advance=progress)
    _finish(store, graph.run.id, features["id"], progress)


def _finish(store: Store, run: str, features: pl.Series, progress: Progress | None) -> None:
    """Label the features and call the run complete in one transaction: no label is seen before its run."""
    rows = [{"id": name} for name in features]
    # a statement for each part, since ArcadeDB holds in memory what a statement sorts
    labels = [
        (statement("label_features"), {"rows": rows[first : first + BATCH], "finishing": run})
        for first in range(0, len(rows), BATCH)
    ]
    store.write_together([*labels, (statement("finish_run"), {"run": run})])
    if progress is not None:
        progress(len(rows))


def _create(store: Store, bulk: Bulk, graph: LayerGraph, progress: Progress | None) -> bool:
    """Write what is not there yet; return whether the server took it all."""
    advance = progress or (lambda _: None)
    records = store.write(statement("records"), {"site": graph.site.id, "run": graph.run.id})[0]
    site, run = (pl.lit(records[name]).alias("to") for name in ("site", "run"))
    try:
        bulk.make_types(("IN", "MEASURED_IN", "DEPENDS"))
        with ThreadPoolExecutor(1) as ahead:
            # made while the server takes the nodes: the texts of the passages take a second and more
            measurements, dependences = (
                ahead.submit(measurement_table, graph),
                ahead.submit(edge_table, graph),
            )
            features = labelled(feature_table(graph.site, graph.n_features), graph.features["label"])
            known = bulk.nodes("Feature", features, advance)
            bulk.relationships("IN", known.select(site, **{"from": "record"}), advance)
            measured = with_records(known, measurements.result(), "feature", "from")
            bulk.relationships("MEASURED_IN", measured.drop("run").with_columns(run), advance)
            edges = with_records(
                known, with_records(known, dependences.result(), "source", "from"), "target", "to"
            )
            bulk.relationships("DEPENDS", edges, advance)
    except RefusedError:
        # something of it is there after all; what was made meanwhile is merged with it
        return False
    return True


def with_records(known: pl.DataFrame, table: pl.DataFrame, column: str, end: str) -> pl.DataFrame:
    """Replace the ids in a column by the records of those nodes."""
    found = known.select(pl.col("id").alias(column), pl.col("record").alias(end))
    return table.join(found, on=column, how="left", maintain_order="left").drop(column)


def _delete(
    store: Store,
    name: str,
    of: Sequence[dict[str, Any]],
    run: str,
    progress: Progress | None,
) -> None:
    store.write_rows(statement(name), of, {"run": run}, batch=_FEATURES_A_DROP, advance=progress)


def check_site(store: Store, site: Site, n_features: int, run: str) -> None:
    """Refuse a run on a site that is there with another number of features.

    Raises
    ------
    DataError
        It is.
    """
    found = store.write("MATCH (s:Site {id: $site}) RETURN s.features AS features", {"site": site.id})
    if found and found[0]["features"] is not None:
        check_width(site.id, {"in the database": found[0]["features"], f"in run {run}": n_features})
