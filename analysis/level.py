"""A stack with features gathered into pieces: what each holds of each layer, and what joins two of them.

Gathering keeps every quality exactly: a division of the pieces is worth what the same division of their
features is. With ``K_s`` the strength of a piece in layer ``s``, joining two pieces gains

    W - sum_s gamma K_s K'_s / 2 m_s

where ``W`` adds up the weights, exclusions and couplings between them.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from analysis.activations import Float64, Int32, Int64
from analysis.stack import Stack


@dataclass(frozen=True)
class Level:
    """A graph of pieces.

    Parameters
    ----------
    start, neighbor, weight
        ``neighbor[start[i]:start[i + 1]]`` are joined to piece ``i``, each by a weight; no piece to itself.
    mass_start, mass_layer, mass
        In the layers ``mass_layer[mass_start[i]:mass_start[i + 1]]`` piece ``i`` has strength.
    scale : shape (layers,)
        ``gamma / 2 m_s`` of each layer, 0 for one without positive edges.
    """

    start: Int64
    neighbor: Int32
    weight: Float64
    mass_start: Int64
    mass_layer: Int32
    mass: Float64
    scale: Float64

    @property
    def n(self) -> int:
        """Number of pieces."""
        return len(self.start) - 1

    def gathered(self, piece: Int32, pieces: int) -> "Level":
        """Return the level of larger pieces; `piece` says in which each of these comes, 0..pieces-1."""
        belongs = csr_array(
            (np.ones(self.n), (piece, np.arange(self.n))), shape=(pieces, self.n), dtype=np.float64
        )
        joined = csr_array((self.weight, self.neighbor, self.start), shape=(self.n, self.n))
        shape = (self.n, len(self.scale))
        mass = csr_array((self.mass, self.mass_layer, self.mass_start), shape=shape)
        return _level(csr_array(belongs @ joined @ belongs.T), csr_array(belongs @ mass), self.scale)


def level_of(stack: Stack, resolution: float, coupling: float) -> Level:
    """Return the level at which each feature is a piece of its own."""
    n, positive = len(stack.layer), stack.weight > 0
    low = np.concatenate([stack.source, stack.link_source])
    high = np.concatenate([stack.target, stack.link_target])
    weight = np.concatenate([stack.weight, coupling * stack.link_weight])
    ends = (np.concatenate([low, high]), np.concatenate([high, low]))
    joined = csr_array((np.tile(weight, 2), ends), shape=(n, n))
    strength = np.bincount(
        np.concatenate([stack.source[positive], stack.target[positive]]),
        np.tile(stack.weight[positive], 2),
        n,
    )
    whole = np.bincount(stack.layer, strength, stack.n_layers)
    scale = np.divide(resolution, whole, out=np.zeros(len(whole)), where=whole > 0)
    mass = csr_array((strength, (np.arange(n), stack.layer)), shape=(n, stack.n_layers))
    return _level(joined, mass, scale)


def _level(joined: csr_array, mass: csr_array, scale: Float64) -> Level:
    joined.setdiag(0)
    joined.eliminate_zeros()
    joined.sort_indices()
    mass.eliminate_zeros()
    mass.sort_indices()
    return Level(
        joined.indptr.astype(np.int64),
        joined.indices.astype(np.int32),
        joined.data,
        mass.indptr.astype(np.int64),
        mass.indices.astype(np.int32),
        mass.data,
        scale,
    )
