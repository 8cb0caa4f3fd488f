import itertools

import numpy as np
import pytest

from bench.truth.firing import Firing
from bench.truth.forest import Forest
from bench.truth.topic import Topics
from tests.truth.exact import Table, assert_moments, both, firing, forest_table, graph_of

SMALL = Topics(0, features=9, in_trees=0.9, size=2, trees_of_topic=2, share=0.2, boost=3.0,
               firing=Firing(mean=0.1, spread=0.4))  # fmt: skip


def law(family: Topics) -> Table:
    """Sum over the states of all topics of the forest with the rates of its roots changed."""
    forest = family.forest
    table = np.zeros((2,) * family.features)
    for on in itertools.product((0, 1), repeat=family.topic.max() + 1):
        weight = np.prod([family.share if z else 1 - family.share for z in on])
        rate = forest.rate.copy()
        for i in np.flatnonzero(family.topic >= 0):
            high = family.boost * rate[i]
            rate[i] = high if on[family.topic[i]] else (rate[i] - family.share * high) / (1 - family.share)
        # Root rates change, transitions do not: swap the law of the roots in the plain table.
        plain = forest_table(forest)
        for i in np.flatnonzero(family.topic >= 0):
            axis = [1] * family.features
            axis[i] = 2
            old, new = forest.rate[i], rate[i]
            plain = plain * np.array([(1 - new) / (1 - old), new / old]).reshape(axis)
        table += weight * plain
    return table


def test_the_pairs_dependent_given_all_others_are_the_edges_and_the_excluded() -> None:
    table = law(SMALL)
    assert table.sum() == pytest.approx(1)
    assert len(SMALL.edges()) == 4
    assert len(SMALL.excluded()) == 2
    assert graph_of(table) == SMALL.edges() | SMALL.excluded()


def test_samples_agree_with_the_enumerated_law() -> None:
    fires = firing(SMALL.draw(np.random.default_rng(0), 60_000))
    assert_moments(fires, both(law(SMALL)))


def test_children_of_two_roots_under_one_topic_depend_on_each_other_at_the_margin() -> None:
    forest: Forest = SMALL.forest
    child = [
        next(int(c) for c in np.flatnonzero(forest.parent == root))
        for root in np.flatnonzero(SMALL.topic == 0)
    ]
    moments = both(law(SMALL))
    assert moments[child[0], child[1]] > 1.05 * forest.rate[child[0]] * forest.rate[child[1]]


def test_a_boost_that_leaves_nothing_for_the_other_tokens_is_refused() -> None:
    with pytest.raises(ValueError, match="below 1 / share"):
        Topics(0, share=0.5, boost=2.0)
