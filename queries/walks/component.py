"""The connected component of a feature, breadth first."""

from collections.abc import Mapping
from typing import Any

from queries.catalogue import named
from queries.patience import Patience

Row = dict[str, Any]


def component(patience: Patience, values: Mapping[str, Any]) -> list[Row]:
    """Return every feature that kept edges lead to, nearest first, then by id; see ``component.cypher``."""
    hops = {values["feature"]: 0}
    frontier = [values["feature"]]
    step = {
        "runs": [values["run"]],
        "kinds": ["DEPENDS"],
        "up": True,
        "min_weight": 0,
        "least": None,
        "ends": None,
    }
    while frontier and len(hops) < values["limit"]:
        met = patience.gather(named("hop"), {**step, "features": frontier})
        depth = hops[frontier[0]] + 1
        frontier = sorted({row["id"] for row in met} - set(hops))
        hops.update(dict.fromkeys(frontier, depth))
    shown = sorted(hops, key=lambda name: (hops[name], name))[: values["limit"]]
    labels = {row["id"]: row["label"] for row in patience.read(named("by_ids").cypher, {"ids": shown})}
    return [{"id": name, "hops": hops[name], "label": labels[name]} for name in shown]
