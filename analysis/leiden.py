"""Leiden over a stack of layers: what a division into communities is worth, and how a good one is found.

For a division ``c`` of the features, with ``w`` the weight of an edge, ``k`` the sum of the positive weights
at a feature, ``m_s`` the sum of the positive weights of layer ``s``, and over pairs of one community only::

    Q = sum_s sum_(i<j in s) (w+_ij - gamma k_i k_j / 2 m_s)  -  sum |w-_ij|  +  omega sum |v_ij|

- The first sum is modularity with a resolution ``gamma``, a null model for each layer: what is expected
  between two features by their strengths. A null model over all layers at once would expect edges between
  features of two layers, where none can be, and so hold communities of several layers to be too large (Mucha
  et al., "Community structure in time-dependent, multiscale, and multiplex networks", 2010). Strengths differ
  by orders of magnitude, so a null model of equal density (the constant Potts model) would give each hub's
  neighbourhood as a community, and its resolution would be another one for each layer.
- A negative edge says that two features exclude each other. Where it is counted, it costs its weight inside a
  community, and has no null model: where no negative edge was found, nothing holds two features together. By
  rule negative edges are left out before: what excludes each other given its neighbours is often of one kind,
  as siblings are, and communities without them agree better with the planted classes of the small model
  (`python -m bench.communities`).
- A link ``v`` from one layer to another couples its ends by its size, ``omega`` is the coupling. It has no
  null model either: which features of two layers could be linked is no property of their strengths.

``Q`` is given as a share of all positive weights and couplings: of one layer without negative edges, at a
resolution of 1, it is Newman's modularity.

How a good division is found: features that move alone, and merge into pieces within their communities
(`analysis.moving`), level by level, until so few pieces are left that leidenalg takes them, all levels again
until a round gains little. A small stack goes to leidenalg as it is. In leidenalg's terms it is a multiplex:
one layer with all weights, exclusions and couplings, and the constant Potts model at resolution 0; and for
each layer of the stack one without edges, whose node sizes are strengths in that layer, at resolution
``gamma / 2 m_s``, which is the null model. To give it every feature takes time by features times layers: for
12 layers of 4,096 features a minute a round, where all of this takes three seconds and finds no less
(docs/log.md). Traag, Waltman and van Eck, "From Louvain to Leiden", 2019.
"""

import igraph
import leidenalg
import numpy as np
from scipy.sparse import csr_array

from analysis.activations import Int32, Int64
from analysis.level import Level, level_of
from analysis.moving import merged, moved
from analysis.stack import Stack

_SMALL = 1000
"""Pieces times layers that leidenalg divides in a second or so."""
_ROUNDS, _LITTLE = 10, 1e-3
"""Most rounds; a round that gains less than this share is the last."""


def quality(stack: Stack, label: Int32 | Int64, resolution: float, coupling: float) -> float:
    """Return what a division is worth; at most 1, and 0 for a stack without positive edges and links.

    Parameters
    ----------
    stack
        The graph.
    label : shape (n,)
        Community of each feature.
    resolution, coupling
        ``gamma`` and ``omega``.
    """
    positive = stack.weight > 0
    inside = label[stack.source] == label[stack.target]
    held = label[stack.link_source] == label[stack.link_target]
    total = stack.weight[positive].sum() + coupling * stack.link_weight.sum()
    if not total:
        return 0.0
    strength = np.bincount(
        np.concatenate([stack.source[positive], stack.target[positive]]),
        np.tile(stack.weight[positive], 2),
        len(stack.layer),
    )
    in_layer = np.bincount(stack.layer, strength, stack.n_layers)
    key = label.astype(np.int64) * stack.n_layers + stack.layer
    cells, cell = np.unique(key, return_inverse=True)
    layer = cells % stack.n_layers
    share = np.bincount(cell, strength)[in_layer[layer] > 0]
    expected = (share**2 / (2 * in_layer[layer[in_layer[layer] > 0]])).sum()
    got = stack.weight[inside].sum() + coupling * stack.link_weight[held].sum() - resolution * expected
    return float(got / total)


def divide(stack: Stack, resolution: float, coupling: float, seed: int) -> Int32:
    """Find a division of high quality.

    Parameters
    ----------
    stack
        The graph, of one feature or more.
    resolution, coupling
        ``gamma`` and ``omega``.
    seed
        Of the order in which features are looked at, 0 to 2^31 - 1.

    Returns
    -------
    Any number for each feature, equal in a community, shape (n,).
    """
    rng = np.random.default_rng(seed)
    level = level_of(stack, resolution, coupling)
    label, reached = np.arange(level.n, dtype=np.int32), -np.inf
    for _ in range(_ROUNDS):
        label = _round(level, label, rng)
        now = quality(stack, label, resolution, coupling)
        if now - reached <= _LITTLE * abs(now):
            break
        reached = now
    return label


def _round(level: Level, label: Int32, rng: np.random.Generator) -> Int32:
    """Move, merge, and do the same with what was merged; the last pieces are leidenalg's."""
    if level.n * (1 + len(level.scale)) <= _SMALL:
        return _by_leidenalg(level, label, rng)
    label = moved(level, label, rng.permutation(level.n))
    piece, pieces = merged(level, label, rng.permutation(level.n))
    if pieces == level.n:
        return label
    community = np.unique(label, return_inverse=True)[1]
    of = np.empty(pieces, np.int32)
    of[piece] = community
    return _round(level.gathered(piece, pieces), of, rng)[piece]


def _by_leidenalg(level: Level, label: Int32, rng: np.random.Generator) -> Int32:
    """Divide pieces by leidenalg, beginning at a division, until a round gains little."""
    owner = np.repeat(np.arange(level.n), np.diff(level.start))
    once = owner < level.neighbor
    ends = np.column_stack([owner[once], level.neighbor[once]]).astype(np.int64)
    begin = np.unique(label, return_inverse=True)[1].tolist()
    optimiser = leidenalg.Optimiser()
    optimiser.set_rng_seed(int(rng.integers(1 << 31)))
    partitions = [
        leidenalg.CPMVertexPartition(
            igraph.Graph(level.n, ends), begin, level.weight[once].tolist(), resolution_parameter=0.0
        )
    ]
    masses = csr_array(
        (level.mass, level.mass_layer, level.mass_start), shape=(level.n, len(level.scale))
    ).toarray()
    for layer in np.flatnonzero(level.scale):
        partitions.append(
            leidenalg.CPMVertexPartition(
                igraph.Graph(level.n),
                begin,
                node_sizes=masses[:, layer].tolist(),
                resolution_parameter=float(level.scale[layer]),
            )
        )
    gained = 0.0
    for _ in range(_ROUNDS):
        gain = optimiser.optimise_partition_multiplex(partitions, n_iterations=1)
        gained += gain
        if gain <= _LITTLE * gained:
            break
    return np.array(partitions[0].membership, np.int32)
