"""The features that a feature depends on, up to some hops away."""

from dataclasses import dataclass
from typing import Any

from graphdb.store import READ_TIMEOUT, Store
from queries.ask import query
from queries.bind import check_limit

Row = dict[str, Any]

NEIGHBOR_COLUMNS = (
    *("id", "hops", "weight", "replicates", "null_replicates", "q_shuffle", "q_value", "partial_correlation"),
    *("decoder_cosine", "coactivation", "kept", "label"),
)


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
    timeout: float = READ_TIMEOUT,
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
    timeout
        Seconds until it is given up.

    Returns
    -------
    list of dict
        The keys of `NEIGHBOR_COLUMNS`, and ``through``: the feature before this one on the way.

    Raises
    ------
    MisuseError
        The feature or the run is not there, or `hops` or `limit` is out of range.
    """
    check_limit(limit)
    asked = {
        "feature": feature_id,
        "run": run,
        "hops": hops,
        "all": filters.everything,
        "min_replicates": filters.min_replicates,
        "max_q": filters.max_q,
        "min_partial": filters.min_partial,
        "limit": limit or 0,
    }
    return query(store, "neighborhood", asked, timeout)
