"""Ising modules, enumerated: a handful of features whose joint law is written out in full.

    p(s) = exp(sum_i h_i s_i + sum_{i<j} J_ij s_i s_j) / Z        s in {0, 1}^k

Two features of a module are dependent given the others exactly when ``J_ij`` is not 0. The fields ``h`` are
fitted so that every feature fires at its rate (iterative proportional fitting, one feature at a time).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analysis.activations import Float32, Float64, Int64
from bench.truth.family import Pairs, Planted, members_of, pair, structure_of
from bench.truth.firing import Firing


@dataclass(frozen=True)
class Ising(Planted):
    """Modules of coupled features, and features beside them that depend on nothing.

    Parameters
    ----------
    modules
        Number of modules.
    size
        Features in a module, at most 10.
    extra
        Couplings of a module beyond those of a random tree over it; as many as there are pairs: a clique.
    weakest, strongest
        Limits of the absolute value of a coupling, drawn uniformly.
    negative
        Share of the couplings that are negative.
    firing
        How often features outside modules fire, and how strongly any fires.
    module_firing
        How often features in modules fire.
    """

    modules: int = 96
    size: int = 8
    extra: int = 3
    weakest: float = 2.0
    strongest: float = 3.5
    negative: float = 0.0
    firing: Firing = Firing(exponential=True)  # noqa: RUF009  frozen, so it can be shared
    module_firing: Firing = Firing()  # noqa: RUF009  frozen, so it can be shared

    def __post_init__(self) -> None:
        if not 2 <= self.size <= 10 or self.modules * self.size > self.features:
            raise ValueError(f"{self}: expected 2 <= size <= 10, modules * size <= features")

    @cached_property
    def member(self) -> Int64:
        """Features of the modules, shape (modules, size)."""
        return members_of(self, self.modules, self.size)

    @cached_property
    def rate(self) -> Float64:
        """Firing rate of every feature, shape (F,)."""
        rng = structure_of(self.seed + 2**32)
        rate = self.firing.rates(rng, self.features)
        rate[self.member] = self.module_firing.rates(rng, self.member.size).reshape(self.member.shape)
        return rate

    @cached_property
    def coupling(self) -> Float64:
        """Couplings ``J`` of every module, shape (modules, size, size), above the diagonal."""
        rng = structure_of(self.seed + 2**33)
        coupling = np.zeros((self.modules, self.size, self.size))
        for module in coupling:
            joined = {(int(rng.integers(place)), place) for place in range(1, self.size)}
            pairs = {(a, b) for b in range(self.size) for a in range(b)}
            others = sorted(pairs - joined)
            for choice in rng.permutation(len(others))[: self.extra]:
                joined.add(others[choice])
            for a, b in sorted(joined):
                sign = -1 if rng.random() < self.negative else 1
                module[a, b] = sign * rng.uniform(self.weakest, self.strongest)
        return coupling

    @cached_property
    def states(self) -> Float64:
        """All states of a module, shape (2 ** size, size)."""
        number = np.arange(2**self.size)[:, np.newaxis]
        return np.asarray((number >> np.arange(self.size)) & 1, np.float64)

    @cached_property
    def probability(self) -> Float64:
        """Probability of every state of every module, shape (modules, 2 ** size)."""
        target = self.rate[self.member]
        energy = np.einsum("sa,mab,sb->ms", self.states, self.coupling, self.states)
        p = np.exp(energy + np.log(target / (1 - target)) @ self.states.T)
        p = np.asarray(p / p.sum(axis=1, keepdims=True), np.float64)
        for _ in range(1000):
            if np.abs(p @ self.states / target - 1).max() < 1e-9:
                return p
            for place in range(self.size):
                fires = self.states[:, place] > 0
                now = p[:, fires].sum(axis=1)
                p[:, fires] *= (target[:, place] / now)[:, np.newaxis]
                p[:, ~fires] *= ((1 - target[:, place]) / (1 - now))[:, np.newaxis]
        raise RuntimeError("the fields did not converge in 1,000 sweeps; use weaker couplings")

    def edges(self) -> Pairs:
        """Pairs with a coupling."""
        return {
            pair(int(self.member[m, a]), int(self.member[m, b])) for m, a, b in np.argwhere(self.coupling)
        }

    def _values(self, rng: np.random.Generator, tokens: int) -> Float32:
        fires = rng.random((tokens, self.features), np.float32) < self.rate.astype(np.float32)
        edge = np.cumsum(self.probability, axis=1)
        uniform = rng.random((self.modules, tokens)) * edge[:, -1:]
        for m in range(self.modules):
            state = np.searchsorted(edge[m], uniform[m], side="right")
            fires[:, self.member[m]] = self.states[state] > 0
        return self.firing.values(rng, fires)
