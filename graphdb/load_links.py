"""Loading the links between two sites into a database.

As of a layer graph (``graphdb.load``): every row is merged on its ends and its run, so that links loaded
twice are there once and a load that was killed is completed by running it again; where nothing of a run is
there yet and the server has a bulk way, its links are created that way. Sites and features that no graph has
brought yet are made, without labels; a graph that is loaded later completes them.
"""

from collections.abc import Callable, Iterable, Mapping

import polars as pl

from analysis.carrying import CARRIES, DRIVES
from analysis.layer_links import LayerLinks
from analysis.site import Site
from graphdb.cypher import statement
from graphdb.engines.engine import Bulk, RefusedError
from graphdb.foreign import check_foreign
from graphdb.load import check_site, with_records
from graphdb.properties import links_run_properties, site_properties
from graphdb.schema import ensure_schema
from graphdb.store import Store
from graphdb.tables import as_rows, feature_table, link_table

Progress = Callable[[float], None]

_IDS = 50_000
"""Features whose records are asked for at a time; in lists, which are quicker to read than rows."""


def load_links(store: Store, links: LayerLinks, progress: Progress | None = None) -> None:
    """Write links: both sites and their features where they are absent, the run, and the links.

    Parameters
    ----------
    store
        Open for writing.
    links
        What `link` made.
    progress
        Called with the number of links written since the last call.

    Raises
    ------
    DataError
        The database holds one of the sites with another number of features.
    StoreError
        The database refused or went away; run the load again to complete it.
    """
    ensure_schema(store)
    run = links.run.id
    sites = ((links.lower, links.n_lower), (links.upper, links.n_upper))
    for site, n_features in sites:
        check_foreign(store, site, n_features, links.run)
        check_site(store, site, n_features, run)
    properties = links_run_properties(links)
    with store.loading(lambda: _is_new(store, run)) as bulk:
        for site, n_features in sites:
            of_site = {"site": site.id, "properties": site_properties(site, n_features)}
            store.write(statement("load_site"), of_site)
            store.write(statement("load_run"), {"site": site.id, "run": run, "properties": properties})
            _make_features(store, site, n_features)
        write_links(store, bulk, {kind: link_table(links, kind) for kind in (CARRIES, DRIVES)}, progress)
    store.write(statement("finish_run"), {"run": run})


def write_links(
    store: Store, bulk: Bulk | None, tables: Mapping[str, pl.DataFrame], progress: Progress | None = None
) -> None:
    """Write links between features that are there.

    Parameters
    ----------
    store
        Open for writing.
    bulk
        The server's bulk way, where it has one and none of the links is there yet.
    tables
        By kind, as of ``graphdb.tables.link_table``.
    progress
        Called with the number of links written since the last call.
    """
    if bulk is not None and _create(store, bulk, tables, progress):
        return
    for kind, table in tables.items():
        rows = as_rows(table, "source", "target", "run")
        store.write_rows(statement(f"load_{kind.lower()}"), rows, advance=progress)


def _make_features(store: Store, site: Site, n_features: int) -> None:
    """Make the features that are not there."""
    found = store.write(
        "MATCH (s:Site {id: $site})<-[:IN]-(f:Feature) RETURN count(f) AS features", {"site": site.id}
    )
    if found[0]["features"] < n_features:
        store.write_rows(statement("load_features"), as_rows(feature_table(site, n_features), "id", "site"))


def _is_new(store: Store, run: str) -> bool:
    """Whether nothing of a run is there: what says that it is begun comes first."""
    return not store.write("MATCH (r:Run {id: $run}) RETURN r.id AS id", {"run": run})


def _create(store: Store, bulk: Bulk, tables: Mapping[str, pl.DataFrame], progress: Progress | None) -> bool:
    """Create the links; return whether the server took them all."""
    known = _records(store, tables.values())
    bulk.make_types(tuple(tables))
    try:
        for kind, table in tables.items():
            ends = with_records(known, with_records(known, table, "source", "from"), "target", "to")
            bulk.relationships(kind, ends, progress or (lambda _: None))
    except RefusedError:
        return False
    return True


def _records(store: Store, tables: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return ``id`` and ``record`` of the features that are linked."""
    ids = pl.concat([table[end] for table in tables for end in ("source", "target")]).unique()
    found = [pl.DataFrame(schema={"id": pl.String, "record": pl.String})]
    for part in ids.to_frame().iter_slices(_IDS):
        rows = store.write(statement("records_of"), {"ids": part.to_series().to_list()})
        found.append(pl.DataFrame(rows[0]))
    return pl.concat(found)
