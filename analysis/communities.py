"""Communities of features: the best of several divisions, and how far the divisions agree.

Leiden depends on the order in which it looks at features, and so on its seed. It is started several times;
the division of the highest quality (`analysis.leiden`) is kept. How far it can be trusted is the mean
adjusted mutual information (AMI) between the restarts, and for each community its stability: the mean, over
the other restarts, of the largest Jaccard overlap ``|a and b| / |a or b|`` with a community there.

Layers that no link holds together have nothing to do with each other, so each group of linked layers is
divided by itself, and without a coupling each layer. A layer beside others is divided as it is alone.

A community has two features or more: a feature that no division puts with another is in none.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analysis.activations import Float64, Int32, Int64
from analysis.leiden import divide, quality
from analysis.mutual_information import mean_agreement
from analysis.numbering import by_size
from analysis.stack import Stack

Advance = Callable[[int], None]


@dataclass(frozen=True)
class Dials:
    """How a stack is divided.

    Parameters
    ----------
    resolution, coupling
        ``gamma`` and ``omega`` of `analysis.leiden`.
    restarts
        How many divisions are tried.
    seed
        Of all of them; a first restart is the same however many follow.
    """

    resolution: float = 1.0
    coupling: float = 0.0
    restarts: int = 5
    seed: int = 0


@dataclass(frozen=True)
class Part:
    """A group of layers that is divided by itself.

    Parameters
    ----------
    features
        Its features in the stack, ascending.
    quality
        Of the division that is kept.
    ami
        Mean adjusted mutual information between restarts; NaN for a single one.
    """

    features: Int64
    quality: float
    ami: float


@dataclass(frozen=True)
class Communities:
    """A division of the features of a stack.

    Parameters
    ----------
    member : shape (n,)
        Number of each feature's community, largest first; -1 for a feature that is in none.
    size : shape (communities,)
        Features of each.
    stability : shape (communities,)
        Mean over the other restarts of the largest overlap, 0 to 1; NaN for a single restart.
    quality
        Of the whole, as a share of all positive weights and couplings.
    ami
        Mean adjusted mutual information between restarts, mean over the parts by their features; NaN for a
        single restart.
    parts
        What was divided by itself.
    """

    member: Int32
    size: Int64
    stability: Float64
    quality: float
    ami: float
    parts: tuple[Part, ...]


def find_communities(stack: Stack, dials: Dials, advance: Advance | None = None) -> Communities:
    """Divide a stack into communities.

    Parameters
    ----------
    stack
        The graph.
    dials
        How it is divided.
    advance
        Called after each division with the number of features divided.
    """
    resolution, coupling = dials.resolution, dials.coupling
    label = np.zeros(len(stack.layer), np.int64)
    stability = np.zeros(len(stack.layer))
    parts: list[Part] = []
    for features in stack.groups(coupling):
        part = stack.part(features)
        tried = []
        for at in range(dials.restarts):
            tried.append(divide(part, resolution, coupling, restart_seed(dials.seed, at)))
            if advance is not None:
                advance(len(features))
        qualities = [quality(part, found, resolution, coupling) for found in tried]
        best = int(np.argmax(qualities))
        kept = tried.pop(best)
        label[features] = kept + label.max(initial=-1) + 1
        stability[features] = _stability(kept, tried)[kept]
        parts.append(Part(features, qualities[best], mean_agreement([kept, *tried])))
    member, size = by_size(label, least=2)
    inside = np.flatnonzero(member >= 0)
    _, first = np.unique(member[inside], return_index=True)
    return Communities(
        member,
        size,
        stability[inside[first]],
        quality(stack, label, resolution, coupling),
        _mean(parts),
        tuple(parts),
    )


def restart_seed(seed: int, restart: int) -> int:
    """Return the seed of one restart, 0 to 2^31 - 1."""
    return int(np.random.SeedSequence([seed, restart]).generate_state(1)[0] >> 1)


def _stability(kept: Int32, others: list[Int32]) -> Float64:
    """Mean over other divisions of the largest overlap of each community with one there."""
    size = np.bincount(kept)
    overlaps = []
    for other in others:
        there = np.bincount(other)
        pairs, both = np.unique(kept.astype(np.int64) * len(there) + other, return_counts=True)
        mine, yours = pairs // len(there), pairs % len(there)
        largest = np.zeros(len(size))
        np.maximum.at(largest, mine, both / (size[mine] + there[yours] - both))
        overlaps.append(largest)
    return np.mean(overlaps, axis=0) if overlaps else np.full(len(size), np.nan)


def _mean(parts: list[Part]) -> float:
    """Mean AMI of the parts, weighted by their features; 1 of none."""
    weight = np.array([len(part.features) for part in parts], np.float64)
    if not weight.sum():
        return 1.0
    return float(np.average([part.ami for part in parts], weights=weight))
