"""Communities: planted groups, permutations, couplings, restarts and their agreement, other settings."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.communities import Dials, find_communities, restart_seed
from analysis.leiden import divide, quality
from analysis.mutual_information import adjusted_mutual_information, mean_agreement
from analysis.profile import profile
from analysis.stack import Stack
from tests.analysis.stacks import alone, permuted, planted_stack

DIALS = Dials(restarts=3)


@given(st.integers(0, 10_000), st.sampled_from([0.0, 1.0]))
@settings(max_examples=10, deadline=None)
def test_planted_groups_are_found(seed: int, coupling: float) -> None:
    stack, truth = planted_stack(seed)
    found = find_communities(stack, replace(DIALS, coupling=coupling))
    expected = truth if coupling else truth + 4 * stack.layer
    assert adjusted_mutual_information(found.member, expected) == pytest.approx(1.0)
    assert found.size.tolist() == ([30] * 4 if coupling else [15] * 8)
    assert (found.ami, found.stability.min()) == (1.0, 1.0)
    assert found.quality == pytest.approx(quality(stack, found.member, 1.0, coupling))


@given(st.integers(0, 10_000), st.sampled_from([0.0, 1.0]))
@settings(max_examples=10, deadline=None)
def test_the_order_of_features_is_nothing(seed: int, coupling: float) -> None:
    stack, _ = planted_stack(seed)
    order = np.random.default_rng(seed).permutation(len(stack.layer))
    found = find_communities(stack, replace(DIALS, coupling=coupling))
    mixed = find_communities(permuted(stack, order), replace(DIALS, coupling=coupling))
    assert adjusted_mutual_information(found.member[order], mixed.member) == pytest.approx(1.0)
    assert mixed.quality == pytest.approx(found.quality)


def test_without_coupling_each_layer_is_divided_as_it_is_alone() -> None:
    stack, _ = planted_stack(5, layers=3, outside=0.2, inside=0.3)
    together = find_communities(stack, DIALS)
    assert len(together.parts) == 3
    for layer, part in enumerate(together.parts):
        features = np.flatnonzero(stack.layer == layer)
        by_itself = find_communities(stack.part(features), DIALS)
        assert part.features.tolist() == features.tolist()
        assert part.quality == by_itself.quality
        assert adjusted_mutual_information(together.member[features], by_itself.member) == 1.0


def test_with_a_large_coupling_linked_features_are_together() -> None:
    stack, _ = planted_stack(5, layers=3, outside=0.2, inside=0.3)
    found = find_communities(stack, replace(DIALS, coupling=100.0))
    assert (found.member[stack.link_source] == found.member[stack.link_target]).all()
    assert len(found.parts) == 1


def test_layers_that_no_link_joins_are_parts_of_their_own() -> None:
    stack, _ = planted_stack(1, layers=3)
    between = stack.layer[stack.link_source] == 0
    cut = Stack(
        *(stack.layer, stack.source, stack.target, stack.weight),
        *(stack.link_source[between], stack.link_target[between], stack.link_weight[between]),
    )
    assert [len(part.features) for part in find_communities(cut, replace(DIALS, coupling=1.0)).parts] == [
        120,
        60,
    ]


def test_a_negative_edge_divides() -> None:
    ring = [(0, 1, 0.2), (1, 2, 0.2), (2, 3, 0.2), (0, 3, 0.2)]
    joined = find_communities(alone([0] * 4, ring), replace(DIALS, resolution=0.4))
    assert joined.size.tolist() == [4]
    exclusive = alone([0] * 4, [*ring, (0, 2, -0.9), (1, 3, -0.9)])
    apart = find_communities(exclusive, replace(DIALS, resolution=0.4))
    assert apart.size.tolist() == [2, 2]
    assert apart.member[0] != apart.member[2]
    assert apart.member[1] != apart.member[3]


def test_a_feature_with_only_exclusions_is_in_none() -> None:
    found = find_communities(alone([0] * 4, [(0, 1, 1.0), (1, 2, -1.0)]), DIALS)
    assert found.member.tolist() == [0, 0, -1, -1]
    assert found.size.tolist() == [2]


def test_nothing_to_divide() -> None:
    found = find_communities(alone([], []), replace(DIALS, coupling=1.0))
    assert (len(found.member), len(found.size), found.parts, found.quality) == (0, 0, (), 0.0)
    found = find_communities(alone([0, 1], []), replace(DIALS, coupling=1.0))
    assert found.member.tolist() == [-1, -1]


def test_restarts_that_do_not_agree() -> None:
    rng = np.random.default_rng(0)
    source, target = np.triu_indices(80, 1)
    there = rng.random(len(source)) < 0.1
    noise = alone([0] * 80, list(zip(source[there], target[there], rng.random(there.sum()), strict=True)))
    found = find_communities(noise, Dials(restarts=4))
    assert found.ami < 0.9
    assert ((found.stability > 0) & (found.stability <= 1)).all()
    tried = [divide(noise, 1.0, 0.0, restart_seed(0, at)) for at in range(4)]
    assert found.quality == max(quality(noise, label, 1.0, 0.0) for label in tried)
    assert found.ami == pytest.approx(mean_agreement(tried))
    single = find_communities(noise, Dials(restarts=1))
    assert np.isnan(single.ami)
    assert np.isnan(single.stability).all()


def test_stability_one_by_one() -> None:
    stack, _ = planted_stack(2, layers=1, inside=0.3, outside=0.2)
    found = find_communities(stack, DIALS)
    tried = [divide(stack, 1.0, 0.0, restart_seed(0, at)) for at in range(3)]
    best = max(range(3), key=lambda at: quality(stack, tried[at], 1.0, 0.0))
    others = [label for at, label in enumerate(tried) if at != best]
    for number in range(len(found.size)):
        mine = set(np.flatnonzero(found.member == number))
        overlaps = []
        for label in others:
            groups = [set(np.flatnonzero(label == value)) for value in np.unique(label)]
            overlaps.append(max(len(mine & group) / len(mine | group) for group in groups))
        assert found.stability[number] == pytest.approx(np.mean(overlaps))


def test_profile() -> None:
    stack, _ = planted_stack(0)
    dials = Dials(coupling=1.0, restarts=2)
    asked = find_communities(stack, dials)
    rows = profile(stack, asked, dials, restarts=2)
    assert [(row.coupling, row.resolution) for row in rows] == [
        *((0.0, 1.0), (0.25, 1.0), (1.0, 0.25), (1.0, 0.5), (1.0, 1.0), (1.0, 2.0), (1.0, 4.0), (4.0, 1.0))
    ]
    here, none = rows[4], rows[0]
    assert (here.communities, here.spanning, here.held, here.like_asked) == (4, 4, 1.0, 1.0)
    assert (none.communities, none.spanning, none.held) == (8, 0, 0.0)
    flat, _ = planted_stack(0, links=0.0)
    asked = find_communities(flat, Dials(restarts=1))
    rows = profile(flat, asked, Dials(restarts=1), restarts=1)
    assert [row.resolution for row in rows] == [0.25, 0.5, 1.0, 2.0, 4.0]
    assert all(np.isnan(row.held) and np.isnan(row.ami) for row in rows)
