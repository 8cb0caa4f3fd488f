import itertools

import numpy as np

from analysis.activations import Activations, Bool
from bench.truth.activity import Activity
from bench.truth.busy_sequence import BusySequences
from bench.truth.dense import Dense
from bench.truth.duplicate import Duplicates
from bench.truth.firing import Firing
from bench.truth.hierarchy import Hierarchies
from bench.truth.hub import Hubs
from bench.truth.magnitude import MagnitudeTrees
from bench.truth.noise import Noise
from bench.truth.sequence import Sequences
from tests.truth.exact import Table, assert_moments, both, firing, forest_table

OFTEN = Firing(mean=0.1, spread=0.3)


def magnitudes(activations: Activations) -> Table:
    value = np.zeros((activations.n_tokens, activations.n_features))
    token = np.repeat(np.arange(activations.n_tokens), np.diff(activations.start))
    value[token, activations.feature] = activations.value
    return value


def test_a_stronger_parent_makes_its_child_fire_more_often() -> None:
    family = MagnitudeTrees(0, features=12, in_trees=0.9, size=5, firing=OFTEN)
    value = magnitudes(family.draw(np.random.default_rng(0), 40_000))
    for child in np.flatnonzero(family.forest.parent >= 0):
        parent = value[:, family.forest.parent[child]]
        weak, strong = (parent > 0) & (parent < 1), parent > 1
        assert (value[strong, child] > 0).mean() > 1.5 * (value[weak, child] > 0).mean()


def test_siblings_are_independent_given_the_magnitude_of_their_parent_but_not_given_its_firing() -> None:
    family = MagnitudeTrees(0, features=3, in_trees=1.0, size=3, weakest=0.9, strongest=0.9,
                            magnitude_spread=1.0, firing=OFTEN)  # fmt: skip
    assert family.forest.parent.tolist() == [2, 2, -1]
    value = magnitudes(family.draw(np.random.default_rng(0), 600_000))

    def excess(tokens: Bool) -> float:
        x, y = value[tokens, 0] > 0, value[tokens, 1] > 0
        error = np.sqrt(x.var() * y.var() / tokens.sum())
        return float(((x & y).mean() - x.mean() * y.mean()) / error)

    assert excess(value[:, 2] > 0) > 8
    quantiles = np.quantile(value[value[:, 2] > 0, 2], np.linspace(0, 1, 41))
    each = [
        excess((value[:, 2] >= low) & (value[:, 2] < high)) for low, high in itertools.pairwise(quantiles)
    ]
    # 40 independent standard normals: their sum has standard deviation sqrt(40).
    assert abs(sum(each)) < 5 * np.sqrt(40)


def test_copies_share_firing_and_magnitude_with_their_original() -> None:
    family = Duplicates(0, features=60, copies=8, firing=OFTEN)
    value = magnitudes(family.draw(np.random.default_rng(0), 20_000))
    assert len(family.copy) == 8
    for copy in family.copy:
        x, y = value[:, copy], value[:, family.forest.parent[copy]]
        fires = (x > 0) & (y > 0)
        assert fires.sum() > 0.87 * (y > 0).sum()
        assert np.corrcoef(np.log(x[fires]), np.log(y[fires]))[0, 1] > 0.95


def test_one_feature_fires_at_most_tokens_and_its_followers_follow() -> None:
    family = Dense(0, features=200, followers=6, firing=OFTEN)
    rate = family.forest.rate
    assert (rate > 0.5).sum() == 1
    dense = int(np.argmax(rate))
    assert sum(dense in edge for edge in family.edges()) == 6
    fires = firing(family.draw(np.random.default_rng(0), 20_000)) > 0
    for follower in np.flatnonzero(family.forest.parent == dense):
        on, off = fires[fires[:, dense], follower].mean(), fires[~fires[:, dense], follower].mean()
        assert on > 1.5 * off


def test_the_followers_of_a_hub_are_joined_to_it_alone() -> None:
    family = Hubs(0, features=100, size=11)
    degree = np.bincount(np.array(sorted(family.edges())).ravel(), minlength=100)
    assert sorted(degree.tolist()) == [0] * 56 + [1] * 40 + [10] * 4


def test_neighbouring_tokens_are_alike_within_a_sequence_only() -> None:
    family = Sequences(0, features=16, size=8, stay=0.7, length=50, firing=OFTEN)
    fires = firing(family.draw(np.random.default_rng(0), 50_000))
    centred = (fires - fires.mean(axis=0)) / fires.std(axis=0)
    place = np.arange(1, len(fires))
    product = (centred[1:] * centred[:-1]).mean(axis=1)
    assert abs(product[place % 50 != 0].mean() - 0.7) < 0.02
    assert abs(product[place % 50 == 0].mean()) < 0.1


def test_busy_tokens_vary_more_than_independent_features_would() -> None:
    plain = firing(Noise(0, features=512).draw(np.random.default_rng(0), 10_000)).sum(axis=1)
    busy = firing(Activity(0, features=512, in_trees=0).draw(np.random.default_rng(0), 10_000)).sum(axis=1)
    assert plain.var() < 1.1 * plain.mean()
    # Poisson variance and that of the activity: mean^2 (exp(0.25) - 1).
    expected = busy.mean() + busy.mean() ** 2 * (np.exp(0.25) - 1)
    assert abs(busy.var() / expected - 1) < 0.15


def test_features_without_a_loading_do_not_follow_the_activity() -> None:
    family = Activity(0, features=512, least_in_trees=0.0, most_in_trees=0.0)
    fires = firing(family.draw(np.random.default_rng(0), 10_000))
    inside = family.loading == 0
    assert inside.sum() == 256
    inner, outer = fires[:, inside].sum(axis=1), fires[:, ~inside].sum(axis=1)
    assert abs(np.corrcoef(inner, outer)[0, 1]) < 0.05


def test_a_passage_has_one_activity_and_its_tokens_are_alike() -> None:
    family = BusySequences(0, features=512, stay=0.6, length=20)
    fires = firing(family.draw(np.random.default_rng(0), 20_000))
    active = fires.sum(axis=1).reshape(-1, 20)
    centred = active - active.mean()
    # Independent passages; the activity's variance mean^2 (exp(0.25) - 1) is shared by all tokens of one.
    shared = (centred[:, 0] * centred[:, -1]).mean() / active.mean() ** 2
    assert abs(shared / (np.exp(0.25) - 1) - 1) < 0.25
    assert abs((centred[1:, 0] * centred[:-1, -1]).mean() / active.mean() ** 2) < 0.05
    state = (fires - fires.mean(axis=0)).reshape(-1, 20, 512)
    often = family.forest.rate > 0.02
    last = (state[:, 1:] * state[:, :-1]).mean(axis=(0, 1)) / (state**2).mean(axis=(0, 1))
    assert abs(last[often].mean() - 0.6) < 0.05


def test_in_a_hierarchy_a_feature_fires_only_where_its_parent_does() -> None:
    family = Hierarchies(0, features=12, in_trees=0.6, size=7, root_rate=0.4)
    fires = firing(family.draw(np.random.default_rng(0), 40_000))
    parent = family.forest.parent
    child = np.flatnonzero(parent >= 0)
    assert len(child) == 6
    assert not (fires[:, child] > fires[:, parent[child]]).any()
    assert_moments(fires, both(forest_table(family.forest)))
