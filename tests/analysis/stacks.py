"""Small stacks with planted communities."""

import numpy as np
from hypothesis import strategies as st

from analysis.stack import Stack

NONE = np.empty(0, np.int32)


def planted_stack(
    seed: int = 0,
    layers: int = 2,
    features: int = 60,
    groups: int = 4,
    inside: float = 0.6,
    outside: float = 0.02,
    links: float = 1.0,
) -> tuple[Stack, np.ndarray]:
    """Layers of the same planted groups, a share of features linked to their like in the next layer.

    Returns the stack and the group of each feature. Half the edges between groups are negative.
    """
    rng = np.random.default_rng(seed)
    n = layers * features
    layer = np.repeat(np.arange(layers), features)
    truth = np.arange(n) % features % groups
    source, target = np.triu_indices(n, 1)
    same = truth[source] == truth[target]
    there = (layer[source] == layer[target]) & (rng.random(len(source)) < np.where(same, inside, outside))
    source, target, same = source[there], target[there], same[there]
    sign = np.where(same | (rng.random(len(source)) < 0.5), 1.0, -1.0)
    low = np.flatnonzero((layer < layers - 1) & (rng.random(n) < links))
    stack = Stack(
        layer.astype(np.int32),
        source.astype(np.int32),
        target.astype(np.int32),
        sign * rng.uniform(0.1, 0.5, len(source)),
        low.astype(np.int32),
        (low + features).astype(np.int32),
        rng.uniform(0.1, 0.5, len(low)),
    )
    return stack, truth


def permuted(stack: Stack, order: np.ndarray) -> Stack:
    """The same stack with feature ``order[i]`` in place ``i``."""
    place = np.empty(len(order), np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    return Stack(
        stack.layer[order],
        place[stack.source],
        place[stack.target],
        stack.weight,
        place[stack.link_source],
        place[stack.link_target],
        stack.link_weight,
    )


def plain_quality(stack: Stack, label: np.ndarray, resolution: float, coupling: float) -> float:
    """The quality by its definition: a sum over all pairs of one community."""
    n = len(stack.layer)
    positive, other = np.zeros((n, n)), np.zeros((n, n))
    for source, target, weight in zip(stack.source, stack.target, stack.weight, strict=True):
        matrix = positive if weight > 0 else other
        matrix[source, target] += weight
        matrix[target, source] += weight
    for source, target, weight in zip(stack.link_source, stack.link_target, stack.link_weight, strict=True):
        other[source, target] += coupling * weight
        other[target, source] += coupling * weight
    total = positive.sum() / 2 + coupling * stack.link_weight.sum()
    strength = positive.sum(axis=1)
    got = 0.0
    for i in range(n):
        for j in range(n):
            if label[i] != label[j]:
                continue
            got += (positive[i, j] + other[i, j]) / 2
            whole = strength[stack.layer == stack.layer[i]].sum()
            if stack.layer[i] == stack.layer[j] and whole:
                got -= resolution * strength[i] * strength[j] / whole / 2
    return float(got / total) if total else 0.0


def alone(layer: list[int], edges: list[tuple[int, int, float]]) -> Stack:
    """A stack without links."""
    return Stack(
        np.array(layer, np.int32),
        np.array([s for s, _, _ in edges], np.int32),
        np.array([t for _, t, _ in edges], np.int32),
        np.array([w for _, _, w in edges], np.float64),
        NONE,
        NONE,
        np.empty(0),
    )


@st.composite
def stacks(draw: st.DrawFn) -> tuple[Stack, np.ndarray]:
    """A small stack and any label for each feature."""
    seed = draw(st.integers(0, 999))
    stack, _ = planted_stack(seed, draw(st.integers(1, 3)), draw(st.integers(3, 9)), 2, 0.7, 0.4, 0.6)
    label = draw(st.lists(st.integers(0, 4), min_size=len(stack.layer), max_size=len(stack.layer)))
    return stack, np.array(label, np.int32)
