"""The runs in a database, and the one that a person means by a few letters of its id."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from analysis.errors import MisuseError
from graphdb.cypher import statement
from graphdb.store import Store

Row = dict[str, Any]


class Asked(Protocol):
    """What answers a question: a store, or one that keeps a time limit over several."""

    def read(self, cypher: str, params: Mapping[str, Any] | None = None) -> list[Row]:
        """Answer it."""


def list_runs(store: Asked) -> list[Row]:
    """Return every run, newest first, as the columns of ``list_runs.cypher``."""
    return store.read(statement("list_runs"))


def newest_runs(known: Sequence[Row], kinds: Sequence[str]) -> list[str]:
    """Return the newest complete run of each set of sites that runs of each of these kinds are about.

    `known` are the runs, newest first.
    """
    newest: dict[tuple[str, ...], str] = {}
    for run in known:
        if run["complete"] and run["kind"] in kinds:
            newest.setdefault((run["kind"], *run["sites"]), run["id"])
    return sorted(newest.values())


def sites_and_runs(store: Asked, features: Sequence[str]) -> tuple[dict[str, str], list[Row]]:
    """Return the site of each of these features that is there, and the runs: what `find_run` chooses from."""
    rows = store.read(statement("sites_and_runs"), {"ids": list(features)})
    sites = {row["feature"]: row["site"] for row in rows if row["run"] is None}
    return sites, [row["run"] for row in rows if row["run"] is not None]


def find_run(
    store: Store,
    run: str | None = None,
    site: str | None = None,
    kind: str | None = "layer",
    whole: bool = True,
    known: list[Row] | None = None,
) -> Row:
    """Return the run that `run` names.

    Parameters
    ----------
    store
        An open database.
    run
        A run's id, a unique beginning of one, or None for the newest complete run.
    site
        Only runs about this site.
    kind
        Only runs of this kind when `run` is None; None for any.
    whole
        Refuse a run whose load has not finished.
    known
        The runs, newest first, if they were asked for already.

    Raises
    ------
    MisuseError
        There is no such run, there are several, it is not whole, or it is about another site.
    """
    known = list_runs(store) if known is None else known
    if run is None:
        return _newest(store, known, site, kind)
    found = [row for row in known if row["id"] == run] or [row for row in known if row["id"].startswith(run)]
    if not run or not found:
        there = ", ".join(row["id"] for row in known[:5]) or "none"
        raise MisuseError(f"no run in {store.address} begins with {run!r}; there are: {there}")
    if len(found) > 1:
        several = ", ".join(row["id"] for row in found[:5])
        raise MisuseError(f"run {run!r} is not unique; it could be {several}: give more of it")
    row = found[0]
    if whole and not row["complete"]:
        raise MisuseError(
            f"run {row['id']} is incomplete, its load or drop did not finish; run that command again"
        )
    if site is not None and site not in row["sites"]:
        raise MisuseError(
            f"run {row['id']} is about {', '.join(row['sites'])}, not about {site}; give another --run"
        )
    return row


def _newest(store: Store, known: list[Row], site: str | None, kind: str | None) -> Row:
    for row in known:
        if row["complete"] and kind in {None, row["kind"]} and (site is None or site in row["sites"]):
            return row
    of = f" of {site}" if site else ""
    raise MisuseError(
        f"there is no complete run{of} in {store.address}; load one: "
        f"stratigraph load GRAPH_DIR --db {store.address}"
    )
