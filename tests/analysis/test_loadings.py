import numpy as np
import pytest

from analysis.activations import Float64
from analysis.columns import columns_of
from analysis.firings import Firings, firings_of
from analysis.kernel import use_threads
from analysis.loadings import MOST_GROUPS, following_of
from analysis.loadings import _dealt as dealt
from analysis.loadings import _group_counts as group_counts
from bench.truth.activity import Activity
from bench.truth.crowd import Crowds
from bench.truth.family import Family, tokens_of
from bench.truth.hub import Hubs
from bench.truth.noise import Noise
from bench.truth.tree import Trees
from tests.analysis.calibrated_twins import firings_from
from tests.analysis.planted import planted


def drawn(family: Family, n: int = 4000, replicates: int = 3) -> Firings:
    return firings_of([columns_of(family.draw(tokens_of(0, k), n)) for k in range(replicates)])


def loadings_of(firings: Firings) -> Float64:
    return following_of(firings).loading


def active(features: int, least: float, most: float) -> Activity:
    return Activity(0, features, in_trees=0.0, activity_spread=0.5, least_loading=least, most_loading=most)


@pytest.mark.parametrize(
    "family",
    [Noise(0, 400), Trees(0, 400), Hubs(0, 800), Hubs(1, 2048)],
    ids=["noise", "trees", "hubs", "many hubs"],
)
def test_no_activity_no_loading(family: Family) -> None:
    # A hub's followers or the features of a tree meet often, but few of all others.
    assert (loadings_of(drawn(family)) == 0).all()


@pytest.mark.parametrize(
    "family",
    [Hubs(0, 400), Hubs(0, 512, 0.5, 61), Hubs(0, 512, 1.0, 61), Hubs(0, 1024, 0.2, 200, hub_rate=0.1)],
    ids=["of 40", "of 60", "of 60 everywhere", "one of 200"],
)
def test_hubs_that_reach_into_most_groups_are_no_activity_either(family: Family) -> None:
    assert (loadings_of(drawn(family, n=16_000)) == 0).all()


@pytest.mark.parametrize(("share", "size"), [(0.25, 120), (0.5, 250), (1.0, 500)])
def test_one_large_tree_is_no_activity(share: float, size: int) -> None:
    assert (loadings_of(drawn(Trees(0, 512, share, size), n=16_000, replicates=6)) == 0).all()


def test_an_activity_that_half_of_the_features_follow_is_found() -> None:
    outside = Activity(0, 1024, least_in_trees=0.0, most_in_trees=0.0)
    found = loadings_of(drawn(outside, n=16_000, replicates=12))
    alone = outside.loading > 0
    assert found[alone].mean() > 0.3
    assert abs(found[~alone].mean()) < 0.15


def test_few_features_are_taken_to_have_no_activity() -> None:
    # Five that all follow one: nothing tells that from a busy token.
    rng = np.random.default_rng(0)
    parent = rng.random((9000, 1)) < 0.1
    states = np.where(parent, rng.random((9000, 5)) < 0.5, rng.random((9000, 5)) < 0.02)
    assert (loadings_of(firings_from([states.astype(np.float64)])) == 0).all()


@pytest.mark.parametrize("features", [400, 600])
def test_planted_loadings_are_recovered(features: int) -> None:
    family = active(features, 0.0, 2.0)
    firings = drawn(family)
    found, true = loadings_of(firings), family.loading * 0.5
    often = firings.count > 100
    # True loadings spread evenly over [0, 1]; that they are all alike would err by 0.25 on average.
    assert np.abs(found - true)[often].mean() < 0.12
    assert abs((found - true)[often].mean()) < 0.05
    assert np.corrcoef(found[often], true[often])[0, 1] > 0.9


def test_equal_loadings_are_found_equal() -> None:
    found = loadings_of(drawn(active(400, 1.0, 1.0)))
    assert found.mean() == pytest.approx(0.5, abs=0.05)
    assert found.std() < 0.1


def test_of_a_feature_that_never_fires_the_mean_is_believed() -> None:
    x = [columns_of(active(400, 1.0, 1.0).draw(tokens_of(0, k), 3000)) for k in range(2)]
    firings = firings_of(x)
    silenced = Firings(
        np.concatenate([firings.start, firings.start[-1:]]), firings.token, firings.level, firings.bounds
    )
    found = loadings_of(silenced)
    assert np.isfinite(found).all()
    assert found[-1] == pytest.approx(np.median(found), abs=0.1)


@pytest.mark.parametrize("share", [0.01, 0.05])
def test_crowded_tokens_are_told_from_a_log_normal_activity(share: float) -> None:
    family = Crowds(0, 600, in_trees=0.0, share=share)
    found = following_of(drawn(family, n=16_000, replicates=6))
    # Two kinds of tokens: E N_ij = n_i n_j / n (1 + k_i k_j) exactly, with
    true = (family.there - family.rate) / family.rate * np.sqrt(share / (1 - share))
    often = family.rate > 0.002
    assert 0 < found.crowd <= 2 * share
    assert np.corrcoef(found.loading[often], true[often])[0, 1] > 0.97
    assert np.abs(found.loading - true)[often].mean() < 0.15 * true[often].std()


@pytest.mark.parametrize(
    "family",
    [active(400, 1.0, 1.0), active(600, 0.0, 2.0), Activity(0, 512)],
    ids=["equal", "unequal", "trees"],
)
def test_a_log_normal_activity_is_no_crowd(family: Family) -> None:
    assert following_of(drawn(family, n=16_000, replicates=6)).crowd == 0


def test_a_small_site_has_activity_too() -> None:
    family = active(160, 1.0, 1.0)
    assert loadings_of(drawn(family)).mean() == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("n_features", [1, 3, 4, 9, 160, 1023, 1024, 1030, 2000])
def test_groups_are_dealt_evenly(n_features: int) -> None:
    group = dealt(n_features)
    groups = max(1, min(MOST_GROUPS, n_features // 4))
    sizes = np.bincount(group)
    assert len(group) == n_features
    assert len(sizes) == groups
    assert sizes.max() - sizes.min() <= 1
    for first in range(0, n_features - groups + 1, groups):  # each of a run of neighbours to another group
        assert len(set(group[first : first + groups].tolist())) == groups


def test_meetings_equal_dense_products() -> None:
    x = [planted(0, n=200)[1], planted(1, n=90)[1]]
    group = np.random.default_rng(0).integers(0, 7, 30).astype(np.int32)
    found, expected = group_counts(firings_from(x), group)
    states = (np.concatenate(x) > 0).astype(np.float64)
    together = states.T @ states
    np.fill_diagonal(together, 0)
    member = (group[:, np.newaxis] == np.arange(7)).astype(np.float64)
    np.testing.assert_array_equal(found, together @ member)
    count = states.sum(axis=0)
    by_chance = np.outer(count, count) / len(states)
    np.fill_diagonal(by_chance, 0)
    np.testing.assert_allclose(expected, by_chance @ member, atol=1e-9)


@pytest.mark.parametrize("n_features", [1, 2, 30])
def test_few_features_have_none(n_features: int) -> None:
    x = np.zeros((50, n_features))
    x[::5] = 1.0
    assert np.isfinite(loadings_of(firings_from([x]))).all()
    assert (loadings_of(firings_from([np.zeros((50, n_features))])) == 0).all()


def test_the_same_bytes_again_and_for_any_number_of_threads() -> None:
    firings = drawn(active(400, 0.0, 2.0), n=2000)
    most = use_threads(None)
    try:
        use_threads(1)
        one = loadings_of(firings)
    finally:
        use_threads(most)
    assert one.tobytes() == loadings_of(firings).tobytes() == loadings_of(firings).tobytes()
