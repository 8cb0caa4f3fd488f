"""One feature: what it fires on, and what was measured of it."""

import difflib
import json
from typing import Any

from analysis.errors import MisuseError
from graphdb.runs import find_run
from graphdb.store import Store
from queries.catalogue import named

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
    site = site_of(store, feature_id)
    chosen = find_run(store, run, site)
    row = store.read(named("feature").cypher, {"feature": feature_id, "run": chosen["id"]})[0]
    row["community"] = row["communities"][0] if row["communities"] else None
    row["top_tokens"] = json.loads(row["top_tokens"] or "[]")
    row["contexts"] = json.loads(row["contexts"] or "[]")
    return {name: row[name] for name in FEATURE_COLUMNS}


def links(store: Store, feature_id: str, limit: int = 10) -> list[Row]:
    """Return the strongest links of a feature to later and earlier layers."""
    return store.read(named("links").cypher, {"feature": feature_id, "limit": limit})


def site_of(store: Store, feature_id: str) -> str:
    """Return the site of a feature that is there.

    Raises
    ------
    MisuseError
        It is not there; the nearest one is offered.
    """
    found = store.read("MATCH (f:Feature {id: $id}) RETURN f.site AS site", {"id": feature_id})
    if found:
        return str(found[0]["site"])
    raise MisuseError(f"there is no feature {feature_id!r} in {store.address}; {_nearest(store, feature_id)}")


def _nearest(store: Store, wanted: str) -> str:
    sites = {row["id"]: row["features"] for row in store.read(named("sites").cypher)}
    if not sites:
        return "the database is empty: stratigraph load GRAPH_DIR"
    site, _, index = wanted.rpartition("/")
    if site in sites:
        last = sites[site] - 1
        near = min(int(index), last) if index.isdecimal() else 0
        return f"{site} has the features 0 to {last}, the nearest is {site}/{near}"
    labelled = store.read(named("labelled").cypher, {"text": wanted, "limit": 5})
    if labelled:
        return "labelled so are " + ", ".join(f"{row['id']} ({row['label']})" for row in labelled)
    best = (difflib.get_close_matches(site or wanted, sites, n=1, cutoff=0.0) or sorted(sites))[0]
    number = min(int(index), sites[best] - 1) if index.isdecimal() else 0
    return f"an id is MODEL/SOURCE/INDEX, the nearest is {best}/{number}"
