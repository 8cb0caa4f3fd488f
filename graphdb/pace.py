"""How fast a load writes, by the way that it goes, as docs/log.md has measured it.

A row is what `graphdb.load.row_count` counts. The figures are of a machine of two cores; on another they are
right to a factor of two or so, which is what an estimate is good for.
"""

from graphdb.load import is_new
from graphdb.store import Store

BULK = 19_000
"""Rows a second of a first load into ArcadeDB: 28 November, 4 layers x 131,072 features with all edges and
links, 3,072,862 rows in 115 + 44 s."""
NEO4J = 11_000
"""Merged over Neo4j's driver: the same rows in 216 + 53 s."""
ARCADEDB = 2_300
"""Merged into ArcadeDB, as a site is that is there: 21 November, 56,051 rows in 24 s, on a busy machine."""
_ROWS_A_FEATURE = 33
"""Of a graph that is not there yet: three for the feature, and thirty stored edges."""


def load_seconds(store: Store | None, site: str, n_features: int) -> float:
    """Estimate the seconds to load a graph that is still to be made, of thirty stored edges a feature.

    Parameters
    ----------
    store
        Where it goes, open for writing; None for a directory that is still to be made.
    site
        Id of its site.
    n_features
        Width of the site.
    """
    return _ROWS_A_FEATURE * n_features / _rows_a_second(store, site)


def _rows_a_second(store: Store | None, site: str) -> int:
    if store is None:
        return BULK
    if store.engine != "arcadedb":
        return NEO4J
    return BULK if is_new(store, site) else ARCADEDB
