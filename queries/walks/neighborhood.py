"""The features up to some hops away.

Each feature comes once, at its least number of hops. Of the paths that short the strongest counts (largest
product of sizes of weights), and the values shown are those of the edge by which it arrives.
"""

from collections.abc import Mapping
from typing import Any

from analysis.errors import MisuseError
from graphdb.runs import find_run, list_runs
from queries.catalogue import named
from queries.patience import Patience

Row = dict[str, Any]

_OWN_Q = {"published": "q_shuffle", "calibrated": "q_value"}
_FILTERS = ("run", "all", "min_replicates", "max_q", "min_partial")


def neighborhood(patience: Patience, values: Mapping[str, Any]) -> list[Row]:
    """Return the neighbourhood of a feature; see ``neighborhood.cypher``."""
    if values["hops"] < 1:
        raise MisuseError(f"--hops is {values['hops']}; expected 1 or more")
    start = values["feature"]
    step = {name: values[name] for name in _FILTERS} | {"q": _own_q(patience, values)}
    strength = {start: 1.0}
    frontier, found = [start], []
    for hop in range(1, values["hops"] + 1):
        edges = patience.gather(named("neighbors"), {**step, "features": frontier})
        reached = _strongest(edges, strength)
        strength.update({name: along for name, (along, _) in reached.items()})
        frontier = sorted(reached)
        rows = [{**edge, "hops": hop, "through": edge["feature"]} for _, edge in reached.values()]
        rows.sort(key=lambda row: (-abs(row["weight"] or 0.0), row["id"]))
        found += [{name: row[name] for name in columns()} for row in rows]
        if not frontier:
            break
    return found[: values["limit"]]


def _own_q(patience: Patience, values: Mapping[str, Any]) -> str:
    """Return which q is the run's own; without a bound on it that is not asked."""
    if values["max_q"] is None:
        return "q_shuffle"
    return _OWN_Q.get(
        find_run(patience.store, values["run"], known=list_runs(patience))["procedure"], "q_shuffle"
    )


def columns() -> list[str]:
    """Return the names of the columns."""
    return [column.name for column in named("neighborhood").columns]


def _strongest(edges: list[Row], strength: Mapping[str, float]) -> dict[str, tuple[float, Row]]:
    """Return, for each feature not met before, the strength of its best path and its last edge."""
    reached: dict[str, tuple[float, Row]] = {}
    for edge in edges:
        if edge["id"] in strength:
            continue
        along = strength[edge["feature"]] * abs(edge["weight"] or 0.0)
        best = reached.get(edge["id"])
        if best is None or (along, edge["feature"]) > (best[0], best[1]["feature"]):
            reached[edge["id"]] = (along, edge)
    return reached
