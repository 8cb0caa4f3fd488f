"""What the demo judges the procedures by, on features of which the answer is planted."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file

from ingest.demo.explanation import explained
from ingest.demo.fresh import Sums, false_share, partial_correlations, sums_of
from ingest.samples_directory import SamplesDirectory, open_samples

TOKENS = 20_000
CHAINS = 40

States = NDArray[np.bool_]


def chains(seed: int) -> States:
    """Tokens x features: ``CHAINS`` chains a - k - c, and as many features that depend on nothing."""
    rng = np.random.default_rng(seed)
    k = rng.random((TOKENS, CHAINS)) < 0.05
    a, c = (np.where(k, rng.random(k.shape) < 0.6, rng.random(k.shape) < 0.01) for _ in range(2))
    return np.concatenate([a, k, c, rng.random((TOKENS, CHAINS)) < 0.05], axis=1)


def counted(states: States, strength: float | NDArray[np.float64] = 1.0) -> Sums:
    value = states * strength
    return Sums(value.T @ value, value.sum(axis=0), states.sum(axis=0).astype(np.float64), len(states))


def edges(source: range, target: range, weight: float = 0.3) -> pl.DataFrame:
    return pl.DataFrame(
        {"source": source, "target": target, "weight": [weight] * len(source)},
        schema={"source": pl.Int32, "target": pl.Int32, "weight": pl.Float64},
    )


DIRECT = pl.concat(
    [edges(range(CHAINS), range(CHAINS, 2 * CHAINS)), edges(range(CHAINS, 2 * CHAINS), range(80, 120))]
)
INDIRECT = edges(range(CHAINS), range(2 * CHAINS, 3 * CHAINS))
UNRELATED = edges(range(CHAINS), range(3 * CHAINS, 4 * CHAINS))


def test_direct_edges_stand_on_fresh_tokens() -> None:
    rho = partial_correlations(counted(chains(0)))
    assert false_share(DIRECT, rho) == 0.0


def test_edges_of_the_wrong_sign_are_false() -> None:
    rho = partial_correlations(counted(chains(0)))
    assert false_share(DIRECT.with_columns(weight=-pl.col("weight")), rho) == 1.0


def test_edges_through_a_third_feature_and_unrelated_ones_turn_half_the_time() -> None:
    shares = []
    for seed in range(5):
        rho = partial_correlations(counted(chains(seed)))
        shares.append((false_share(INDIRECT, rho), false_share(UNRELATED, rho)))
    assert np.mean(shares, axis=0) == pytest.approx([1.0, 1.0], abs=0.25)


def test_a_share_of_false_edges_is_found_again() -> None:
    shares = []
    for seed in range(5):
        rho = partial_correlations(counted(chains(seed)))
        shares.append(false_share(pl.concat([DIRECT, INDIRECT]), rho))
    assert np.mean(shares) == pytest.approx(1 / 3, abs=0.1)


@pytest.mark.parametrize("graded", [False, True])
def test_partial_correlations_are_those_of_two_regressions(graded: bool) -> None:
    states = chains(1)[:, [0, 40, 80, 41, 120]]
    strength = np.random.default_rng(2).lognormal(size=states.shape) if graded else np.ones(states.shape)
    rho = partial_correlations(counted(states, strength))
    values = states * strength
    rest = np.column_stack([np.ones(TOKENS), values[:, 2:]])
    left = values[:, :2] - rest @ np.linalg.lstsq(rest, values[:, :2], rcond=None)[0]
    assert rho[0, 1] == pytest.approx(np.corrcoef(left.T)[0, 1], abs=1e-4)


def test_what_hardly_fires_is_not_judged() -> None:
    states = np.column_stack([chains(0), np.zeros(TOKENS, np.bool_), np.ones(TOKENS, np.bool_)])
    rho = partial_correlations(counted(states))
    assert np.isnan(rho[:, -2:]).all()
    assert np.isnan(false_share(edges(range(1), range(160, 161)), rho))


def test_the_third_feature_of_a_chain_is_named() -> None:
    both = counted(chains(0)).products
    found = explained(INDIRECT, DIRECT, both, TOKENS)
    assert len(found) > 0.9 * CHAINS
    for pair in found:
        assert pair.third == pair.source + CHAINS
        assert pair.beyond_chance > 4
        assert pair.beyond_third == pytest.approx(1.0, abs=0.3)


def test_nothing_accounts_for_a_direct_edge() -> None:
    both = counted(chains(0)).products
    linked = pl.concat([DIRECT, INDIRECT])
    assert not explained(DIRECT, linked, both, TOKENS)


def test_only_a_neighbour_of_both_may_account_for_an_edge() -> None:
    both = counted(chains(0)).products
    one_end = edges(range(CHAINS), range(CHAINS, 2 * CHAINS))
    assert not explained(INDIRECT, one_end, both, TOKENS)


@pytest.fixture
def samples(tmp_path: Path) -> SamplesDirectory:
    for k in range(3):
        token, feature = np.nonzero(chains(k)[:500])
        save_file(
            {
                "start": np.searchsorted(token, np.arange(501)).astype(np.int64),
                "feature": feature.astype(np.int32),
                "value": np.full(len(feature), 2, np.float32),
            },
            tmp_path / f"replicate-{k:03d}.safetensors",
        )
    listed = ",".join(f'{{"file": "replicate-{k:03d}.safetensors", "tokens": 500}}' for k in range(3))
    (tmp_path / "samples.json").write_text(
        '{"format": "stratigraph-samples", "version": 1, "n_features": 160, '
        f'"site": {{"model": "toy", "source": "0", "layer": 0}}, "replicates": [{listed}]}}'
    )
    return open_samples(tmp_path)


@pytest.mark.parametrize("states", [True, False])
def test_only_the_replicates_asked_for_are_summed(samples: SamplesDirectory, states: bool) -> None:
    found = sums_of(samples, range(1, 3), states)
    value = 1.0 if states else 2.0
    expected = counted(np.concatenate([chains(1)[:500], chains(2)[:500]]), value)
    assert found.tokens == expected.tokens
    np.testing.assert_array_equal(found.products, expected.products)
    np.testing.assert_array_equal(found.total, expected.total)
    np.testing.assert_array_equal(found.fires, expected.fires)
