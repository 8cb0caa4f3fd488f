import itertools

import numpy as np
import pytest

from bench.truth import reach
from bench.truth.family import pair
from bench.truth.ising import Ising
from bench.truth.reach import evidence_of, groups_of, within_reach
from bench.truth.tree import Trees
from tests.truth.exact import graph_of

FAMILY = Ising(0, features=64, modules=8, size=5, extra=2)


def test_modules_and_trees_are_written_out_as_they_are_drawn() -> None:
    group = list(groups_of(FAMILY))[2]
    for a, b in group.edges:
        assert FAMILY.coupling[2, a, b] != 0
        law = np.moveaxis(group.law, (a, b), (0, 1)).reshape(2, 2, -1).sum(axis=2)
        assert np.isclose(law[1, 1], FAMILY.probability[2] @ (FAMILY.states[:, a] * FAMILY.states[:, b]))
        assert np.isclose(law[1].sum(), FAMILY.rate[FAMILY.member[2, a]])
    family = Trees(3, features=10, size=5)
    for group in groups_of(family):
        assert np.isclose(group.law.sum(), 1)
        assert graph_of(group.law, 1e-4) == {pair(a, b) for a, b in group.edges}


def test_pairs_that_are_not_planted_show_nothing_and_planted_ones_more_the_more_tokens() -> None:
    for family in (FAMILY, Trees(3, features=64, size=5)):
        group = next(groups_of(family))
        edges = {pair(a, b) for a, b in group.edges}
        a, b = next(p for p in itertools.combinations(range(5), 2) if p not in edges)
        assert abs(evidence_of(group.law, a, b, 10**4)) < 1e-3
        few, many = within_reach(family, 2000), within_reach(family, 200_000)
        assert few < many
        assert many > 0.8


def test_the_table_lists_the_families_that_can_be_written_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["reach", "--features", "256"])
    reach.main()
    rows = capsys.readouterr().out.strip().splitlines()[2:]
    names = [row.split(" | ")[0] for row in rows]
    assert {"| ising", "| cliques", "| trees", "| trees-rare"} < set(names)
    assert not {"| hubs", "| topics", "| noise"} & set(names)
