import math
import os
import subprocess
import sys

import numpy as np
import pytest

from analysis.activations import Columns, Float64
from analysis.bursts import autocorrelations
from analysis.columns import columns_of
from analysis.firings import firings_of
from analysis.redraw import _redraw as redraw_kernel
from analysis.redraw import redrawn
from analysis.splitmix import entropy_of
from tests.analysis.calibrated_twins import markov
from tests.analysis.naive import Dense, dense, sparse


def drawn_from(
    x: Dense,
    loading: Float64 | None = None,
    seed: int = 0,
    k: int = 0,
    stream: int = 0,
    crowd: float = 0.0,
) -> Columns:
    return redrawn(
        columns_of(sparse(x)), np.zeros(x.shape[1]) if loading is None else loading, seed, k, stream, crowd
    )


def assert_well_formed(drawn: Columns, before: Columns) -> None:
    """Assert that counts and values are kept, and tokens ascend strictly within their range."""
    np.testing.assert_array_equal(drawn.start, before.start)
    np.testing.assert_array_equal(drawn.value, before.value)
    assert drawn.n_tokens == before.n_tokens
    for i in range(drawn.n_features):
        token = drawn.token[drawn.start[i] : drawn.start[i + 1]]
        assert (np.diff(token) > 0).all()
        if len(token):
            assert 0 <= token[0] <= token[-1] < drawn.n_tokens


def every_kind(seed: int, n: int) -> Dense:
    """Silent, rare, frequent, mostly firing, always firing and lasting features."""
    rng = np.random.default_rng(seed)
    rate = np.array([0, 0.005, 0.02, 0.1, 0.3, 0.49, 0.51, 0.8, 0.99, 1.0])
    x = np.concatenate([rng.random((n, 10)) < rate, markov(rng, n, np.full(6, 0.03), 0.9)], axis=1)
    x = x.astype(np.float64)
    x[:, 0], x[:, 9] = 0.0, 1.0
    return x * (0.5 + rng.exponential(1.0, x.shape))


@pytest.mark.parametrize("n", [2, 3, 50, 1001])
@pytest.mark.parametrize("loading", [-1.0, 0.0, 0.7, 1.5])
def test_counts_and_values_are_kept_and_tokens_are_in_order(n: int, loading: float) -> None:
    for seed in range(4):
        x = every_kind(seed, n)
        before = columns_of(sparse(x))
        assert_well_formed(drawn_from(x, np.full(16, loading), seed), before)


def test_a_feature_at_half_of_the_tokens_in_one_run_finds_room() -> None:
    for n in (10, 11, 640):
        x = np.zeros((n, 2))
        x[: n // 2, 0] = x[n - n // 2 :, 1] = 1.0
        assert_well_formed(drawn_from(x), columns_of(sparse(x)))


@pytest.mark.parametrize("n_features", [1, 5])
def test_empty_features_stay_empty_and_full_ones_full(n_features: int) -> None:
    silent, always = drawn_from(np.zeros((20, n_features))), drawn_from(np.ones((20, n_features)))
    assert len(silent.token) == 0
    assert always.token.tolist() == list(range(20)) * n_features


def test_nothing_of_the_old_tokens_is_left() -> None:
    rng = np.random.default_rng(0)
    x = (rng.random((5000, 60)) < 0.1).astype(np.float64)
    after = dense(drawn_from(x))
    shared = (after * x).sum(axis=0) / x.sum(axis=0)
    # A tenth of all tokens by chance: of 500 a standard error of 0.0127; four and a half of them.
    assert np.abs(shared - 0.1).max() < 4.5 * 0.0135


def test_seeds_replicates_and_streams_differ_and_repeat() -> None:
    x = every_kind(0, 800)
    draws = {drawn_from(x, None, *of).token.tobytes() for of in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1))}
    assert len(draws) == 4
    assert drawn_from(x, None, 0, 1, 0).token.tobytes() in draws


def test_a_feature_is_drawn_alike_whatever_fires_beside_it() -> None:
    x = every_kind(0, 800)
    alone = x.copy()
    alone[:, [1, 4, 12]] = 0.0
    both = [dense(drawn_from(a))[:, [2, 3, 6, 11]] > 0 for a in (x, alone)]
    np.testing.assert_array_equal(both[0], both[1])


def test_the_same_draw_for_any_number_of_blocks() -> None:
    columns = columns_of(sparse(every_kind(1, 900)))
    order = np.random.default_rng(0).permutation(900).astype(np.int32)
    loading = np.linspace(-1, 1.5, 16)
    one, *others = (
        redraw_kernel(columns.start, columns.token, order, loading, 0.0, entropy_of(5), blocks)
        for blocks in (1, 2, 7)
    )
    assert all(one.tobytes() == other.tobytes() for other in others)


DIGEST = """
import hashlib, numpy as np
from tests.analysis.test_redraw import drawn_from, every_kind
print(hashlib.sha256(drawn_from(every_kind(2, 900), np.linspace(-1, 1.5, 16), 3).token.tobytes()).hexdigest())
"""


def test_the_same_draw_for_one_thread_and_for_two() -> None:
    found = {
        subprocess.run(
            [sys.executable, "-c", DIGEST],
            env={**os.environ, "NUMBA_NUM_THREADS": threads, "PYTHONPATH": "."},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for threads in ("1", "2")
    }
    assert len(found) == 1


def test_features_that_last_still_do_but_not_together() -> None:
    n, copies, rate, lasts = 40_000, 100, 0.01, 0.9
    rng = np.random.default_rng(0)
    x = np.repeat(markov(rng, n, np.array([rate]), lasts), copies, axis=1)
    count = x[:, 0].sum()
    after = drawn_from(x)
    lasting = [autocorrelations(firings_of([c]))[:, :40] for c in (columns_of(sparse(x)), after)]
    # Bursts move whole; what is new are bursts that come to lie near each other: at each lag about as often
    # as firings of another feature of that rate would, with the spread of a count of clumps (Bartlett).
    phi = (1 + lasts**2) / (1 - lasts**2)
    assert np.abs(lasting[1].mean(axis=0) - lasting[0].mean(axis=0)).max() < 5 * math.sqrt(rate * phi / count)
    assert lasting[1][:, 0].min() > 0.8
    states = dense(after)
    together = (states.T @ states)[np.triu_indices(copies, 1)]
    mean = count * count / n
    # Copies of one another before; now each pair meets by chance, in clumps: the variance is phi times the
    # mean.
    error = math.sqrt(phi * mean / len(together))
    assert together.mean() == pytest.approx(mean, abs=4 * error)
    # That of 100 features has few degrees of freedom more than 100: a relative error of sqrt(2 / 100).
    assert together.var() / mean == pytest.approx(phi, rel=0.56)


def test_features_that_do_not_last_are_drawn_one_token_at_a_time() -> None:
    x = np.zeros((2000, 200))
    x[100:900:4] = 1.0  # 200 firings, four apart: nearer than these chance brings them often
    states = dense(drawn_from(x))
    gaps = np.concatenate([np.diff(np.flatnonzero(s)) for s in states.T])
    # Geometric gaps of rate 0.1, where all were 4 before.
    assert (gaps == 4).mean() == pytest.approx(0.1 * 0.9**3, abs=0.01)


def test_loadings_make_features_meet_as_they_say() -> None:
    n, features, rate = 20_000, 300, 0.004
    rng = np.random.default_rng(0)
    x = np.zeros((n, features))
    for i in range(features):
        # Far apart, so that each firing is drawn on its own.
        x[np.arange(80) * 250 + rng.integers(0, 10, 80), i] = 1.0
    loading = rng.choice([-0.6, 0.0, 0.4, 0.8], features)
    states = dense(drawn_from(x, loading))
    together = states.T @ states
    kinds = np.unique(loading)
    for a, one in enumerate(kinds):
        for other in kinds[a:]:
            pairs = np.outer(loading == one, loading == other)
            pairs = np.triu(pairs | pairs.T, 1)
            found, expected = together[pairs].sum(), pairs.sum() * 80 * 80 / n * math.exp(one * other)
            # Tokens that are taken already are drawn again, which takes from the busiest: of the mean a share
            # r/2 (E[m_i^2 m_j + m_i m_j^2] / E[m_i m_j] - E[m_i^2] - E[m_j^2]), m the factors of the rates.
            lost = (
                rate
                / 2
                * (
                    math.exp(one**2 + one * other)
                    + math.exp(other**2 + one * other)
                    - math.exp(one**2)
                    - math.exp(other**2)
                )
            )
            assert found == pytest.approx(expected, rel=4 / math.sqrt(expected) + abs(lost)), (one, other)


def test_more_firings_than_there_is_room_for_at_busy_tokens_still_find_a_place() -> None:
    x = np.zeros((100, 3))
    x[::2] = 1.0
    before = columns_of(sparse(x))
    assert_well_formed(drawn_from(x, np.full(3, 3.0)), before)
