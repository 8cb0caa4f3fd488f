"""Where a feature comes from and what becomes of it, along the links.

The best path with at most so many links is found hop by hop: the best with ``h`` links to a feature is the
best with ``h - 1`` to one before it, and one more.
"""

from collections.abc import Mapping
from typing import Any

from analysis.errors import MisuseError
from queries.catalogue import named
from queries.patience import Patience
from queries.walks.steps import Step, Steps

Row = dict[str, Any]
Arrival = tuple[int, int, str, Step, float]
"""How a feature is reached: cost of the path, its links, the feature before it, the last step, the score."""


def lineage(patience: Patience, values: Mapping[str, Any]) -> list[Row]:
    """Return the lineage of a feature, earliest layer first, best first within; see ``lineage.cypher``."""
    if values["max_hops"] < 1:
        raise MisuseError(f"--max-hops is {values['max_hops']}; expected 1 or more")
    steps = Steps(patience, values)
    start = values["feature"]
    rows = [_row(start, None, 0)]
    for up in (False, True):
        best = _best(steps, start, values["max_hops"], up=up)
        kept = sorted(best, key=lambda name: (*best[name][:2], name))[: values["limit"]]
        rows += [_row(name, best[name], best[name][1] if up else -best[name][1]) for name in kept]
    asked = {"ids": [row["id"] for row in rows]}
    about = {row["id"]: row for row in patience.read(named("by_ids").cypher, asked)}
    for row in rows:
        row |= {"layer": about[row["id"]]["layer"], "label": about[row["id"]]["label"]}
    rows.sort(key=lambda row: (row["layer"], -row["score"], row["id"]))
    return [{column.name: row[column.name] for column in named("lineage").columns} for row in rows]


def _row(name: str, arrival: Arrival | None, hops: int) -> Row:
    row: Row = {"id": name, "hops": hops, "through": None, "kind": None, "weight": None, "score": 1.0}
    row["ablation_effect"] = None
    if arrival is not None:
        _, _, through, step, score = arrival
        row |= {"through": through, "kind": step.kind, "weight": step.weight, "score": score}
        row["ablation_effect"] = step.effect
    return row


def _best(steps: Steps, start: str, max_hops: int, *, up: bool) -> dict[str, Arrival]:
    """Return how each feature on one side is reached best."""
    found: dict[str, Arrival] = {}
    known: dict[str, dict[str, Step]] = {}
    level = {start: (0, 1.0)}
    for hop in range(1, max_hops + 1):
        known |= steps.leave(dict.fromkeys(set(level) - set(known), 0.0), up=up)
        longer: dict[str, Arrival] = {}
        for before in sorted(level):
            cost, score = level[before]
            for after, step in known[before].items():
                way = (cost + step.cost, hop, before, step, score * abs(step.weight))
                if after not in longer or way[0] < longer[after][0]:
                    longer[after] = way
        for name, way in longer.items():
            if name not in found or way[0] < found[name][0]:
                found[name] = way
        level = {name: (way[0], way[4]) for name, way in longer.items()}
        if not level:
            break
        steps.patience.check()
    return found
