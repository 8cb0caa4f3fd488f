"""The graph between two features, or around one, as far as paths of a certain score may use it.

It is fetched from both ends. A path of at most ``H`` hops whose first ``a`` steps leave features less than
``a`` hops from its beginning, and whose others arrive at features less than ``b = H - a`` hops from its end,
lies in what ``a`` hops forwards and ``b`` backwards meet; so the side with less to ask is always the next to
spread, and of the last hop only the steps that meet the other side are asked for.

Where no weight is larger than ``W``, a path of score ``s`` has no step smaller than ``s`` over the best score
up to there and the best that the hops to come can add: of hubs only their larger weights are then asked for.
"""

import math
from collections.abc import Callable, Collection

from queries.walks.steps import UNIT, Step, Steps

Graph = dict[str, dict[str, Step]]
_MARGIN = 1 - 1e-9
"""So that no step is missed by rounding."""


class Side:
    """What is reached from one end, hop by hop; what was asked for once is kept.

    Parameters
    ----------
    steps
        Whom to ask.
    start
        Id of the feature at this end.
    up
        Links are followed to later layers, or else to earlier ones.
    """

    def __init__(self, steps: Steps, start: str, *, up: bool) -> None:
        self._steps, self._start, self._up = steps, start, up
        self._asked: dict[str, float] = {}
        self.known: Graph = {}
        self.restart()

    def restart(self) -> None:
        """Begin again at the end, with what is known."""
        self.level, self.met, self.hops = {self._start: 0}, {self._start}, 0

    def wanted(self, floor: Callable[[int, int], float]) -> dict[str, float]:
        """Return the least weight of use, for each feature where such small ones were not asked for."""
        least = {name: floor(cost, self.hops) for name, cost in self.level.items()}
        return {name: weight for name, weight in least.items() if weight < self._asked.get(name, math.inf)}

    def spread(self, wanted: dict[str, float], ends: Collection[str] | None) -> None:
        """Go one hop further; only to `ends` if they are given."""
        for name, steps in self._steps.leave(wanted, up=self._up, ends=ends).items():
            self.known.setdefault(name, {}).update(steps)
        if ends is None:
            self._asked |= wanted
        longer: dict[str, int] = {}
        for name, cost in self.level.items():
            for other, step in self.known.get(name, {}).items():
                whole = cost + step.cost
                if other not in longer or whole < longer[other]:
                    longer[other] = whole
        self.level, self.hops = longer, self.hops + 1
        self.met |= longer.keys()


def fetch(forward: Side, backward: Side | None, most: int, floor: Callable[[int, int], float]) -> Graph:
    """Return the steps, by where they begin, of which every path of at most `most` hops is made.

    `floor` is the least weight of use, given the cost up to a feature and the hops that it took.
    """
    sides = [side for side in (forward, backward) if side is not None]
    for side in sides:
        side.restart()
    for hop in range(most):
        wants = [side.wanted(floor) for side in sides]
        at = min(range(len(sides)), key=lambda at: len(wants[at]))
        last = backward is not None and hop == most - 1
        sides[at].spread(wants[at], sides[1 - at].met if last else None)
        if not sides[at].level:
            break
    known = {name: dict(steps) for name, steps in forward.known.items()}
    for arrival, earlier in backward.known.items() if backward is not None else ():
        for departure, step in earlier.items():
            known.setdefault(departure, {})[arrival] = step
    return known


def floor_of(score: float, largest: float, least: int, most: int) -> Callable[[int, int], float]:
    """Return the least weight of use to paths of at least this score, of `least` to `most` hops.

    `largest` is the size of the largest weight there is.
    """

    def floor(cost: int, hops: int) -> float:
        if score == 0:
            return 0.0
        to_come = max(0, least - 1 - hops) if largest <= 1 else most - 1 - hops
        best = math.exp(-cost / UNIT) * largest**to_come
        return _MARGIN * score / best if best > 0 else math.inf

    return floor
