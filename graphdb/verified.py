"""Links that are checked by intervention: read from a database, and what was found written beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from analysis.errors import DataError, MisuseError
from graphdb.cypher import statement
from graphdb.properties import as_text
from graphdb.runs import find_run, list_runs
from graphdb.store import BATCH, Store

_COLUMNS = {"source": pl.Int64, "target": pl.Int64, "kind": pl.String, "weight": pl.Float64}


@dataclass(frozen=True)
class LinkedSite:
    """One end of the links of a run: a site as the database has it."""

    id: str
    layer: int
    hook: str
    features: int


@dataclass(frozen=True)
class LinkRun:
    """The links that one run found between two layers.

    Parameters
    ----------
    id
        The run's id.
    lower, upper
        Sites of the earlier and the later layer.
    links
        Columns ``source`` and ``target`` (indices at the earlier and the later site), ``kind`` and
        ``weight``, ascending by source and target.
    """

    id: str
    lower: LinkedSite
    upper: LinkedSite
    links: pl.DataFrame


def read_links(store: Store, run: str | None = None) -> LinkRun:
    """Return the links of a run, or of the newest complete one that has any.

    Parameters
    ----------
    store
        Open for writing, so that no time limit ends the reading of many links.
    run
        The run's id, or a unique beginning of it.

    Raises
    ------
    MisuseError
        There is no such run, it is not of links, not complete, or found none.
    DataError
        Its links are not from one site to one of a later layer.
    """
    known = list_runs(store)
    if run is None and not any(row["kind"] == "links" and row["complete"] for row in known):
        raise MisuseError(
            f"{store.address} holds no complete run of links; make one: "
            f"stratigraph link LOWER_SAMPLES UPPER_SAMPLES --db {store.address}"
        )
    chosen = find_run(store, run, kind="links", known=known)
    if chosen["kind"] != "links":
        raise MisuseError(
            f"run {chosen['id']} is of kind {chosen['kind']}, expected one of kind links; "
            "stratigraph runs lists them"
        )
    rows = store.write(statement("links_of_run"), {"run": chosen["id"]})
    if not rows:
        raise MisuseError(
            f"run {chosen['id']} found no links, so there is nothing to verify; give another --run"
        )
    sites = {row["id"]: _site(row) for row in store.write(statement("sites_of_run"), {"run": chosen["id"]})}
    ends = {(row["lower"], row["upper"]) for row in rows}
    lower, upper = next(iter(ends))
    if len(ends) > 1 or upper not in sites or lower not in sites or sites[lower].layer >= sites[upper].layer:
        raise DataError(
            f"the links of run {chosen['id']} go from {lower} to {upper} and {len(ends) - 1} other ways; "
            "expected them from one site to one of a later layer, make the links again"
        )
    links = pl.DataFrame([{name: row[name] for name in _COLUMNS} for row in rows], schema=dict(_COLUMNS))
    return LinkRun(chosen["id"], sites[lower], sites[upper], links)


def write_verified(
    store: Store, run: LinkRun, effects: Mapping[tuple[int, int], float], verified: Mapping[str, Any]
) -> None:
    """Write what an intervention found, in place of what was found of this run before; all of it or nothing.

    Parameters
    ----------
    store
        Open for writing.
    run
        The run of the links.
    effects
        By source and target, the mean change of the later feature.
    verified
        What is said of the run as a whole, JSON values only.
    """
    rows = [
        {"source": f"{run.lower.id}/{source}", "target": f"{run.upper.id}/{target}", "effect": effect}
        for (source, target), effect in effects.items()
    ]
    statements: Sequence[tuple[str, Mapping[str, Any]]] = [
        (statement("clear_ablation"), {"run": run.id}),
        *(
            (statement("set_ablation"), {"run": run.id, "rows": rows[at : at + BATCH]})
            for at in range(0, len(rows), BATCH)
        ),
        (statement("set_verified"), {"run": run.id, "verified": as_text(dict(verified))}),
    ]
    store.write_together(statements)


def _site(row: Mapping[str, Any]) -> LinkedSite:
    return LinkedSite(row["id"], row["layer"], row["hook"] or "", row["features"])
