import numpy as np
import pytest

from analysis.columns import columns_of, moments_of
from analysis.excess import _count_together
from analysis.firings import firings_of
from analysis.kernel import use_threads
from analysis.pairs import rows_of_labels
from analysis.screen import BINS, Candidates, p_of_r, screen
from analysis.top_k import keep_best, sort_best_first
from tests.analysis.naive import Dense, screened, screened_in_order, sparse
from tests.analysis.planted import planted


def run(x: Dense, q: float = 0.05, k: int = 8) -> Candidates:
    activations = sparse(x)
    columns = columns_of(activations)
    moments = moments_of(columns)
    return screen(columns, moments, (moments.count >= 5) & (moments.deviation > 0), q, k)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("q", "k"), [(0.05, 8), (0.05, 64), (0.5, 4), (1e-6, 8)])
def test_candidates_equal_the_dense_twin(seed: int, q: float, k: int) -> None:
    _, x = planted(seed)
    part = ((x > 0).sum(axis=0) >= 5) & (x.std(axis=0) > 0)
    found = run(x, q, k)
    twin, r, z = screened(x, part, q, k)
    # The threshold is rounded up to a bin: a pair within one bin of it may be missing, nothing else.
    bin_width = np.abs(z[np.abs(r) > 0]).max() / BINS + 0.002
    at_threshold = np.arctanh(min(found.threshold, 1 - 1e-12)) * np.sqrt(len(x) - 3)
    for i, expected in enumerate(twin):
        got = found.feature[i][found.feature[i] >= 0].tolist()
        missing = [j for j in expected if j not in got]
        assert all(abs(abs(z[i, j]) - at_threshold) <= bin_width for j in missing)
        assert got == [j for j in expected if j in got]
        np.testing.assert_allclose(found.correlation[i, : len(got)], r[i, got], atol=1e-9)
    assert (found.correlation[found.feature < 0] == 0).all()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("q", "k"), [(0.05, 3), (0.05, 64), (0.9, 4), (1e-9, 8)])
@pytest.mark.parametrize("whole", [False, True], ids=["real", "tied"])
def test_candidates_equal_the_pairwise_twin_to_the_last_bit(seed: int, q: float, k: int, whole: bool) -> None:
    _, x = planted(seed, n=250)
    if whole:  # ones only, many features firing equally often: ties
        x = ((np.random.default_rng(seed).random((250, 30)).argsort(axis=0) < 12) | (x > 3)).astype(
            np.float64
        )
    moments = moments_of(columns_of(sparse(x)))
    part = (moments.count >= 5) & (moments.deviation > 0)
    twin, threshold, passed = screened_in_order(x, moments, part, q, k)
    most = use_threads(None)
    for threads in (1, most):
        use_threads(threads)
        found = run(x, q, k)
        assert (found.threshold, found.passed) == (threshold, passed)
        assert [[j for j in row if j >= 0] for row in found.feature.tolist()] == [
            [j for j, _ in row] for row in twin
        ]
        assert [r for row in found.correlation.tolist() for r in row if r] == [
            r for row in twin for _, r in row if r
        ]


@pytest.mark.parametrize("k", [1, 2, 7, 40, 100])
def test_the_best_are_kept_whatever_their_order(k: int) -> None:
    rng = np.random.default_rng(k)
    for levels in (1, 5, 10**6):  # all tied, many ties, none
        partner = rng.permutation(60).astype(np.int32)
        score = rng.integers(-levels, levels, 60) / levels
        expected = sorted(zip(-np.abs(score), partner, score, strict=True))[:k]
        assert keep_best(score, partner, 60, k) == len(expected)
        if k <= 60:
            assert (partner[k - 1], score[k - 1]) == expected[-1][1:]
        sort_best_first(score, partner, len(expected))
        assert partner[: len(expected)].tolist() == [j for _, j, _ in expected]
        assert score[: len(expected)].tolist() == [r for _, _, r in expected]


def test_pairs_that_never_fire_together_are_candidates_when_their_margins_say_so() -> None:
    rng = np.random.default_rng(0)
    first = rng.random(600) < 0.4
    x = np.zeros((600, 12))
    x[:, 0] = first * rng.exponential(1.0, 600)
    x[:, 1] = ~first * rng.exponential(1.0, 600)
    x[:, 2:] = (rng.random((600, 10)) < 0.02) * 1.5
    found = run(x)
    place = found.feature[0].tolist().index(1)
    assert found.correlation[0, place] == pytest.approx(np.corrcoef(x[:, 0], x[:, 1])[0, 1], abs=1e-7)
    assert found.correlation[0, place] < 0


def test_independent_features_rarely_pass() -> None:
    rng = np.random.default_rng(1)
    x = (rng.random((4000, 60)) < 0.2) * rng.exponential(1.0, (4000, 60))
    assert run(x).passed <= 3  # 1770 tests at FDR 0.05, all null: a family error of 0.05


def test_nothing_takes_part() -> None:
    found = run(np.eye(6))
    assert found.passed == 0
    assert (found.feature == -1).all()


def test_the_same_bytes_for_any_number_of_threads() -> None:
    _, x = planted(3)
    most = use_threads(None)
    try:
        use_threads(1)
        one = run(x)
    finally:
        use_threads(most)
    many = run(x)
    assert one.feature.tobytes() == many.feature.tobytes()
    assert one.correlation.tobytes() == many.correlation.tobytes()


def test_counts_of_two_replicates_can_be_added_up() -> None:
    first, x = planted(0)
    second, y = planted(1)
    name = np.array([4, 17, 2, 8, 0, 21], np.int32)
    both = firings_of([columns_of(a) for a in (first, second)])
    row_start, row = rows_of_labels(both.start, both.token, name, both.n_tokens)
    total, touched = np.zeros(6, np.int32), np.empty(7, np.uint32)
    for a in range(6):
        tokens = both.token[both.start[name[a]] : both.start[name[a] + 1]]
        known = _count_together(tokens, a, row_start, row, total, touched)
        fires = [(z[:, name] > 0).astype(int) for z in (x, y)]
        expected = sum((z[:, [a]] * z).sum(axis=0) for z in fires)
        expected[: a + 1] = 0
        assert total.tolist() == expected.tolist()
        assert sorted(touched[:known].tolist()) == np.flatnonzero(expected).tolist()
        total[:] = 0


def test_renaming_the_features_renames_the_candidates() -> None:
    _, x = planted(5)
    order = np.random.default_rng(0).permutation(x.shape[1])
    plain, renamed = run(x, k=64), run(x[:, order], k=64)
    for new, old in enumerate(order):
        expected = set(plain.feature[old].tolist()) - {-1}
        assert {int(order[j]) for j in renamed.feature[new] if j >= 0} == expected


def test_p_of_r_is_the_two_sided_normal_tail() -> None:
    # z = atanh(tanh(1.959964 / sqrt(97))) sqrt(97) = 1.959964, whose two-sided p is 0.05 by the normal table.
    r = np.tanh(np.array([1.959964, -1.959964]) / np.sqrt(97))
    np.testing.assert_allclose(p_of_r(r, 100), 0.05, rtol=1e-6)
