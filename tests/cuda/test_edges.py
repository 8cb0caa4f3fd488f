import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.cuda.edges import mutual_edges_on
from analysis.edges import mutual_edges


def check(seed: int, n_features: int, k: int, zeros: float, device: torch.device) -> int:
    """Compare with the CPU's on random lists; returns the number of edges."""
    rng = np.random.default_rng(seed)
    candidate = np.full((n_features, k), -1, np.int32)
    for i in range(n_features):
        others = rng.permutation(np.delete(np.arange(n_features), i))[: rng.integers(0, k + 1)]
        candidate[i, : len(others)] = others
    correlation = rng.normal(size=candidate.shape) * (candidate >= 0)
    coefficient = rng.normal(size=candidate.shape) * (candidate >= 0)
    coefficient[rng.random(candidate.shape) < zeros] = 0.0
    ours = mutual_edges_on(device, candidate, correlation, coefficient)
    theirs = mutual_edges(candidate, correlation, coefficient)
    assert ours.opposed == theirs.opposed
    for name in ("source", "target", "weight", "correlation"):
        assert getattr(ours, name).dtype == getattr(theirs, name).dtype
        assert getattr(ours, name).tobytes() == getattr(theirs, name).tobytes()
    return len(ours.source)


def test_edges_equal_those_of_the_cpu_to_the_byte(device: torch.device) -> None:
    assert check(0, 300, 40, 0.3, device) > 20


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 8), st.sampled_from([0.0, 0.5, 1.0]))
def test_edges_equal_on_any_small_lists(seed: int, n_features: int, k: int, zeros: float) -> None:
    check(seed, n_features, k, zeros, torch.device("cpu"))


@pytest.mark.parametrize("signs", [(1.0, 1.0), (-1.0, -1.0), (1.0, -1.0), (1.0, 0.0)])
def test_a_pair_needs_both_ends_and_one_sign(signs: tuple[float, float], device: torch.device) -> None:
    candidate = np.array([[1], [0]], np.int32)
    correlation = np.full((2, 1), 0.25)
    found = mutual_edges_on(
        device, candidate, correlation, np.array(signs)[:, None] * np.array([[0.5], [0.08]])
    )
    assert found.opposed == (signs[0] * signs[1] < 0)
    assert found.weight.tolist() == pytest.approx([signs[0] * 0.2] if signs[0] == signs[1] else [])
