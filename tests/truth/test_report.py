from collections.abc import Sequence

import numpy as np
import pytest

from analysis.activations import Activations
from bench.truth.catalogue import CATALOGUE
from bench.truth.firing import Firing
from bench.truth.hub import Hubs
from bench.truth.procedure import Answer, calibrated, published
from bench.truth.report import heading, row_of, scores_of
from bench.truth.score import keys_of, score
from bench.truth.topic import Topics
from bench.truth.tree import Trees


def test_an_answer_is_scored_pair_by_pair() -> None:
    family = Topics(0, features=64)
    true, excluded = sorted(family.edges()), sorted(family.excluded())
    i = next(a for a in range(64) if not any(a in edge for edge in true))
    j = true[0][0]
    # One indirect pair: the two ends of a path of two edges.
    (a, b), (c, d) = next((e, f) for e in true for f in true if e != f and len({*e, *f}) == 3 and e < f)
    ends = tuple(sorted({a, b} ^ {c, d}))
    assert ends not in family.edges()
    kept = {*true[:6], *excluded[:2], (min(i, j), max(i, j)), (ends[0], ends[1])}
    given = Answer(
        keys_of(kept, 64),
        0.01,
        "r* = 2",
        [keys_of(set(true[: len(true) // 2]), 64)],
        keys_of(set(true[:6]), 64),
    )
    found = score(family, given, 1.5)
    assert found.true == len(true)
    assert found.kept == 8
    assert found.false_share == pytest.approx(2 / 8)
    assert found.indirect == pytest.approx(1 / 2)
    assert found.power == pytest.approx(6 / len(true))
    assert found.recall == pytest.approx(0.5)
    assert found.chosen == pytest.approx(6 / len(true))


def test_nothing_kept_is_nothing_false() -> None:
    family = Trees(0, features=64)
    found = score(family, Answer(np.empty(0, np.int64), np.nan, "none", [], np.empty(0, np.int64)), 0.0)
    assert (found.kept, found.false_share, found.power) == (0, 0.0, 0.0)


def test_procedures_are_reported_on_the_same_draws() -> None:
    entry = next(e for e in CATALOGUE if e.name == "trees")
    seen = []

    def oracle(replicates: Sequence[Activations], seed: int) -> Answer:
        seen.append(replicates)
        keys = keys_of(entry.plant(seed, 128).edges(), 128)
        return Answer(keys, 0.0, "oracle", [keys], keys)

    def silent(replicates: Sequence[Activations], seed: int) -> Answer:
        assert replicates is seen[-1]
        return Answer(np.empty(0, np.int64), np.nan, f"{seed}", [], np.empty(0, np.int64))

    procedures = {"oracle": oracle, "silent": silent}
    scores = scores_of(entry, procedures, seeds=2, replicates=3, tokens=200, features=128)
    assert [(len(drawn), drawn[0].n_tokens) for drawn in seen] == [(3, 200), (3, 200)]
    assert all(s.power == 1 and s.false_share == 0 for s in scores["oracle"])
    assert all(s.power == 0 and s.kept == 0 for s in scores["silent"])
    assert [s.detail for s in scores["silent"]] == ["1000", "1001"]
    row = row_of("trees", "oracle", scores["oracle"])
    assert row.count("|") == heading().splitlines()[0].count("|")
    assert row.startswith("| trees | oracle |")
    assert "1.000 [1.000, 1.000]" in row


def test_the_published_procedure_finds_trees_and_says_less_than_is_false() -> None:
    family = Trees(1000, features=128, weakest=0.7, strongest=0.8)
    replicates = [family.draw(np.random.default_rng(k), 4000) for k in range(4)]
    found = score(family, published(replicates, 0), 0.0)
    assert found.power > 0.7
    assert found.recall > 0.7
    assert found.false_share > found.stated


def test_the_calibrated_procedure_finds_trees_at_the_rate_it_states() -> None:
    family = Trees(1000, features=128, weakest=0.7, strongest=0.8)
    replicates = [family.draw(np.random.default_rng(k), 4000) for k in range(4)]
    answer = calibrated(replicates, 0)
    found = score(family, answer, 0.0)
    assert found.power > 0.7
    assert found.false_share <= 0.1
    assert answer.stated <= 0.1
    assert found.recall >= found.chosen >= found.power
    assert np.isin(answer.kept, answer.selected).all()
    assert np.isin(answer.selected, answer.screened[0]).all()


def test_the_calibrated_procedure_tells_a_hub_from_its_followers_where_the_published_does_not() -> None:
    family = Hubs(1000, features=128, size=11, hub_rate=0.05, firing=Firing(mean=0.03, spread=0.3))
    replicates = [family.draw(np.random.default_rng(k), 4000) for k in range(4)]
    assert score(family, published(replicates, 0), 0.0).false_share > 0.5
    found = score(family, calibrated(replicates, 0), 0.0)
    assert found.false_share <= 0.1
    assert found.power > 0.9
