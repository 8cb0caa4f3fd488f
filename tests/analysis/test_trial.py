import numpy as np
import pytest
from scipy.stats import chisquare

from analysis.columns import columns_of, moments_of
from analysis.edges import mutual_edges
from analysis.nodewise import PathSettings, nodewise
from analysis.published import PublishedSettings, published_trial
from analysis.screen import screen
from analysis.shuffle import shuffled
from tests.analysis.naive import correlations, dense, mutual, sparse
from tests.analysis.planted import planted


@pytest.mark.parametrize("seed", range(3))
def test_edges_equal_the_and_rule_over_lists(seed: int) -> None:
    activations, _ = planted(seed)
    columns = columns_of(activations)
    moments = moments_of(columns)
    part = (moments.count >= 5) & (moments.deviation > 0)
    candidates = screen(columns, moments, part)
    fits = nodewise(columns, moments, candidates, PathSettings())
    found = mutual_edges(candidates.feature, candidates.correlation, fits.coefficient)
    lists = [[int(j) for j in row if j >= 0] for row in candidates.feature]
    twin, opposed = mutual(lists, [fits.coefficient[i, : len(row)] for i, row in enumerate(lists)])
    assert len(twin) > 5
    assert dict(
        zip(zip(found.source.tolist(), found.target.tolist(), strict=True), found.weight, strict=True)
    ) == (pytest.approx(twin))
    assert found.opposed == opposed


def test_opposite_signs_are_no_edge_and_are_counted() -> None:
    candidate = np.array([[1, 2], [0, -1], [0, -1]], np.int32)
    coefficient = np.array([[0.4, -0.2], [-0.1, 0.0], [-0.8, 0.0]])
    correlation = np.array([[0.5, -0.3], [0.5, 0.0], [-0.3, 0.0]])
    found = mutual_edges(candidate, correlation, coefficient)
    assert found.opposed == 1
    assert list(zip(found.source, found.target, strict=True)) == [(0, 2)]
    assert found.weight[0] == pytest.approx(-np.sqrt(0.2 * 0.8))
    assert found.correlation[0] == -0.3


def test_a_trial_finds_the_planted_modules_and_says_what_it_left_out() -> None:
    activations, _ = planted(0, n=2000)
    trial = published_trial(columns_of(activations), PublishedSettings(PathSettings()))
    found = set(zip(trial.edges.source.tolist(), trial.edges.target.tolist(), strict=True))
    inside = {(a, b) for m in range(9) for a in range(3 * m, 3 * m + 3) for b in range(a + 1, 3 * m + 3)}
    assert len(found & inside) >= 0.9 * len(inside)
    # 30 features: one dead, one constant, one that fires three times
    assert trial.counts["features_too_rare"] == 2
    assert trial.counts["features_without_variance"] == 1
    assert trial.counts["features_taking_part"] == 27


def test_a_shuffle_keeps_every_feature_and_breaks_every_pair() -> None:
    activations, x = planted(0, n=3000)
    null = dense(shuffled(columns_of(activations), 0, 0, 0))
    for i in range(x.shape[1]):
        np.testing.assert_array_equal(np.sort(null[:, i]), np.sort(x[:, i]))
    real_r, null_r = correlations(x[:, :27]), correlations(null[:, :27])
    off = ~np.eye(27, dtype=bool)
    assert np.abs(real_r[off]).max() > 10 / np.sqrt(3000)
    # Permuted columns correlate with standard deviation 1 / sqrt(n - 1); 702 of them stay within 5.
    assert np.abs(null_r[off]).max() < 5 / np.sqrt(3000)


def test_tokens_of_a_shuffle_ascend() -> None:
    activations, _ = planted(0)
    null = shuffled(columns_of(activations), 0, 0, 0)
    for i in range(null.n_features):
        assert (np.diff(null.token[null.start[i] : null.start[i + 1]]) > 0).all()


def test_a_shuffle_is_uniform_over_the_tokens() -> None:
    activations, x = planted(1, n=60)
    rows = np.zeros(60)
    draws = 400
    for seed in range(draws):
        rows += dense(shuffled(columns_of(activations), seed, 0, 0))[:, 0] > 0
    rate = (x[:, 0] > 0).mean()
    sigma = np.sqrt(draws * rate * (1 - rate))
    assert np.abs(rows - draws * rate).max() < 5 * sigma


def test_shuffles_differ_by_seed_replicate_and_stream_and_repeat_otherwise() -> None:
    activations, _ = planted(0)
    columns = columns_of(activations)
    draws = {shuffled(columns, *key).token.tobytes() for key in [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]}
    assert len(draws) == 4
    assert shuffled(columns, 0, 1, 0).token.tobytes() == shuffled(columns, 0, 1, 0).token.tobytes()


@pytest.mark.parametrize("fires", [1, 2, 3, 4])
def test_every_arrangement_of_the_values_is_equally_likely(fires: int) -> None:
    # Five tokens, distinct values: 5! / (5 - fires)! arrangements, for rare features and for frequent ones.
    x = np.zeros((5, 1))
    x[:fires, 0] = np.arange(1, fires + 1)
    columns = columns_of(sparse(x))
    draws = 6000
    seen: dict[bytes, int] = {}
    for seed in range(draws):
        key = dense(shuffled(columns, seed, 0, 0)).tobytes()
        seen[key] = seen.get(key, 0) + 1
    arrangements = int(np.prod(np.arange(5, 5 - fires, -1)))
    assert len(seen) == arrangements
    assert chisquare(list(seen.values())).pvalue > 1e-4
