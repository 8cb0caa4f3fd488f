import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import poisson

from analysis.activations import Bool
from analysis.background import Background, background_of
from analysis.bursts import LAGS, SPANS, autocorrelations
from analysis.calibrated import CalibratedSettings, dependence_of
from analysis.columns import columns_of
from analysis.exclusions import exclusions_of, joined
from analysis.firings import firings_of
from analysis.kernel import use_threads
from analysis.nodewise import PathSettings
from analysis.screen import Candidates
from bench.truth.exclusive import Exclusive
from bench.truth.family import tokens_of
from tests.analysis.calibrated_twins import firings_from

Pairs = set[tuple[int, int]]
CALM = np.zeros((12, LAGS + SPANS), np.float32)


def drawn(seed: int) -> Bool:
    """Two parents, each with two children that exclude each other and one on its own; and others."""
    rng = np.random.default_rng(seed)
    x = rng.random((5000, 12)) < 0.05
    for parent in (0, 4):
        x[:, parent] = rng.random(5000) < 0.1
        which = rng.integers(0, 3, 5000)
        x[:, parent + 1] = x[:, parent] & (which == 0)
        x[:, parent + 2] = x[:, parent] & (which == 1)
        x[:, parent + 3] = x[:, parent] & (rng.random(5000) < 0.4)
    return x


def by_loops(x: Bool, neighbourhoods: dict[int, list[int]], enough: float) -> Pairs:
    """Count at the tokens of each feature, and compare with scipy's Poisson law."""
    found = set()
    for i, members in neighbourhoods.items():
        at = x[x[:, i]]
        for a, j in enumerate(members):
            for k in members[a + 1 :]:
                mean = at[:, j].sum() * at[:, k].sum() / max(1, len(at))
                met = (at[:, j] & at[:, k]).sum()
                if met < mean and -poisson.logcdf(met, mean) >= enough:
                    found.add((j, k))
    return found


@pytest.mark.parametrize("enough", [0.5, 3.0, 8.0, 30.0])
@pytest.mark.parametrize("seed", range(3))
def test_pairs_equal_those_found_by_loops(seed: int, enough: float) -> None:
    x = drawn(seed)
    members = {0: [1, 2, 3, 9], 4: [5, 6, 7], 5: [4, 6], 9: list(range(9)), 11: [2]}
    start = np.cumsum([0, *(len(members.get(i, [])) for i in range(12))])
    member = np.concatenate([members[i] for i in sorted(members)])
    one, other = exclusions_of(
        firings_from([x[:2000].astype(np.float64), x[2000:].astype(np.float64)]), CALM, start, member, enough
    )
    found = list(zip(one.tolist(), other.tolist(), strict=True))
    assert set(found) == by_loops(x, members, enough)
    assert found == sorted(set(found))
    if enough <= 8:
        assert {(1, 2), (5, 6)} <= set(found)


def test_tokens_alike_ask_for_more() -> None:
    x = np.repeat(drawn(0)[:1000], 10, axis=0)
    firings = firings_from([x.astype(np.float64)])
    start, member = np.array([0, 2, *[2] * 11]), np.array([1, 2])
    assert len(exclusions_of(firings, CALM, start, member, 20.0)[0]) == 1
    assert len(exclusions_of(firings, autocorrelations(firings), start, member, 20.0)[0]) == 0


def test_nothing_is_found_among_none() -> None:
    firings = firings_from([drawn(0).astype(np.float64)])
    one, other = exclusions_of(firings, CALM, np.zeros(13, np.int64), np.empty(0, np.int64), 1.0)
    assert len(one) == len(other) == 0


def test_the_same_for_any_number_of_threads() -> None:
    firings = firings_from([drawn(1).astype(np.float64)])
    start, member = np.arange(13) * 11, np.concatenate([np.setdiff1d(np.arange(12), [i]) for i in range(12)])
    most = use_threads(None)
    try:
        use_threads(1)
        alone = exclusions_of(firings, CALM, start, member, 1.0)
    finally:
        use_threads(most)
    np.testing.assert_array_equal(alone, exclusions_of(firings, CALM, start, member, 1.0))


def test_siblings_that_exclude_each_other_are_kept() -> None:
    family = Exclusive(0, 300)
    firings = firings_of([columns_of(family.draw(tokens_of(0, k), 8000)) for k in range(4)])
    found = dependence_of(firings, background_of(firings), CalibratedSettings(PathSettings()))
    keep = found.q_value <= 0.1
    kept = set(zip(found.source[keep].tolist(), found.target[keep].tolist(), strict=True))
    # Ten of each module's fifteen pairs are siblings, which the screen alone would lose.
    assert len(kept & family.edges()) > 0.95 * len(family.edges())
    assert len(kept - family.edges()) <= 0.05 * len(kept)


def test_siblings_on_their_own_are_no_candidates() -> None:
    x = [drawn(seed).astype(np.float64) for seed in range(2)]
    firings = firings_from(x)
    found = dependence_of(firings, Background(np.zeros(12), CALM), CalibratedSettings(PathSettings()))
    tested = set(zip(found.source.tolist(), found.target.tolist(), strict=True))
    assert {(1, 2), (5, 6)} <= tested
    keep = found.q_value <= 0.1
    kept = set(zip(found.source[keep].tolist(), found.target[keep].tolist(), strict=True))
    assert not {(1, 3), (2, 3), (5, 7), (6, 7)} & kept


@st.composite
def listed(draw: st.DrawFn) -> tuple[Candidates, np.ndarray]:
    """Candidates of some features, some of them chosen."""
    n, k = draw(st.integers(2, 7)), draw(st.integers(1, 4))
    feature = np.full((n, k), -1, np.int32)
    for i in range(n):
        others = draw(st.lists(st.sampled_from([j for j in range(n) if j != i]), unique=True, max_size=k))
        feature[i, : len(others)] = others
    chosen = np.array(draw(st.lists(st.booleans(), min_size=n * k, max_size=n * k))).reshape(n, k)
    coefficient = np.where((feature >= 0) & chosen, 0.5, 0.0)
    return Candidates(feature, np.where(feature >= 0, 1.0, 0.0), 1.0, 0), coefficient


@settings(deadline=None)
@given(listed(), st.data())
def test_joined_pairs_are_candidates_and_chosen_ones_stay(
    given_: tuple[Candidates, np.ndarray], data: st.DataObject
) -> None:
    candidates, coefficient = given_
    n, k = candidates.feature.shape
    every = [(a, b) for a in range(n) for b in range(a + 1, n)]
    pairs = data.draw(st.lists(st.sampled_from(every), unique=True, max_size=5))
    one, other = (np.array([p[end] for p in pairs], np.int32) for end in (0, 1))
    found = joined(candidates, coefficient, np.concatenate([one, other]), np.concatenate([other, one]))
    for i in range(n):
        before = candidates.feature[i][candidates.feature[i] >= 0].tolist()
        chosen = candidates.feature[i][coefficient[i] != 0].tolist()
        now = found.feature[i].tolist()
        size = sum(j >= 0 for j in now)
        assert all(j >= 0 for j in now[:size])  # none behind a hole
        now = now[:size]
        assert len(set(now)) == size
        assert i not in now
        assert set(chosen) <= set(now)
        wanted = {b if a == i else a for a, b in pairs if i in (a, b)}
        assert set(now) <= set(before) | wanted
        # All that is wanted is there, or every place is held by what was chosen or is wanted too.
        assert wanted <= set(now) or (size == k and set(now) <= set(chosen) | wanted)


def test_pairs_that_are_joined_do_not_displace_each_other() -> None:
    feature = np.array([[-1, -1], [2, -1], [-1, -1], [-1, -1]], np.int32)
    before = Candidates(feature, np.where(feature >= 0, 1.0, 0.0), 1.0, 0)
    # Feature 1 is the second of one pair and the first of another, with room for both but not beside 2.
    ends = np.array([0, 1, 1, 3], np.int32), np.array([1, 3, 0, 1], np.int32)
    found = joined(before, np.zeros((4, 2)), *ends)
    assert set(found.feature[1].tolist()) == {0, 3}


def test_a_candidate_that_is_joined_makes_no_room_for_another() -> None:
    feature = np.array([[3, 2], *[[-1, -1]] * 4], np.int32)
    before = Candidates(feature, np.where(feature >= 0, 1.0, 0.0), 1.0, 0)
    # Of feature 0 the candidate 2 is chosen; 3 is not, but it is joined, as 4 is, for which there is no room.
    chosen = np.where(feature == 2, 0.5, 0.0)
    found = joined(before, chosen, np.array([0, 0], np.int32), np.array([3, 4], np.int32))
    assert set(found.feature[0].tolist()) == {2, 3}
