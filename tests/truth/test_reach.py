import numpy as np
import pytest

from bench.truth import reach
from bench.truth.ising import Ising

FAMILY = Ising(0, features=64, modules=8, size=5, extra=2)


def test_the_law_of_a_pair_and_of_the_rest_is_that_of_the_module() -> None:
    for a, b in ((0, 1), (3, 1), (4, 2)):
        law = reach._by_the_rest(FAMILY, 2, a, b)
        both = FAMILY.probability[2] @ (FAMILY.states[:, a] * FAMILY.states[:, b])
        assert np.isclose(law[1, 1].sum(), both)
        assert np.isclose(law[1].sum(), FAMILY.rate[FAMILY.member[2, a]])


def test_uncoupled_pairs_show_nothing_and_coupled_ones_what_more_tokens_show_better() -> None:
    a, b = np.argwhere(np.triu(FAMILY.coupling[0] == 0, 1))[0]
    assert abs(reach._evidence(FAMILY, 0, int(a), int(b), 10**6)) < 1e-6
    few, many = reach.within_reach(FAMILY, 2000), reach.within_reach(FAMILY, 200_000)
    assert few < many
    assert many > 0.8


def test_the_table_lists_the_ising_families(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["reach", "--features", "256"])
    reach.main()
    rows = capsys.readouterr().out.strip().splitlines()[2:]
    assert [row.split(" | ")[0] for row in rows] == [
        "| tune-ising", "| ising", "| ising-signed", "| ising-weak", "| ising-strong", "| ising-frequent",
        "| cliques",
    ]  # fmt: skip
