"""What the overlap of two dictionaries makes of two features, though nothing leads from one to the other.

There are more directions than dimensions, so the encoder of a later feature ``j`` reads a little of every
earlier one: at token ``t`` it is moved by ``I_j(t) = <e_j, sum_i x_i(t) d_i>``, and near the threshold of
``j`` that decides whether ``j`` fires. Among many tokens features are tied to each other beyond doubt that
way, a feature to what moves ``j`` and to all that fires with it; none of it is anything that the model does.

What a pair ``(i, j)`` owes to it, in firings:

    at the most    tokens at which both fire and ``x_j - I_j < threshold_j``: without it ``j`` had not fired
    at the least   less the tokens at which ``j`` may have been kept from firing by ``u = <e_j, d_i> x_i < 0``:
                   as many as fire there with ``x_j < threshold_j - u``, or would if ``i`` had nothing to do
                   with ``j``, whichever is more

A link has to be more than that (``analysis.conditional``, slack). Overlap is not what a feature reads for what
it is: where ``d_i`` lies along ``e_j`` half as much as ``j``'s own direction does or more, ``i`` is *content* of
``j``: it is left out of ``I_j``, and the pair owes nothing.
"""

from dataclasses import dataclass, replace

import numba
import numpy as np

from analysis.activations import Activations, Bool, Columns, Float32, Float64, Int32, Int64
from analysis.columns import columns_of, transpose
from analysis.dictionary import Dictionary, virtual_weights
from analysis.kernel import parallel_kernel

HALF = 0.5
"""Alignment with an encoder, over that of its own direction, from which on a feature is content."""


@dataclass(frozen=True)
class Interference:
    """What pairs owe to overlap, over the tokens read so far. Made by `interference_of`.

    Parameters
    ----------
    source, target : shape (pairs,), ascending by target
        Features of the earlier and of the later layer.
    lower, upper
        Dictionaries of both layers.
    weight : shape (pairs,)
        Virtual weights.
    content : shape (pairs,)
        Whether the earlier feature is content of the later.
    firings : shape (pairs, 2)
        What they owe at the least, 0 or below, and at the most, 0 or above.
    """

    source: Int32
    target: Int32
    lower: Dictionary
    upper: Dictionary
    weight: Float64
    content: Bool
    firings: Float64

    def plus(self, lower: Activations, upper: Activations) -> "Interference":
        """Add the tokens of one replicate."""
        later = columns_of(upper)
        moved = _moved(
            *(lower.start, lower.feature, lower.value, self.lower.decoder),
            *(upper.start, upper.feature, self.upper.encoder, 4 * numba.get_num_threads()),
        )
        _, _, by_feature = transpose(upper.start, upper.feature, moved, later.n_features)
        begin = np.searchsorted(self.target, np.arange(later.n_features + 1)).astype(np.int64)
        more = _firings(
            *_arrays(columns_of(lower)),
            *_arrays(later),
            *(by_feature, later.n_tokens, self.upper.threshold),
            *(begin, self.source, self.weight, self.content, 4 * numba.get_num_threads()),
        )
        return replace(self, firings=self.firings + more)


def interference_of(source: Int32, target: Int32, lower: Dictionary, upper: Dictionary) -> Interference:
    """Return what pairs, ascending by target, owe to overlap at no token."""
    weight = virtual_weights(lower, upper, source, target)
    alike = weight / np.maximum(np.linalg.norm(lower.decoder, axis=1)[source], 1e-30)
    own = np.einsum("fd,fd->f", upper.encoder, upper.decoder)
    own = own / np.maximum(np.linalg.norm(upper.decoder, axis=1), 1e-30)
    content = np.abs(alike) >= HALF * np.maximum(own[target], 0.0)
    return Interference(source, target, lower, upper, weight, content, np.zeros((len(source), 2)))


def _arrays(columns: Columns) -> tuple[Int64, Int32, Float32]:
    return columns.start, columns.token, columns.value


@parallel_kernel
def _moved(
    start: Int64,
    feature: Int32,
    value: Float32,
    decoder: Float32,
    upper_start: Int64,
    upper_feature: Int32,
    encoder: Float32,
    blocks: int,
) -> Float32:
    """Overlap that each firing of the later layer has read, in the order of the tokens."""
    width = decoder.shape[1]
    found = np.empty(len(upper_feature), np.float32)
    for block in numba.prange(blocks):
        stream = np.empty(width, np.float32)
        for t in range(block, len(start) - 1, blocks):
            if upper_start[t] == upper_start[t + 1]:
                continue
            stream[:] = 0.0
            for entry in range(start[t], start[t + 1]):
                stream += value[entry] * decoder[feature[entry]]
            for entry in range(upper_start[t], upper_start[t + 1]):
                found[entry] = np.dot(stream, encoder[upper_feature[entry]])
    return found


@parallel_kernel
def _firings(
    start: Int64,
    token: Int32,
    value: Float32,
    upper_start: Int64,
    upper_token: Int32,
    upper_value: Float32,
    moved: Float32,
    n: int,
    threshold: Float32,
    begin: Int64,
    source: Int32,
    weight: Float64,
    content: Bool,
    blocks: int,
) -> Float64:
    found = np.zeros((len(source), 2))
    for block in numba.prange(blocks):
        place = np.full(n, -1, np.int32)
        for j in range(block, len(upper_start) - 1, blocks):
            if begin[j] == begin[j + 1]:
                continue
            first = upper_start[j]
            tokens, x = upper_token[first : upper_start[j + 1]], upper_value[first : upper_start[j + 1]]
            left = x - moved[first : upper_start[j + 1]]
            for k in range(len(tokens)):
                place[tokens[k]] = k
            for pair in range(begin[j], begin[j + 1]):
                if content[pair]:
                    i = source[pair]
                    for entry in range(start[i], start[i + 1]):
                        k = place[token[entry]]
                        if k >= 0:
                            left[k] += np.float32(weight[pair]) * value[entry]
            for pair in range(begin[j], begin[j + 1]):
                i = source[pair]
                fires = start[i + 1] - start[i]
                if content[pair] or fires == 0:
                    continue
                kept_from = max(0.0, -weight[pair])
                near, low = 0, 0
                for entry in range(start[i], start[i + 1]):
                    k = place[token[entry]]
                    if k >= 0:
                        near += left[k] < threshold[j]
                        low += x[k] < threshold[j] + kept_from * value[entry]
                found[pair, 1] = near
                if kept_from > 0.0:
                    most = threshold[j] + kept_from * value[start[i] : start[i + 1]].mean()
                    found[pair, 0] = -max(float(low), (x < most).sum() * fires / n)
            for k in range(len(tokens)):
                place[tokens[k]] = -1
    return found
