"""The features that a feature depends on, up to some hops away.

Each feature comes once, at its least number of hops. Of the paths that short the strongest counts (largest
product of sizes of weights), and the values shown are those of the edge by which it arrives.
"""

from dataclasses import dataclass
from typing import Any

from analysis.errors import MisuseError
from graphdb.runs import find_run
from graphdb.store import READ_TIMEOUT, Store
from queries.catalogue import named
from queries.features import site_of

Row = dict[str, Any]

NEIGHBOR_COLUMNS = (
    *("id", "hops", "weight", "replicates", "null_replicates", "q_shuffle", "q_value", "partial_correlation"),
    *("decoder_cosine", "coactivation", "kept", "label"),
)
_OWN_Q = {"published": "q_shuffle", "calibrated": "q_value"}


@dataclass(frozen=True)
class Filters:
    """Which edges are followed.

    Parameters
    ----------
    everything
        Also the stored edges that did not pass the run's FDR.
    min_replicates
        Least number of replicates that show the edge.
    max_q
        Largest q, by the run's own procedure: ``q_shuffle`` (published) or ``q_value`` (calibrated).
    min_partial
        Least size of the partial correlation, 0 to 1. An edge without the value in question is left out.
    """

    everything: bool = False
    min_replicates: int | None = None
    max_q: float | None = None
    min_partial: float | None = None


def neighbors(
    store: Store,
    feature_id: str,
    run: str | None = None,
    hops: int = 1,
    filters: Filters = Filters(),
    limit: int | None = None,
) -> list[Row]:
    """Return the neighbours of a feature: nearest first, then strongest, then by id.

    Parameters
    ----------
    store
        An open database.
    feature_id
        ``model/source/index``.
    run
        The run whose edges are followed; by default the newest complete one of the feature's site.
    hops
        Largest number of hops, 1 or more.
    filters
        Which edges are followed.
    limit
        Most rows; None or 0 for all.

    Raises
    ------
    MisuseError
        The feature or the run is not there, or `hops` or `limit` is out of range.
    """
    if hops < 1:
        raise MisuseError(f"--hops is {hops}; expected 1 or more")
    check_limit(limit)
    site = site_of(store, feature_id)
    chosen = find_run(store, run, site)
    parameters = {
        "run": chosen["id"],
        "all": filters.everything,
        "min_replicates": filters.min_replicates,
        "max_q": filters.max_q,
        "q": _OWN_Q.get(chosen["procedure"], "q_shuffle"),
        "min_partial": filters.min_partial,
    }
    found = _spread(store, feature_id, hops, parameters)
    return found[:limit] if limit else found


def check_limit(limit: int | None) -> None:
    """Refuse a limit below 0."""
    if limit is not None and limit < 0:
        raise MisuseError(f"--limit is {limit}; expected 1 or more, or 0 for all")


def _spread(store: Store, start: str, hops: int, parameters: Row) -> list[Row]:
    """Follow edges outwards, one question a hop."""
    strength = {start: 1.0}
    frontier, found = [start], []
    for hop in range(1, hops + 1):
        edges = store.read(named("neighbors").cypher, {**parameters, "features": frontier}, READ_TIMEOUT)
        reached: dict[str, tuple[float, Row]] = {}
        for edge in edges:
            if edge["id"] in strength:
                continue
            along = strength[edge["feature"]] * abs(edge["weight"] or 0.0)
            best = reached.get(edge["id"])
            if best is None or (along, edge["feature"]) > (best[0], best[1]["feature"]):
                reached[edge["id"]] = (along, edge)
        strength.update({name: along for name, (along, _) in reached.items()})
        frontier = sorted(reached)
        rows = [{**edge, "hops": hop} for _, edge in reached.values()]
        rows.sort(key=lambda row: (-abs(row["weight"] or 0.0), row["id"]))
        found += [{name: row[name] for name in NEIGHBOR_COLUMNS} for row in rows]
        if not frontier:
            break
    return found
