import numpy as np
import pytest
from scipy import stats

from analysis.ablation import effect_of
from analysis.hit_rule import LEVEL


@pytest.mark.parametrize("foretold", [-1, 1])
def test_the_p_value_is_scipys_and_the_change_keeps_its_sign(foretold: int) -> None:
    change = np.random.default_rng(0).normal(-0.3, 1, 20)
    effect = effect_of(change, foretold, 2.0)
    tail = "less" if foretold < 0 else "greater"
    assert effect.p_value == pytest.approx(stats.ttest_1samp(change, 0, alternative=tail).pvalue)
    assert effect.change == pytest.approx(change.mean())
    assert effect.share == pytest.approx(foretold * change.mean() / 2)
    assert effect.tokens == 20


def test_turning_changes_and_what_is_foretold_round_is_the_same_share() -> None:
    change = np.random.default_rng(1).normal(size=9)
    one, other = effect_of(change, -1, 3.0), effect_of(-change, 1, 3.0)
    assert (one.share, one.p_value) == (other.share, other.p_value)
    assert one.change == -other.change


def test_a_hit_needs_sign_and_size_and_more_than_chance() -> None:
    sure = np.array([-1.0, -1.1, -0.9, -1.0, -1.05])
    assert effect_of(sure, -1, 5.0).hits()
    assert not effect_of(sure, 1, 5.0).hits()
    assert not effect_of(sure, -1, 50.0).hits()
    assert effect_of(sure, -1, 50.0).hits(0.01)
    one_row_alone = np.array([-5.0, 0.0, 0.0, 0.0, 0.0])
    assert not effect_of(one_row_alone, -1, 1.0).hits()


def test_changes_that_are_all_the_same_are_no_chance() -> None:
    assert effect_of(np.full(5, -2.0), -1, 2.0).hits()
    assert not effect_of(np.full(5, 2.0), -1, 2.0).hits()
    assert not effect_of(np.zeros(5), -1, 2.0).hits()


def test_of_pairs_without_an_effect_one_in_twenty_passes_chance_at_most() -> None:
    random = np.random.default_rng(2)
    p = np.array([effect_of(random.normal(size=12), -1, 1.0).p_value for _ in range(4000)])
    assert (p <= LEVEL).mean() == pytest.approx(LEVEL, abs=0.01)
