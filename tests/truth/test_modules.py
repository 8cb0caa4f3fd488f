"""Families of modules: their exact graphs, and that what they draw has them."""

import itertools

import numpy as np
import pytest
from scipy.special import ndtri

from bench.truth.activity import Activity
from bench.truth.crowd import Crowds
from bench.truth.exclusive import Exclusive
from bench.truth.family import Pairs
from bench.truth.firing import Firing
from bench.truth.limits import Limits
from bench.truth.parents import Parents
from bench.truth.rule import RULES, Rules
from tests.truth.exact import Table, assert_moments, both, firing
from tests.truth.test_variations import magnitudes

OFTEN = Firing(mean=0.1, spread=0.4)
SIBLINGS = Exclusive(0, features=6, in_modules=0.9, children=4, parent_rate=0.4, none=0.2, firing=OFTEN)
MANY = Parents(0, features=6, in_modules=1.0, parents=3, outputs=2, parent_rate=0.2, firing=OFTEN)


def law_of_siblings(family: Exclusive) -> Table:
    """The law of all states of one module and what is beside it, written out."""
    table = np.zeros((2,) * family.features)
    parent, *children = family.member[0].tolist()
    for state in itertools.product((0, 1), repeat=family.features):
        firing_children = sum(state[child] for child in children)
        p = family.parent_rate if state[parent] else 1 - family.parent_rate
        if state[parent]:
            each = (1 - family.none) / len(children)
            p *= {0: family.none, 1: each}.get(firing_children, 0.0)
        elif firing_children:
            p = 0.0
        for i in set(range(family.features)) - {parent, *children}:
            p *= family.rate[i] if state[i] else 1 - family.rate[i]
        table[state] = p
    return table


def dependent_pairs(table: Table) -> Pairs:
    """Pairs whose joint law is no product at some state of all the others, which may rule out some states."""
    pairs = set()
    for i, j in itertools.combinations(range(table.ndim), 2):
        p = np.moveaxis(table, (i, j), (0, 1)).reshape(2, 2, -1)
        if (np.abs(p[0, 0] * p[1, 1] - p[0, 1] * p[1, 0]) > 1e-12).any():
            pairs.add((i, j))
    return pairs


def residuals_correlate(residual: Table) -> bool:
    """Whether two columns of independent residuals correlate beyond five standard errors."""
    a, b = residual.T
    products = a * b
    return bool(abs(products.mean()) > 5 * products.std() / np.sqrt(len(products)))


def test_all_pairs_of_siblings_and_their_parent_are_dependent() -> None:
    table = law_of_siblings(SIBLINGS)
    assert table.sum() == pytest.approx(1)
    assert len(SIBLINGS.edges()) == 10
    assert dependent_pairs(table) == SIBLINGS.edges()


def test_siblings_are_drawn_by_their_law() -> None:
    fires = firing(SIBLINGS.draw(np.random.default_rng(0), 60_000))
    assert_moments(fires, both(law_of_siblings(SIBLINGS)))
    assert fires[:, SIBLINGS.member[0, 1:]].sum(axis=1).max() == 1


def test_outputs_are_independent_given_how_strongly_their_parents_fire() -> None:
    value = magnitudes(MANY.draw(np.random.default_rng(0), 60_000))
    parents, outputs = MANY.member[0, :3], MANY.member[0, 3:]
    strength = value[:, parents]
    # The median is 1 and the logarithm normal, so the quantile is that of log x / 0.5.
    order = np.argsort(np.argsort(strength, axis=0), axis=0) + 1
    silent = (strength == 0).sum(axis=0)
    quantile = np.where(strength > 0, (order - silent - 0.5) / (len(value) - silent), 0.0)
    expected = 1 - (1 - MANY.leak) * (1 - quantile).prod(axis=1)
    fires = value[:, outputs] > 0
    assert not residuals_correlate(fires - expected[:, np.newaxis])
    assert residuals_correlate(fires - fires.mean(axis=0))
    # Each parent tells of each output, however the others fire.
    for parent in range(3):
        others = np.delete(strength, parent, axis=1).max(axis=1) == 0
        on, off = strength[others, parent] > 0, strength[others, parent] == 0
        assert fires[others][on].mean() > 4 * fires[others][off].mean()
    assert MANY.edges() == {tuple(sorted((int(p), int(o)))) for p in parents for o in outputs}
    assert len(MANY.excluded()) == 3


def test_children_are_independent_given_how_strongly_their_parent_fires() -> None:
    family = Limits(0, features=3, in_modules=1.0, children=2, parent_rate=0.3, firing=OFTEN)
    value = magnitudes(family.draw(np.random.default_rng(0), 60_000))
    parent, *children = family.member[0].tolist()
    # The median is 1 and the logarithm normal.
    limit = np.exp(0.5 * ndtri(family.limit))
    above = value[:, [parent]] > limit
    expected = np.where(above, family.often, family.seldom)
    fires = value[:, children] > 0
    assert not residuals_correlate(fires - expected)
    assert residuals_correlate(fires - fires.mean(axis=0))
    # They do depend on each other given whether the parent fires.
    on = value[:, parent] > 0
    assert residuals_correlate(fires[on] - fires[on].mean(axis=0))
    assert fires.mean(axis=0) == pytest.approx(family.rate[children], abs=0.01)
    assert family.edges() == {tuple(sorted((parent, child))) for child in children}


@pytest.mark.parametrize("rule", RULES)
def test_outputs_are_independent_given_whether_the_rule_opens_them(rule: str) -> None:
    family = Rules(0, features=4, modules=1, outputs=2, together=0.2, alone=0.2, firing=OFTEN, rule=rule)  # type: ignore[arg-type]  # one of them
    value = magnitudes(family.draw(np.random.default_rng(0), 60_000))
    first, second, *outputs = family.member[0].tolist()
    opened = RULES[rule](value[:, first].astype(np.float32), value[:, second].astype(np.float32))
    assert opened.mean() == pytest.approx(family.open_share, abs=0.01)
    fires = value[:, outputs] > 0
    expected = np.where(opened, family.opened, family.closed)[:, np.newaxis]
    assert fires[opened].mean() == pytest.approx(family.opened, abs=0.02)
    assert not residuals_correlate(fires - expected)
    assert len(family.edges()) == 5


def test_everything_fires_at_crowded_tokens() -> None:
    family = Crowds(0, features=60, in_trees=0.0, share=0.1, least_there=0.4, most_there=0.6)
    fires = firing(family.draw(np.random.default_rng(0), 20_000)).sum(axis=1)
    # Some 30 of 60 there, and hardly one elsewhere.
    assert ((fires > 15).mean()) == pytest.approx(0.1, abs=0.01)
    assert ((fires > 5) & (fires <= 15)).mean() < 0.005


def test_only_those_that_follow_have_a_loading() -> None:
    family = Activity(0, features=4000, following=0.25, frequent_free=400)
    free = np.argsort(-family.forest.rate)[:400]
    assert (family.loading[free] == 0).all()
    assert np.delete(family.loading, free).mean() == pytest.approx(0.25, abs=0.03)
