"""Paths between features, inside a layer and across layers, and the lineage of a feature."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from graphdb.store import READ_TIMEOUT, Store
from queries.ask import query

Row = dict[str, Any]

PATH_COLUMNS = ("nodes", "kinds", "weights", "score")
LINEAGE_COLUMNS = ("id", "layer", "hops", "through", "kind", "weight", "score", "label", "ablation_effect")


@dataclass(frozen=True)
class Route:
    """Which paths are asked for.

    Parameters
    ----------
    kinds
        Relationships that are followed: DEPENDS either way, CARRIES and DRIVES to later layers.
    min_hops, max_hops
        Bounds on the length, 1 or more.
    min_weight
        Least size of each weight.
    through
        Features, by id, and layers, by number, that a path must meet; its ends count.
    shortest
        Fewest hops first, then the best.
    """

    kinds: tuple[str, ...] = ("CARRIES", "DRIVES", "DEPENDS")
    min_hops: int = 1
    max_hops: int = 4
    min_weight: float = 0.0
    through: tuple[str | int, ...] = ()
    shortest: bool = False


def paths(
    store: Store,
    start: str,
    end: str | None = None,
    route: Route = Route(),
    runs: Sequence[str] | None = None,
    limit: int = 10,
    timeout: float = READ_TIMEOUT,
) -> list[Row]:
    """Return the best paths from a feature, to another one or to any.

    Parameters
    ----------
    store
        An open database.
    start, end
        Ids of features; without an end, paths end anywhere.
    route
        Which paths.
    runs
        The runs whose edges and links are followed; by default the newest complete one of each site and of
        each pair of sites.
    limit
        Most rows, 0 for all.
    timeout
        Seconds until it is given up.

    Returns
    -------
    list of dict
        The keys of `PATH_COLUMNS`, best first: the largest product of the sizes of the weights.
    """
    asked = {
        "from": start,
        "to": end,
        "kinds": list(route.kinds),
        "runs": None if runs is None else list(runs),
        "min_hops": route.min_hops,
        "max_hops": route.max_hops,
        "min_weight": route.min_weight,
        "through": list(route.through),
        "shortest": route.shortest,
        "limit": limit,
    }
    return query(store, "paths", asked, timeout)


def lineage(
    store: Store,
    feature: str,
    kinds: Sequence[str] = ("CARRIES", "DRIVES"),
    max_hops: int = 64,
    min_weight: float = 0.0,
    runs: Sequence[str] | None = None,
    limit: int = 0,
    timeout: float = READ_TIMEOUT,
) -> list[Row]:
    """Return where a feature comes from and what becomes of it, earliest layer first.

    `limit` counts the best on either side, 0 for all; the feature itself is there too, with ``hops`` 0. The
    other parameters are those of `paths`.

    Returns
    -------
    list of dict
        The keys of `LINEAGE_COLUMNS`.
    """
    asked = {
        "feature": feature,
        "kinds": list(kinds),
        "max_hops": max_hops,
        "min_weight": min_weight,
        "runs": None if runs is None else list(runs),
        "limit": limit,
    }
    return query(store, "lineage", asked, timeout)
