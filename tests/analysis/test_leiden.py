"""Dividing: the quality by its definition and by leidenalg's, levels, moves, and what is no stack."""

from dataclasses import replace
from typing import Any

import igraph
import leidenalg
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import leiden
from analysis.communities import Dials, find_communities
from analysis.errors import DataError
from analysis.leiden import quality
from analysis.level import level_of
from analysis.moving import merged, moved
from analysis.stack import Stack
from tests.analysis.stacks import alone, plain_quality, planted_stack, stacks

DIALS = Dials(restarts=3)


@given(stacks(), st.floats(0.1, 5), st.floats(0, 3))
def test_quality_by_its_definition(
    made: tuple[Stack, np.ndarray], resolution: float, coupling: float
) -> None:
    stack, label = made
    expected = plain_quality(stack, label, resolution, coupling)
    assert quality(stack, label, resolution, coupling) == pytest.approx(expected, abs=1e-12)


@given(stacks(), st.floats(0.1, 5), st.floats(0, 3))
@settings(max_examples=30)
def test_quality_is_what_leidenalg_optimises(
    made: tuple[Stack, np.ndarray], resolution: float, coupling: float
) -> None:
    stack, label = made
    # leidenalg takes communities that are numbered without gaps
    label = np.unique(label, return_inverse=True)[1]
    n, positive, total = len(stack.layer), stack.weight > 0, 0.0
    for layer in range(stack.n_layers):
        chosen = positive & (stack.layer[stack.source] == layer)
        graph = igraph.Graph(n, list(zip(stack.source[chosen], stack.target[chosen], strict=True)))
        total += leidenalg.RBConfigurationVertexPartition(
            graph, label.tolist(), stack.weight[chosen].tolist(), resolution
        ).quality()
    ends = [
        *zip(stack.source[~positive], stack.target[~positive], strict=True),
        *zip(stack.link_source, stack.link_target, strict=True),
    ]
    weights = [*stack.weight[~positive], *(coupling * stack.link_weight)]
    total += leidenalg.CPMVertexPartition(
        igraph.Graph(n, ends), label.tolist(), weights, resolution_parameter=0
    ).quality()
    whole = stack.weight[positive].sum() + coupling * stack.link_weight.sum()
    if whole:
        # leidenalg counts each pair from both ends
        assert quality(stack, label, resolution, coupling) == pytest.approx(total / 2 / whole, abs=1e-9)


def test_one_layer_without_exclusions_is_newmans_modularity() -> None:
    stack, truth = planted_stack(3, layers=1)
    keep = stack.weight > 0
    stack = alone(
        stack.layer.tolist(),
        list(zip(stack.source[keep], stack.target[keep], stack.weight[keep], strict=True)),
    )
    graph = igraph.Graph(len(truth), list(zip(stack.source, stack.target, strict=True)))
    expected = graph.modularity(truth.tolist(), weights=stack.weight.tolist())
    assert quality(stack, truth, 1.0, 0.0) == pytest.approx(expected)


@given(st.integers(0, 10_000))
@settings(max_examples=5, deadline=None)
def test_pieces_by_levels_are_worth_what_leidenalg_finds(seed: int) -> None:
    stack, _ = planted_stack(seed, layers=4, features=80, groups=6, inside=0.3, outside=0.06)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leiden, "_SMALL", 10)
        by_levels = find_communities(stack, replace(DIALS, coupling=0.7)).quality
        patch.setattr(leiden, "_SMALL", 10**9)
        whole = find_communities(stack, replace(DIALS, coupling=0.7)).quality
    assert by_levels == pytest.approx(whole, rel=0.02)


@given(stacks(), st.floats(0.1, 5), st.floats(0, 3))
@settings(max_examples=30, deadline=None)
def test_gathering_keeps_what_a_move_gains(
    made: tuple[Stack, np.ndarray], resolution: float, coupling: float
) -> None:
    stack, label = made
    piece = np.unique(label, return_inverse=True)[1].astype(np.int32)
    pieces = int(piece.max()) + 1
    level = level_of(stack, resolution, coupling).gathered(piece, pieces)
    total = stack.weight[stack.weight > 0].sum() + coupling * stack.link_weight.sum()
    apart = plain_quality(stack, piece, resolution, coupling)
    for one in range(pieces):
        for other in range(one):
            joined = np.where(piece == one, other, piece)
            at = level.neighbor[level.start[one] : level.start[one + 1]] == other
            gain = level.weight[level.start[one] : level.start[one + 1]][at].sum()
            mass = np.zeros((2, len(level.scale)))
            for row, which in enumerate((one, other)):
                inside = slice(level.mass_start[which], level.mass_start[which + 1])
                mass[row, level.mass_layer[inside]] = level.mass[inside]
            gain -= (level.scale * mass[0] * mass[1]).sum()
            if total:
                expected = plain_quality(stack, joined, resolution, coupling) - apart
                assert gain / total == pytest.approx(expected, abs=1e-9)


def test_pieces_hold_together() -> None:
    stack, _ = planted_stack(4, layers=3, inside=0.3, outside=0.1)
    level = level_of(stack, 1.0, 1.0)
    label = np.zeros(level.n, np.int32)
    piece, pieces = merged(level, label, np.arange(level.n))
    assert pieces < level.n
    graph = igraph.Graph(level.n, list(zip(stack.source, stack.target, strict=True)))
    graph.add_edges(zip(stack.link_source, stack.link_target, strict=True))
    for number in range(pieces):
        assert graph.subgraph(np.flatnonzero(piece == number).tolist()).is_connected()


def test_moving_never_loses() -> None:
    stack, _ = planted_stack(4, layers=3, inside=0.3, outside=0.1)
    level, rng = level_of(stack, 1.0, 1.0), np.random.default_rng(0)
    for _ in range(20):
        label = rng.integers(0, rng.integers(1, level.n), level.n).astype(np.int32)
        after = moved(level, label, rng.permutation(level.n))
        assert quality(stack, after, 1.0, 1.0) >= quality(stack, label, 1.0, 1.0) - 1e-12
        again = moved(level, after, rng.permutation(level.n))
        assert quality(stack, again, 1.0, 1.0) >= quality(stack, after, 1.0, 1.0) - 1e-12


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"source": np.array([0, 9], np.int32)}, "an edge names feature 9; expected 0..3"),
        ({"target": np.array([1, 2], np.int32)}, "an edge joins two layers"),
        ({"target": np.array([0, 3], np.int32)}, "or a feature to itself"),
        ({"weight": np.array([1.0, np.nan])}, "the weight of an edge is not finite"),
        ({"weight": np.array([1.0])}, "an edge lacks an end or its weight"),
        ({"link_weight": np.array([-1.0])}, "the weight of a link is below 0"),
        ({"link_source": np.array([-1], np.int32)}, "a link names feature -1"),
    ],
)
def test_what_is_no_stack(changed: dict[str, Any], said: str) -> None:
    arrays: dict[str, Any] = {
        "layer": np.array([0, 0, 1, 1], np.int32),
        "source": np.array([0, 2], np.int32),
        "target": np.array([1, 3], np.int32),
        "weight": np.ones(2),
        "link_source": np.array([0], np.int32),
        "link_target": np.array([2], np.int32),
        "link_weight": np.ones(1),
    }
    with pytest.raises(DataError, match=said):
        Stack(**arrays | changed)
