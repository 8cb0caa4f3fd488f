import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.cuda.entries import correlation
from analysis.cuda.products import empty_sums, sums_of_block
from analysis.cuda.screen import index_bits_of, ranks, screen_on
from analysis.cuda.workspace import Workspace, workspace_on
from analysis.screen import screen
from tests.analysis.naive import correlations
from tests.cuda.activity import (
    SHAPES,
    assert_same_candidates,
    columns_from,
    entries_from,
    factors,
    noise,
    parts,
)

CPU = torch.device("cpu")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("k", [1, 5, 64])
def test_candidates_equal_those_of_the_cpu(shape: str, k: int, device: torch.device) -> None:
    columns = columns_from(SHAPES[shape]())
    moments, part = parts(columns)
    ours = screen_on(entries_from(columns, device), workspace_on(device, 1 << 28), 0.05, k)
    assert_same_candidates(ours, screen(columns, moments, part, 0.05, k))


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 80),
    n_features=st.integers(1, 40),
    q=st.sampled_from([0.001, 0.05, 0.6]),
    k=st.integers(1, 12),
)
def test_candidates_equal_on_any_small_data(seed: int, n: int, n_features: int, q: float, k: int) -> None:
    rng = np.random.default_rng(seed)
    # Few values, so that ties are common.
    x = (rng.random((n, n_features)) < rng.random(n_features)) * rng.integers(1, 4, (n, n_features))
    columns = columns_from(x.astype(np.float64))
    moments, part = parts(columns)
    ours = screen_on(entries_from(columns, CPU), workspace_on(CPU), q, k)
    theirs = screen(columns, moments, part, q, k)
    assert ours.passed == theirs.passed
    np.testing.assert_allclose(np.abs(ours.correlation), np.abs(theirs.correlation), rtol=0, atol=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
def test_sums_are_correlations(shape: str, device: torch.device) -> None:
    x = SHAPES[shape]().astype(np.float32).astype(np.float64)
    columns = columns_from(x)
    _, part = parts(columns)
    entries = entries_from(columns, device)
    workspace = workspace_on(device, 1 << 28)
    out = empty_sums(entries, 4, workspace)
    total = sums_of_block(entries, 0, entries.n_features, out, workspace)
    assert not total[:, entries.n_features :].any()
    every = torch.arange(entries.n_features, device=device)
    r = correlation(entries, total[:, : entries.n_features], every[:, None], every)
    # In a column of mean 1e4 deviations eight digits are gone before anyone adds.
    np.testing.assert_allclose(r.cpu().numpy(), correlations(x[:, part]), rtol=0, atol=1e-7)


@pytest.mark.parametrize("memory", [1, 30_000, 3_000_000])
def test_blocks_of_any_size_give_the_same_bytes(memory: int, device: torch.device) -> None:
    entries = entries_from(columns_from(factors(0, 300, 150)), device)
    whole = screen_on(entries, workspace_on(device, 1 << 28), 0.05, 6)
    blocks = screen_on(entries, workspace_on(device, memory), 0.05, 6)
    assert whole.feature.tobytes() == blocks.feature.tobytes()
    assert whole.correlation.tobytes() == blocks.correlation.tobytes()
    assert whole.passed == blocks.passed


def test_triton_and_torch_and_all_devices_give_the_same_bytes(device: torch.device) -> None:
    columns = columns_from(noise(5, 2000, 400))
    twin = screen_on(entries_from(columns, CPU), workspace_on(CPU), 0.05, 20)
    for triton in {False, workspace_on(device).triton}:
        ours = screen_on(entries_from(columns, device), Workspace(device, 1 << 28, triton), 0.05, 20)
        assert ours.feature.tobytes() == twin.feature.tobytes()
        assert ours.correlation.tobytes() == twin.correlation.tobytes()
        assert ours.passed == twin.passed


def test_scales_that_are_powers_of_two_change_no_byte(device: torch.device) -> None:
    x = factors(1, 300, 40)
    scale = 2.0 ** np.random.default_rng(0).integers(-30, 30, 40)
    one = screen_on(entries_from(columns_from(x), device), workspace_on(device, 1 << 28))
    other = screen_on(entries_from(columns_from(x * scale), device), workspace_on(device, 1 << 28))
    assert one.feature.tobytes() == other.feature.tobytes()
    assert one.correlation.tobytes() == other.correlation.tobytes()


def test_a_screen_of_nothing_finds_nothing(device: torch.device) -> None:
    for x in (np.zeros((50, 8)), np.ones((3, 8)), noise(0, 50, 1), np.ones((50, 8))):
        found = screen_on(entries_from(columns_from(x), device), workspace_on(device, 1 << 28), 0.05, 4)
        assert found.feature.shape == (x.shape[1], 4)
        assert (found.feature == -1).all()
        assert found.passed == 0
        assert found.threshold == np.inf


def test_ranks_go_by_size_then_by_index() -> None:
    size = torch.tensor([0.5, 1.0, 0.5, 0.25, 1.0 + 1e-15, 0.9], dtype=torch.float64)
    taken = torch.tensor([True, True, True, True, True, False])
    rank = ranks(size, torch.arange(6), taken, 6)
    assert torch.argsort(rank, descending=True).tolist() == [1, 4, 0, 2, 3, 5]
    assert rank[5] == -1
    for n_features in (1, 2, 3, 131_072, 131_073):
        most = ranks(torch.ones(1, dtype=torch.float64), torch.zeros(1).long(), taken[:1], n_features)
        assert 0 < int(most) < 2**63
        assert 2 ** index_bits_of(n_features) >= n_features
