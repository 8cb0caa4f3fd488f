"""The best paths between two features, exactly, under a bound on hops.

The graph in between is fetched from both ends. A path of at most ``H`` hops whose first ``a`` steps leave
features less than ``a`` hops from its beginning, and whose others arrive at features less than ``b = H-a``
hops from its end, lies in what ``a`` hops forwards and ``b`` backwards meet; so the smaller side is
always the next to spread, and of the last hop only the steps that meet the other side are asked for.

Then the best continuation of every length from every feature is known (by its last steps first, over walks
that may meet a feature twice, so never worse than that of a path), and paths are made longer from the
beginning, the one with the best prospect first (Hart, Nilsson and Raphael, 1968). A whole path that comes
first has no better one behind it. Paths of equal score come in the order of their ids.
"""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from analysis.errors import MisuseError
from queries.features import features_there
from queries.patience import Patience
from queries.walks.steps import Step, Steps, score

Row = dict[str, Any]
Graph = Mapping[str, Mapping[str, Step]]

_HOP = 1 << 100
"""Cost of a hop where the shortest path counts: more than that of any weights."""
_MOST_THROUGH = 8
_LOOK_AT_CLOCK = 512


@dataclass(frozen=True)
class Question:
    """What is asked of paths.

    Parameters
    ----------
    start, end
        Ids; without an end, paths end anywhere.
    least, most
        Hops.
    through
        Features by id and layers by number that a path must meet.
    per_hop
        Added to the cost of each hop.
    """

    start: str
    end: str | None
    least: int
    most: int
    through: tuple[str | int, ...]
    per_hop: int


def paths(patience: Patience, values: Mapping[str, Any]) -> list[Row]:
    """Return the best paths, best first; see ``paths.cypher``."""
    question = _question(patience, values)
    steps = Steps(patience, values)
    start = features_there(patience.store, [question.start])[question.start]
    steps.layers[question.start] = start["layer"]
    known = _between(steps, question)
    search = _Search(question, known, steps.layers, patience)
    return [_row(nodes, known) for nodes in search.best(values["limit"])]


def _question(patience: Patience, values: Mapping[str, Any]) -> Question:
    least, most, through = values["min_hops"], values["max_hops"], values["through"]
    if not 1 <= least <= most:
        raise MisuseError(f"--min-hops is {least} and --max-hops {most}; expected 1 <= MIN <= MAX")
    if values["from"] == values["to"]:
        raise MisuseError(f"FROM and TO are both {values['from']}; a path leads to another feature")
    if len(through) > _MOST_THROUGH:
        raise MisuseError(f"--through is given {len(through)} times; expected at most {_MOST_THROUGH}")
    features_there(patience.store, [part for part in through if isinstance(part, str)])
    per_hop = _HOP if values["shortest"] else 0
    return Question(values["from"], values["to"], least, most, tuple(through), per_hop)


def _between(steps: Steps, question: Question) -> dict[str, dict[str, Step]]:
    """Fetch the steps of which every path in question is made."""
    known: dict[str, dict[str, Step]] = {}
    forward, seen = {question.start}, {question.start}
    backward: set[str] = set() if question.end is None else {question.end}
    met = set(backward)
    for hop in range(question.most):
        last = hop == question.most - 1 and question.end is not None
        if question.end is None or len(forward) <= len(backward):
            found = steps.leave(sorted(forward), ends=met if last else None)
            for before, after in found.items():
                known.setdefault(before, {}).update(after)
            forward = {name for after in found.values() for name in after} - seen
            seen |= forward
        else:
            found = steps.leave(sorted(backward), up=False, ends=seen if last else None)
            for arrival, earlier in found.items():
                for departure, step in earlier.items():
                    known.setdefault(departure, {})[arrival] = step
            backward = {name for earlier in found.values() for name in earlier} - met
            met |= backward
        if not forward or (question.end is not None and not backward):
            break
    return known


def _row(nodes: tuple[str, ...], known: Graph) -> Row:
    taken = [known[before][after] for before, after in pairwise(nodes)]
    weights = [step.weight for step in taken]
    return {
        "nodes": list(nodes),
        "kinds": [step.kind for step in taken],
        "weights": weights,
        "score": score(weights),
    }


class _Search:
    """The search for the best paths through steps that are known.

    What a path still has to meet is a set of bits, one for each part of `through`.
    """

    def __init__(
        self, question: Question, known: Graph, layers: Mapping[str, int], patience: Patience
    ) -> None:
        self._question, self._known, self._patience = question, known, patience
        self._nodes = {question.start, *known, *(after for steps in known.values() for after in steps)}
        self._bits = {
            name: sum(
                1 << at
                for at, part in enumerate(question.through)
                if (name == part if isinstance(part, str) else layers.get(name) == part)
            )
            for name in self._nodes
        }
        self._all = (1 << len(question.through)) - 1
        self._ends = self._continuations()
        self._prospects: dict[tuple[str, int, int], int | None] = {}

    def best(self, limit: int) -> list[tuple[str, ...]]:
        """Return the nodes of the best paths, best first."""
        start = self._question.start
        waiting: list[tuple[int, tuple[str, ...], bool, int, int]] = []
        self._wait(waiting, (start,), 0, self._bits[start])
        found: list[tuple[str, ...]] = []
        taken = 0
        while waiting and len(found) < limit:
            taken += 1
            if taken % _LOOK_AT_CLOCK == 0:
                self._patience.check()
            _, nodes, whole, cost, met = heapq.heappop(waiting)
            if whole:
                found.append(nodes)
                continue
            if self._is_whole(nodes, met):
                heapq.heappush(waiting, (cost, nodes, True, cost, met))
            for after, step in self._known.get(nodes[-1], {}).items():
                if after not in nodes and len(nodes) <= self._question.most:
                    spent = cost + step.cost + self._question.per_hop
                    self._wait(waiting, (*nodes, after), spent, met | self._bits[after])
        return found

    def _is_whole(self, nodes: tuple[str, ...], met: int) -> bool:
        asked = self._question
        return (
            asked.least <= len(nodes) - 1 <= asked.most
            and nodes[-1] == (asked.end or nodes[-1])
            and met == self._all
        )

    def _wait(
        self,
        waiting: list[tuple[int, tuple[str, ...], bool, int, int]],
        nodes: tuple[str, ...],
        cost: int,
        met: int,
    ) -> None:
        """Add a beginning of paths to those that wait, unless none of them can be whole."""
        ahead = self._prospect(nodes[-1], met, len(nodes) - 1)
        if ahead is not None:
            heapq.heappush(waiting, (cost + ahead, nodes, False, cost, met))

    def _prospect(self, name: str, met: int, hops: int) -> int | None:
        """Return the least cost of going on from a feature to an end, None where there is no way."""
        key = (name, met, hops)
        if key not in self._prospects:
            least, most = max(0, self._question.least - hops), self._question.most - hops
            costs = [
                cost
                for ways in self._ends[least : most + 1]
                for got, cost in ways.get(name, {}).items()
                if got | met == self._all
            ]
            self._prospects[key] = min(costs, default=None)
        return self._prospects[key]

    def _continuations(self) -> list[dict[str, dict[int, int]]]:
        """Return, for each number of hops, the least cost from each feature to an end, by what is met."""
        ends = self._nodes if self._question.end is None else self._nodes & {self._question.end}
        levels = [{name: {self._bits[name]: 0} for name in ends}]
        for _ in range(self._question.most):
            self._patience.check()
            behind = levels[-1]
            ways: dict[str, dict[int, int]] = {}
            for before, steps in self._known.items():
                mine: dict[int, int] = {}
                for after, step in steps.items():
                    for got, cost in behind.get(after, {}).items():
                        bits, whole = got | self._bits[before], cost + step.cost + self._question.per_hop
                        if bits not in mine or whole < mine[bits]:
                            mine[bits] = whole
                if mine:
                    ways[before] = mine
            levels.append(ways)
        return levels
