"""How much of a link the residual stream passes along, and how much the blocks between have made.

``carry_j`` is what the later encoder would read had the blocks between written only their mean (method.md,
section 6). Of a feature ``j`` of the later layer with links from the features ``P`` of the earlier one::

    carried_share of i   = clip(b_carry_i / b_x_i, 0, 1)       b_y: least squares of y on the magnitudes of P
    carried_fraction     = clip(1 - E (x_j - carry_j)^2 / Var x_j, 0, 1)

A link of positive weight of which half is carried is said to carry, any other to drive. All moments are sums
over tokens, so replicates are read one after the other.
"""

from dataclasses import dataclass

import numba
import numpy as np

from analysis.activations import Columns, Float32, Float64, Int32, Int64
from analysis.gram import make_links, sparse_products
from analysis.kernel import parallel_kernel

CARRIES, DRIVES = "CARRIES", "DRIVES"
HALF = 0.5
"""Least carried share of a link that carries."""


@dataclass(frozen=True)
class Moments:
    """Sums over tokens, of what links need.

    Parameters
    ----------
    start : shape (F + 1,)
        ``source[start[j]:start[j + 1]]`` are the features that feature ``j`` of the later layer is linked to.
    source : shape (links,)
    place : shape (F + 1,)
        Where the figures of ``j`` begin in `products`; of those in `sums` ``start[j] + 2 j``.
    sums : shape (links + 2 F,)
        For each ``j``: of its sources, of ``x_j`` and of ``carry_j``.
    products : shape (sum over j of (sources + 2)^2,)
        For each ``j``: sums of the products of any two of these.
    tokens
        Tokens so far.
    """

    start: Int64
    source: Int32
    place: Int64
    sums: Float64
    products: Float64
    tokens: int

    @classmethod
    def none(cls, source: Int32, target: Int32, n_features: int) -> "Moments":
        """Return sums over no token; links are ascending by target, of which there are `n_features`."""
        start = np.searchsorted(target, np.arange(n_features + 1)).astype(np.int64)
        size = (np.diff(start) + 2) ** 2
        place = np.concatenate([np.zeros(1, np.int64), np.cumsum(size)])
        return cls(start, source, place, np.zeros(len(source) + 2 * n_features), np.zeros(int(place[-1])), 0)

    def plus(self, lower: Columns, upper: Columns, carried: Columns) -> "Moments":
        """Add the tokens of one replicate: what fires in both layers, and what the later one is carried."""
        n = lower.n_tokens
        first, second = len(lower.token), len(lower.token) + len(upper.token)
        start = np.concatenate([lower.start, first + upper.start[1:], second + carried.start[1:]])
        token = np.concatenate([lower.token, upper.token, carried.token])
        value = np.concatenate([lower.value, upper.value, carried.value])
        sums, products = _sums_of(
            (start, token, value),
            lower.n_features,
            self.start,
            self.source,
            self.place,
            n,
            4 * numba.get_num_threads(),
        )
        return Moments(
            self.start, self.source, self.place, self.sums + sums, self.products + products, self.tokens + n
        )

    def carried_shares(self) -> Float64:
        """Carried share of each link, shape (links,), 0 to 1."""
        shares = np.zeros(len(self.source))
        for j in np.flatnonzero(np.diff(self.start)):
            covariance = self._covariance(int(j))
            parents = len(covariance) - 2
            scale = np.sqrt(np.maximum(np.diag(covariance), 1e-300))[:parents]
            gram = covariance[:parents, :parents] / np.outer(scale, scale)
            of_x, of_carry = np.linalg.lstsq(gram, covariance[:parents, parents:] / scale[:, np.newaxis])[0].T
            with np.errstate(divide="ignore", invalid="ignore"):
                share = np.where(of_x == 0, 0.0, of_carry / of_x)
            shares[self.start[j] : self.start[j + 1]] = np.clip(share, 0.0, 1.0)
        return shares

    def carried_fractions(self) -> Float64:
        """Carried fraction of each feature of the later layer, shape (F,), 0 to 1; nan if it never varies."""
        n_features = len(self.start) - 1
        fractions = np.full(n_features, np.nan)
        for j in range(n_features):
            covariance = self._covariance(j)
            products = self._products(j)
            if covariance[-2, -2] > 0:
                away = (products[-2, -2] - 2 * products[-2, -1] + products[-1, -1]) / self.tokens
                fractions[j] = np.clip(1.0 - away / covariance[-2, -2], 0.0, 1.0)
        return fractions

    def _products(self, j: int) -> Float64:
        size = int(self.start[j + 1] - self.start[j]) + 2
        return self.products[self.place[j] : self.place[j + 1]].reshape(size, size)

    def _covariance(self, j: int) -> Float64:
        products = self._products(j)
        mean = self.sums[self.start[j] + 2 * j :][: len(products)] / self.tokens
        return np.asarray(products / self.tokens - np.outer(mean, mean), np.float64)


def kinds_of(carried_share: Float64, weight: Float64) -> list[str]:
    """Name each link: CARRIES by a carried share of half or more of a positive weight, else DRIVES.

    Parameters
    ----------
    carried_share, weight : shape (links,)
        Both are signs of one content only where the earlier feature raises the later one: of two features of
        opposite directions the stream passes all, and neither is what the other was.
    """
    return [
        CARRIES if share >= HALF and of > 0 else DRIVES
        for share, of in zip(carried_share, weight, strict=True)
    ]


@parallel_kernel
def _sums_of(
    columns: tuple[Int64, Int32, Float32],
    lower: int,
    parent_start: Int64,
    parent: Int32,
    place: Int64,
    n: int,
    blocks: int,
) -> tuple[Float64, Float64]:
    start, token, value = columns
    upper = len(parent_start) - 1
    sums = np.zeros(len(parent) + 2 * upper)
    products = np.zeros(place[upper])
    one = np.ones(len(start) - 1)
    edge = np.array([0, n])
    most, widest = 0, 0
    for j in range(upper):
        entries = start[lower + j + 1] - start[lower + j]
        entries += start[lower + upper + j + 1] - start[lower + upper + j]
        for p in parent[parent_start[j] : parent_start[j + 1]]:
            entries += start[p + 1] - start[p]
        most = max(most, entries)
        widest = max(widest, parent_start[j + 1] - parent_start[j] + 2)
    for block in numba.prange(blocks):
        links = make_links(n, most)
        chosen = np.empty(widest, np.int32)
        total = np.zeros((1, widest))
        square = np.zeros((1, widest, widest))
        for j in range(block, upper, blocks):
            size = parent_start[j + 1] - parent_start[j]
            for k in range(size):
                chosen[k] = parent[parent_start[j] + k]
            chosen[size] = lower + j
            chosen[size + 1] = lower + upper + j
            size += 2
            sparse_products(start, token, value, one, chosen[:size], edge, links, total, square)
            sums[parent_start[j] + 2 * j : parent_start[j] + 2 * j + size] = total[0, :size]
            for a in range(size):
                for b in range(size):
                    products[place[j] + a * size + b] = square[0, a, b]
    return sums, products
