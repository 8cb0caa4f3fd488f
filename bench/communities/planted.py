"""A stack of layers of any size with planted groups, hubs, and links that mostly follow the groups."""

import numpy as np

from analysis.activations import Int64
from analysis.stack import Stack

_INSIDE = 0.7
"""Share of the edges, and of the links, that join two features of one group."""
_NEGATIVE = 0.05
"""Share of the edges that are exclusions."""
_SIZE = 60
"""Features of a group in a layer, on average; sizes vary as a log-normal."""


def planted_stack(layers: int, features: int, edges: int, links: int, seed: int = 0) -> tuple[Stack, Int64]:
    """Make a stack with about so many features a layer, edges in all and links in all.

    Returns
    -------
    The stack and the group of each feature: the same groups in every layer.
    """
    rng = np.random.default_rng(seed)
    groups = max(1, features // _SIZE)
    share = rng.lognormal(0, 0.7, groups)
    truth = np.concatenate([rng.choice(groups, features, p=share / share.sum()) for _ in range(layers)])
    found = [_edges(truth, layer, features, edges // layers, rng) for layer in range(layers)]
    source, target = (np.concatenate(ends).astype(np.int32) for ends in zip(*found, strict=True))
    sign = np.where(rng.random(len(source)) < _NEGATIVE, -1.0, 1.0)
    pairs = max(1, layers - 1)
    linked = [_links(truth, layer, features, links // pairs, rng) for layer in range(layers - 1)]
    empty = (np.empty(0, np.int64), np.empty(0, np.int64))
    low, high = (np.concatenate(ends).astype(np.int32) for ends in zip(*(linked or [empty]), strict=True))
    stack = Stack(
        np.repeat(np.arange(layers, dtype=np.int32), features),
        source,
        target,
        sign * rng.gamma(2.0, 0.05, len(source)),
        low,
        high,
        rng.gamma(2.0, 0.1, len(low)),
    )
    return stack, truth


def _edges(truth: Int64, layer: int, n: int, count: int, rng: np.random.Generator) -> tuple[Int64, Int64]:
    """Draw pairs of one layer, the busier the more, most of them inside a group."""
    mine = truth[layer * n : (layer + 1) * n]
    busy = (1.0 + rng.permutation(n)) ** -0.5
    one, other = rng.choice(n, (2, count), p=busy / busy.sum())
    other = np.where(rng.random(count) < _INSIDE, _like(mine[one], mine, rng), other)
    low, high = np.minimum(one, other), np.maximum(one, other)
    key = np.unique((low * n + high)[low < high])
    return key // n + layer * n, key % n + layer * n


def _links(truth: Int64, layer: int, n: int, count: int, rng: np.random.Generator) -> tuple[Int64, Int64]:
    """Draw pairs of a layer and the next, most of them inside a group."""
    mine, next_ones = truth[layer * n : (layer + 1) * n], truth[(layer + 1) * n : (layer + 2) * n]
    one, other = rng.integers(0, n, (2, count))
    other = np.where(rng.random(count) < _INSIDE, _like(mine[one], next_ones, rng), other)
    key = np.unique(one * n + other)
    return key // n + layer * n, key % n + (layer + 1) * n


def _like(wanted: Int64, group: Int64, rng: np.random.Generator) -> Int64:
    """Draw a feature of each wanted group; any feature where the group has none."""
    order = np.argsort(group, kind="stable")
    sizes = np.bincount(group, minlength=int(wanted.max()) + 1)
    start = np.concatenate([[0], np.cumsum(sizes)])
    drawn = order[
        np.minimum(start[wanted] + (rng.random(len(wanted)) * sizes[wanted]).astype(np.int64), len(order) - 1)
    ]
    return np.where(sizes[wanted] > 0, drawn, rng.integers(0, len(group), len(wanted)))
