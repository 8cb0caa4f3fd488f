"""One hop along edges and links, and what a path costs.

A path's score is the product of the sizes of its weights, so the cost of a step is ``-log |weight|``, and
costs add. They are whole numbers (of 2^-40): sums of whole numbers do not depend on their order, so equal
paths are found equal, and what comes first does not hang on rounding.
"""

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from queries.catalogue import named
from queries.patience import Patience

UNIT = 2.0**40


@dataclass(frozen=True)
class Step:
    """A relationship as it is followed.

    Parameters
    ----------
    cost
        ``-log |weight|``, in units of 2^-40; below 0 where the size of the weight is above 1.
    kind, weight
        As stored; the weight is signed.
    effect
        Of a link that was tried by intervention, ``ablation_effect``.
    """

    cost: int
    kind: str
    weight: float
    effect: float | None = None


class Steps:
    """Asks the database for hops; keeps what it learns of layers.

    Parameters
    ----------
    patience
        Whom to ask, and for how long.
    values
        `runs`, `kinds` and `min_weight` of the question.
    """

    def __init__(self, patience: Patience, values: Mapping[str, Any]) -> None:
        self.patience = patience
        self.layers: dict[str, int] = {}
        self._values = {name: values[name] for name in ("runs", "kinds", "min_weight")}

    def leave(
        self, least: Mapping[str, float], *, up: bool = True, ends: Collection[str] | None = None
    ) -> dict[str, dict[str, Step]]:
        """Return the steps from some features: links to later layers if `up`, else to earlier ones.

        `least` is the least size of a weight for each of the features. Of several relationships between two
        features the strongest counts. One of weight 0 is no step.
        """
        asked = {
            **self._values,
            "features": sorted(least),
            "least": dict(least),
            "up": up,
            "ends": None if ends is None else dict.fromkeys(ends, True),
        }
        found: dict[str, dict[str, Step]] = {name: {} for name in asked["features"]}
        rows = self.patience.gather(named("hop"), asked) if found else []
        # of steps that cost the same the first counts, whatever the database found first
        rows.sort(key=lambda row: (row["feature"], row["id"], row["kind"], row["weight"], _of_effect(row)))
        for row in rows:
            self.layers[row["id"]] = row["layer"]
            if not row["weight"]:
                continue
            step = Step(cost(row["weight"]), row["kind"], row["weight"], row["ablation_effect"])
            known = found[row["feature"]].get(row["id"])
            if known is None or step.cost < known.cost:
                found[row["feature"]][row["id"]] = step
        return found


def _of_effect(row: Mapping[str, Any]) -> tuple[bool, float]:
    """Order what is known before what is not."""
    effect = row["ablation_effect"]
    return (True, 0.0) if effect is None else (False, effect)


def cost(weight: float) -> int:
    """Return ``-log |weight|`` in units of 2^-40."""
    return round(-math.log(abs(weight)) * UNIT)


def score(weights: Iterable[float]) -> float:
    """Return the product of the sizes of weights."""
    return math.prod(abs(weight) for weight in weights)
