"""How much of a feature's activation falls on each token of the vocabulary.

Kept for the `CAP` heaviest tokens of each feature, replicate by replicate, so memory does not grow with the
variety of the text: a token that is dropped was lighter than `CAP` others of the same feature at that point.
For a feature that fires on at most `CAP` different tokens the sums are exact.
"""

from dataclasses import dataclass

import numba
import numpy as np

from analysis.activations import Columns, Float32, Float64, Int32, Int64
from analysis.kernel import parallel_kernel

CAP = 128


@dataclass(frozen=True)
class TokenMass:
    """Activation of each feature on its heaviest tokens.

    Parameters
    ----------
    token_id : shape (F, CAP)
        Ascending within a row; -1 behind the last.
    mass : shape (F, CAP)
        Sum of the activation on each; 0 behind the last.
    """

    token_id: Int32
    mass: Float64

    @classmethod
    def none(cls, n_features: int) -> "TokenMass":
        """Return the sums over no token at all."""
        return cls(np.full((n_features, CAP), -1, np.int32), np.zeros((n_features, CAP)))

    def plus(self, columns: Columns, token_id: Int32) -> "TokenMass":
        """Return the sums with one more replicate; `token_id` is that of each of its tokens, shape (n,)."""
        return TokenMass(
            *_add(columns.start, columns.token, columns.value, token_id, self.token_id, self.mass)
        )


@parallel_kernel
def _add(
    start: Int64, token: Int32, value: Float32, token_id: Int32, old_id: Int32, old_mass: Float64
) -> tuple[Int32, Float64]:
    """Merge the old sums of each feature with its new firings, and keep the heaviest."""
    n_features, cap = old_id.shape
    new_id = np.full((n_features, cap), -1, np.int32)
    new_mass = np.zeros((n_features, cap))
    for i in numba.prange(n_features):
        known = 0
        while known < cap and old_id[i, known] >= 0:
            known += 1
        fires = start[i + 1] - start[i]
        ids = np.empty(known + fires, np.int32)
        weights = np.empty(known + fires)
        ids[:known] = old_id[i, :known]
        weights[:known] = old_mass[i, :known]
        for place in range(fires):
            ids[known + place] = token_id[token[start[i] + place]]
            weights[known + place] = value[start[i] + place]
        merged_id = np.empty(len(ids), np.int32)
        merged = np.zeros(len(ids))
        distinct = 0
        for place in np.argsort(ids, kind="mergesort"):
            if distinct == 0 or ids[place] != merged_id[distinct - 1]:
                merged_id[distinct] = ids[place]
                distinct += 1
            merged[distinct - 1] += weights[place]
        chosen = np.arange(distinct)
        if distinct > cap:
            chosen = np.sort(np.argsort(-merged[:distinct], kind="mergesort")[:cap])
        for place in range(len(chosen)):
            new_id[i, place] = merged_id[chosen[place]]
            new_mass[i, place] = merged[chosen[place]]
    return new_id, new_mass
