"""The best paths between two features, exactly, under a bound on hops.

The graph in between is fetched as `queries.walks.reach` says. Where the runs say how large their weights
are, paths of a high score are looked for first, in the few steps that those may have, and then of lower
ones.

In that graph the best continuation of every length from every feature is known (by its last steps first,
over walks that may meet a feature twice, so never worse than that of a path), and paths are made longer
from the beginning, the one with the best prospect first (Hart, Nilsson and Raphael, 1968). A whole path
that comes first has no better one behind it. Paths of equal score come in the order of their ids.
"""

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from analysis.errors import MisuseError
from queries.features import features_there
from queries.patience import Patience
from queries.walks.reach import Graph, Side, fetch, floor_of
from queries.walks.steps import Steps, score

Row = dict[str, Any]
_HOP = 1 << 100
"""Cost of a hop where the shortest path counts: more than that of any weights."""
_MOST_THROUGH = 8
_MANY = 1000
"""Asked for so many paths or more, what few strong steps hold is not looked at first."""
_SHARES_ANYWHERE, _SHARES_TO_END = (0.9, 0.7, 0.4, 0.1, 0.01), (0.5, 0.03)
"""Shares of the best score that there can be: what is looked for first. Few paths to a certain end are near
the best."""
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
    start = features_there(patience, [question.start])[question.start]
    steps.layers[question.start] = start["layer"]
    forward = Side(steps, question.start, up=True)
    backward = None if question.end is None else Side(steps, question.end, up=False)
    limit, rows = values["limit"], []
    for asked, least_score, largest in _rounds(question, limit, _largest(patience, values)):
        floor = floor_of(least_score, largest, asked.least, asked.most)
        known = fetch(forward, backward, asked.most, floor)
        rows = [_row(nodes, known) for nodes in _Search(asked, known, steps.layers, patience).best(limit)]
        if sum(row["score"] >= least_score for row in rows) >= limit:
            break
    return rows


def _rounds(question: Question, limit: int, largest: float | None) -> Iterator[tuple[Question, float, float]]:
    """Yield what to look for, easiest first and at last everything: question, least score, largest weight."""
    if question.per_hop:
        for most in range(question.least, question.most + 1):
            yield replace(question, most=most), 0.0, 1.0
        return
    if largest is not None and limit < _MANY:
        best = largest ** (question.least if largest <= 1 else question.most)
        for share in _SHARES_ANYWHERE if question.end is None else _SHARES_TO_END:
            yield question, best * share, largest
    yield question, 0.0, 1.0


def _largest(patience: Patience, values: Mapping[str, Any]) -> float | None:
    """Return the size of the largest weight in the runs, None where one does not say."""
    kinds = set(values["kinds"])
    text = "MATCH (r:Run) WHERE r.id IN $runs RETURN r.kind AS kind, r.largest_weight AS largest"
    found = [
        row["largest"]
        for row in patience.read(text, {"runs": values["runs"]})
        if kinds & ({"CARRIES", "DRIVES"} if row["kind"] == "links" else {"DEPENDS"})
    ]
    return None if None in found else max(found, default=None)


def _question(patience: Patience, values: Mapping[str, Any]) -> Question:
    least, most, through = values["min_hops"], values["max_hops"], values["through"]
    if not 1 <= least <= most:
        raise MisuseError(f"--min-hops is {least} and --max-hops {most}; expected 1 <= MIN <= MAX")
    if values["from"] == values["to"]:
        raise MisuseError(f"FROM and TO are both {values['from']}; a path leads to another feature")
    if len(through) > _MOST_THROUGH:
        raise MisuseError(f"--through is given {len(through)} times; expected at most {_MOST_THROUGH}")
    for part in through:
        if not isinstance(part, str) and type(part) is not int:
            raise MisuseError(f"--through is {part!r}; expected the id of a feature or the number of a layer")
    features_there(patience, [part for part in through if isinstance(part, str)])
    per_hop = _HOP if values["shortest"] else 0
    return Question(values["from"], values["to"], least, most, tuple(through), per_hop)


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
