"""Two layers of a residual stream whose links are known.

The earlier layer is a forest (``bench.truth.tree``): its features depend on each other, and their directions,
more than there are dimensions, are random. Its residual is ``r = x D``. The blocks between

- pass some features on, with a gain of their own and noise, in their old direction;
- take the others out;
- write new features in new directions, each made by a rule of one, two or three earlier features.

What the later dictionary reads is what it is: ``E r'`` where that is above a threshold, overlaps with
everything else included. Links are the pairs of a later feature and an earlier one that it is passed on from
or made by.

Rules, with ``p`` and ``q`` in one tree, ``q`` below ``p``, and ``s``, ``u`` elsewhere; one in ten firings is
left out:

    one        q                    inhibition  q and not p
    and        p and q              or          q or s
    two of     q and p, or u        three       q or s or u
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analysis.activations import Activations, Bool, Float32, Int64
from analysis.dictionary import Dictionary
from bench.truth.family import CHUNK, structure_of
from bench.truth.tree import Trees

RULES = ("one", "and", "or", "inhibition", "two of", "three")

_MADE = 0.9
"""Share of the tokens at which its rule holds that a feature fires at."""


@dataclass(frozen=True)
class Layered:
    """One replicate of both layers.

    Parameters
    ----------
    lower, upper
        What fires in the earlier and the later layer.
    carried
        What the later dictionary would read had the blocks between written only their mean.
    """

    lower: Activations
    upper: Activations
    carried: Activations


@dataclass(frozen=True)
class Stack:
    """Two layers.

    Parameters
    ----------
    seed
        Seed of the planting.
    features
        Features of the earlier layer.
    width
        Dimensions of the residual stream.
    passed, made
        Features that are passed on, and features that are made, as shares of `features`.
    threshold
        Least reading of a later feature that fires; an activation's median is 1.5.
    noise
        Standard deviation of the noise that the blocks add in every dimension.
    """

    seed: int
    features: int = 1024
    width: int = 512
    passed: float = 0.5
    made: float = 0.3
    threshold: float = 0.7
    noise: float = 0.02
    scale: float = 1.5
    strongest: float = field(default=0.8, repr=False)

    @cached_property
    def below(self) -> Trees:
        """The earlier layer."""
        return Trees(self.seed, self.features, strongest=self.strongest)

    @cached_property
    def lower_directions(self) -> Float32:
        """Decoder of the earlier layer, shape (features, width), of length 1."""
        return self._directions(1, self.features)

    @cached_property
    def carried_from(self) -> Int64:
        """Earlier feature that each feature passed on comes from, shape (passed,)."""
        return np.asarray(
            self._rng(2).permutation(self.features)[: int(self.passed * self.features)], np.int64
        )

    @cached_property
    def rules(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Rule of each feature made, and the earlier features that it is of."""
        rng = self._rng(3)
        parent = self.below.forest.parent
        children = rng.permutation(np.flatnonzero(parent >= 0))
        alone = rng.permutation(np.flatnonzero(parent < 0))
        found = []
        for k in range(int(self.made * self.features)):
            rule = RULES[k % len(RULES)]
            q = int(children[k % len(children)])
            p, s, u = int(parent[q]), int(alone[k % len(alone)]), int(alone[(k + 1) % len(alone)])
            of = {
                "one": (q,), "and": (p, q), "or": (q, s),
                "inhibition": (q, p), "two of": (p, q, u), "three": (q, s, u),
            }[rule]  # fmt: skip
            found.append((rule, of))
        return tuple(found)

    @cached_property
    def gain(self) -> Float32:
        """What each feature passed on is multiplied with, shape (passed,)."""
        return self._rng(4).uniform(0.8, 1.25, len(self.carried_from)).astype(np.float32)

    @property
    def upper_features(self) -> int:
        """Features of the later layer: those passed on, then those made."""
        return len(self.carried_from) + len(self.rules)

    @cached_property
    def upper_directions(self) -> Float32:
        """Decoder and encoder of the later layer, shape (upper_features, width), of length 1."""
        return np.concatenate(
            [self.lower_directions[self.carried_from], self._directions(5, len(self.rules))]
        )

    @property
    def lower_dictionary(self) -> Dictionary:
        """What a job knows of the earlier layer's directions."""
        directions = self.lower_directions
        return Dictionary(directions, directions, np.zeros(len(directions), np.float32))

    @property
    def upper_dictionary(self) -> Dictionary:
        """What a job knows of the later layer's directions."""
        directions = self.upper_directions
        return Dictionary(directions, directions, np.full(len(directions), self.threshold, np.float32))

    def links(self) -> dict[tuple[int, int], str]:
        """Kind of each link, by its earlier and its later feature."""
        found = {(int(i), j): "CARRIES" for j, i in enumerate(self.carried_from)}
        for k, (_, of) in enumerate(self.rules):
            found |= {(i, len(self.carried_from) + k): "DRIVES" for i in of}
        return found

    def draw(self, rng: np.random.Generator, n: int) -> Layered:
        """Draw one replicate of `n` tokens."""
        parts = [self._some(rng, min(CHUNK, n - begin)) for begin in range(0, n, CHUNK)]
        return Layered(*(_sparse([part[k] for part in parts]) for k in range(3)))

    def _some(self, rng: np.random.Generator, tokens: int) -> tuple[Float32, Float32, Float32]:
        """Activations of some tokens: earlier, later, and carried, dense."""
        x = self.below.dense(rng, tokens) * np.float32(self.scale)
        passed_on = x[:, self.carried_from] * self.gain
        passed_on *= rng.lognormal(0.0, 0.1, passed_on.shape).astype(np.float32)
        made = self._made(rng, x)
        written = np.concatenate([passed_on, made], axis=1) @ self.upper_directions
        noise = rng.normal(0.0, self.noise, written.shape).astype(np.float32)
        before = x @ self.lower_directions
        after = np.asarray(written + noise, np.float32)
        return x, self._read(after), self._read(np.asarray(before + self._mean_change, np.float32))

    def _made(self, rng: np.random.Generator, x: Float32) -> Float32:
        fires: Bool = x > 0
        made = np.zeros((len(x), len(self.rules)), np.float32)
        for k, (rule, of) in enumerate(self.rules):
            state = [fires[:, i] for i in of]
            holds = {
                "one": lambda s: s[0], "and": lambda s: s[0] & s[1], "or": lambda s: s[0] | s[1],
                "inhibition": lambda s: s[0] & ~s[1], "two of": lambda s: (s[0] & s[1]) | s[2],
                "three": lambda s: s[0] | s[1] | s[2],
            }[rule](state)  # fmt: skip
            made[:, k] = holds & (rng.random(len(x)) < _MADE)
        made *= np.float32(self.scale) * rng.lognormal(0.0, 0.3, made.shape).astype(np.float32)
        return made

    def _read(self, residual: Float32) -> Float32:
        read = residual @ self.upper_directions.T
        return np.asarray(np.where(read > self.threshold, read, 0), np.float32)

    @cached_property
    def _mean_change(self) -> Float32:
        """Mean of what the blocks between write, from rates and mean activations, shape (width,)."""
        rng = self._rng(6)
        x = self.below.dense(rng, 20 * CHUNK) * np.float32(self.scale)
        after = np.concatenate([x[:, self.carried_from] * self.gain, self._made(rng, x)], axis=1)
        change = after @ self.upper_directions - x @ self.lower_directions
        return np.asarray(change.mean(axis=0), np.float32)

    def _directions(self, stream: int, count: int) -> Float32:
        drawn = self._rng(stream).normal(size=(count, self.width))
        return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)

    def _rng(self, stream: int) -> np.random.Generator:
        return structure_of(self.seed).spawn(stream + 1)[stream]


def _sparse(parts: list[NDArray[np.float32]]) -> Activations:
    """Keep what fires."""
    dense = np.concatenate(parts)
    token, feature = np.nonzero(dense)
    start = np.searchsorted(token, np.arange(len(dense) + 1)).astype(np.int64)
    return Activations(start, feature.astype(np.int32), dense[token, feature], dense.shape[1])
