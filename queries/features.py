"""One feature: what it fires on, and what was measured of it."""

import difflib
import json
from collections.abc import Sequence
from typing import Any

from analysis.errors import MisuseError
from graphdb.runs import find_run, list_runs
from graphdb.store import Store
from queries.catalogue import named
from queries.patience import Patience

Row = dict[str, Any]

FEATURE_COLUMNS = (
    *("id", "label", "label_source", "neuronpedia", "frequency", "mean_activation", "max_activation"),
    *("degree", "community", "top_tokens", "contexts"),
)


def feature(store: Store, feature_id: str, run: str | None = None) -> Row:
    """Return a feature with what `run` measured of it (by default the newest complete run of its site).

    Returns
    -------
    dict
        The keys of `FEATURE_COLUMNS`. ``top_tokens`` is a list of ``{token, share}``, ``contexts`` a list of
        ``{rank, value, left, token, right}``, strongest first; both are empty where the samples had no words.
    """
    patience = Patience(store)
    site = site_of(patience, feature_id)
    chosen = find_run(store, run, site, known=list_runs(patience))
    row = patience.read(named("feature").cypher, {"feature": feature_id, "run": chosen["id"]})[0]
    row["community"] = row["communities"][0] if row["communities"] else None
    row["top_tokens"] = json.loads(row["top_tokens"] or "[]")
    row["contexts"] = json.loads(row["contexts"] or "[]")
    return {name: row[name] for name in FEATURE_COLUMNS}


def site_of(patience: Patience, feature_id: str) -> str:
    """Return the site of a feature that is there.

    Raises
    ------
    MisuseError
        It is not there; the nearest one is offered.
    """
    return str(features_there(patience, [feature_id])[feature_id]["site"])


def features_there(patience: Patience, ids: Sequence[str]) -> dict[str, Row]:
    """Return ``{id, site, layer, label}`` of each of these features, by id.

    Raises
    ------
    MisuseError
        One is not there; the nearest one is offered.
    """
    found = {row["id"]: row for row in patience.read(named("by_ids").cypher, {"ids": list(ids)})}
    for name in ids:
        if name not in found:
            raise MisuseError(
                f"there is no feature {name!r} in {patience.address}; {_nearest(patience, name)}"
            )
    return found


def _nearest(patience: Patience, wanted: str) -> str:
    sites = {row["id"]: row["features"] for row in patience.read(named("sites").cypher)}
    if not sites:
        return "the database is empty: stratigraph load GRAPH_DIR"
    site, _, index = wanted.rpartition("/")
    if site in sites:
        last = sites[site] - 1
        near = min(int(index), last) if index.isdecimal() else 0
        return f"{site} has the features 0 to {last}, the nearest is {site}/{near}"
    labelled = patience.read(named("labelled").cypher, {"text": wanted, "limit": 5})
    if labelled:
        return "labelled so are " + ", ".join(f"{row['id']} ({row['label']})" for row in labelled)
    best = (difflib.get_close_matches(site or wanted, sites, n=1, cutoff=0.0) or sorted(sites))[0]
    number = min(int(index), sites[best] - 1) if index.isdecimal() else 0
    return f"an id is MODEL/SOURCE/INDEX, the nearest is {best}/{number}"
