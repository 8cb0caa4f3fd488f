import itertools

import numpy as np
import pytest

from bench.truth.forest import Forest, grow
from bench.truth.tree import Trees
from tests.truth.exact import assert_moments, both, forest_table, graph_of

# 0 - 1 - 2, 1 - 3, 4 alone; the child 2 fires more often than its parent.
SMALL = Forest(
    np.array([-1, 0, 1, 1, -1]), np.array([0.1, 0.05, 0.2, 0.01, 0.3]), np.array([0, 0.6, 0.5, 0.8, 0])
)


def test_the_pairs_dependent_given_all_others_are_the_edges() -> None:
    assert graph_of(forest_table(SMALL)) == SMALL.edges() == {(0, 1), (1, 2), (1, 3)}


def test_a_child_depends_on_its_grandparent_but_not_given_its_parent() -> None:
    p = forest_table(SMALL).sum(axis=(3, 4))
    margin = p.sum(axis=1)
    assert margin[1, 1] > 1.5 * margin[1].sum() * margin[:, 1].sum()
    for parent in (0, 1):
        given = p[:, parent] / p[:, parent].sum()
        np.testing.assert_allclose(given, np.outer(given.sum(axis=1), given.sum(axis=0)), rtol=1e-9)


def test_every_feature_fires_at_its_rate_whatever_its_parent() -> None:
    np.testing.assert_allclose(np.diag(both(forest_table(SMALL))), SMALL.rate, rtol=1e-12)


def test_samples_agree_with_the_enumerated_law() -> None:
    uniform = np.random.default_rng(0).random((100_000, 5), np.float32)
    assert_moments(SMALL.fires(uniform).astype(float), both(forest_table(SMALL)))


def test_the_sampled_grandchild_is_independent_given_its_parent() -> None:
    fires = SMALL.fires(np.random.default_rng(1).random((400_000, 5), np.float32))
    for parent in (False, True):
        given = fires[fires[:, 1] == parent]
        top, leaf = given[:, 0].mean(), given[:, 2].mean()
        error = np.sqrt(top * (1 - top) * leaf * (1 - leaf) / len(given))
        assert abs((given[:, 0] & given[:, 2]).mean() - top * leaf) < 5 * error


def test_grown_trees_are_trees_of_the_size_asked() -> None:
    parent = grow(np.random.default_rng(0), 100, 7, 9)
    forest = Forest(parent, np.full(100, 0.1), np.zeros(100))
    sizes = np.bincount(forest.tree, minlength=100)
    assert sorted(sizes[sizes > 1].tolist()) == [9] * 7
    assert len(forest.edges()) == 7 * 8
    assert sorted(itertools.chain(*(level.tolist() for level in forest.levels))) == list(range(100))


def test_trees_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="need 24 features"):
        grow(np.random.default_rng(0), 20, 3, 8)


def test_planted_trees_are_enumerable_too() -> None:
    forest = Trees(3, features=9, in_trees=1.0, size=9).forest
    assert graph_of(forest_table(forest)) == forest.edges()
    assert len(forest.edges()) == 8
