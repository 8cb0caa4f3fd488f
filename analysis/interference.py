"""What the overlap of directions makes of two features, though nothing leads from one to the other.

There are more directions than dimensions, so the encoder of a later feature ``j`` reads a little of all else
that is in the stream: at token ``t`` it is moved by ``I_j(t)``, the part of ``<e_j, sum_k x_k(t) d_k>`` that
comes of other features ``k`` of the later layer. Near its threshold that decides whether ``j`` fires. Among
many tokens features are tied to each other beyond doubt that way, a feature to what moves ``j`` and to all
that fires with it; none of it is anything that the model does.

What a pair ``(i, j)`` of an earlier and a later feature owes to it, in firings:

    at the most    tokens at which both fire and ``x_j - I_j < threshold_j``: without it ``j`` had not fired
    at the least   less the tokens at which ``j`` may have been kept from firing, moved down by ``m``: as many
                   as fire there with ``x_j < threshold_j + m``, or would if ``i`` had nothing to do with
                   ``j``, whichever is more. ``m`` is how much lower ``I_j`` is, on average, where ``i`` fires

A link has to be more than that (``analysis.conditional``, slack). Overlap is not what a feature reads for
what it is: directions that lie along ``e_j`` half as much as ``j``'s own does or more are *content* of ``j``.
Features of the later layer that are content are left out of ``I_j``, and a pair whose earlier feature is
content owes nothing.

The replicates are read twice: `seen` adds up what is in the stream where each earlier feature fires, and
`plus`, after all have been seen, counts.
"""

from dataclasses import dataclass, replace

import numba
import numpy as np

from analysis.activations import Activations, Bool, Columns, Float32, Float64, Int32, Int64
from analysis.columns import columns_of, transpose
from analysis.dictionary import Dictionary, virtual_weights
from analysis.kernel import kernel, parallel_kernel

HALF = 0.5
"""Alignment with an encoder, over that of its own direction, from which on a direction is content."""
_AT_ONCE = 1024
"""Encoders that are compared with all directions at a time."""


@dataclass(frozen=True)
class Interference:
    """What pairs owe to overlap, over the tokens read so far. Made by `interference_of`.

    Parameters
    ----------
    source, target : shape (pairs,), ascending by target
        Features of the earlier and of the later layer.
    upper
        Dictionary of the later layer.
    content : shape (pairs,)
        Whether the earlier feature is content of the later.
    alike_start, alike
        ``alike[alike_start[j]:alike_start[j + 1]]`` are the later features that are content of ``j``.
    stream : shape (F_lower + 1, d)
        Sums of what the later layer says is in the stream where each earlier feature fires, and everywhere.
    own : shape (pairs + F_upper,)
        Sums of the content of ``j`` in its reading, where the pair fires together, and over all tokens.
    fires : shape (F_lower + 1,)
        Tokens at which each earlier feature fires, and all tokens.
    near : shape (pairs, 3)
        Tokens at which both fire and ``j`` would not without ``I_j``; at which both fire and ``x_j`` is less
        than ``m`` above its threshold; and at which ``j`` fires like that, whatever ``i`` does.
    """

    source: Int32
    target: Int32
    upper: Dictionary
    content: Bool
    alike_start: Int64
    alike: Int32
    stream: Float64
    own: Float64
    fires: Int64
    near: Int64

    @property
    def firings(self) -> Float64:
        """What pairs owe at the least, 0 or below, and at the most, 0 or above; shape (pairs, 2)."""
        together, low, usual = self.near.T
        expected = usual * self.fires[self.source] / max(1, int(self.fires[-1]))
        return np.stack([-np.maximum(low, expected), together], axis=1)

    def seen(self, lower: Activations, upper: Activations) -> "Interference":
        """Add up what is in the stream, over one more replicate."""
        decoder, encoder = self.upper.decoder, self.upper.encoder
        stream = _streams(
            lower.start,
            lower.feature,
            upper.start,
            upper.feature,
            upper.value,
            decoder,
            lower.n_features,
            min(decoder.shape[1], numba.get_num_threads()),
        )
        earlier, later = columns_of(lower), columns_of(upper)
        own = _own_sums(
            _arrays(earlier),
            _arrays(later),
            later.n_tokens,
            encoder,
            decoder,
            self.alike_start,
            self.alike,
            self._begin,
            self.source,
            4 * numba.get_num_threads(),
        )
        fires = np.append(np.diff(earlier.start), later.n_tokens)
        return replace(self, stream=self.stream + stream, own=self.own + own, fires=self.fires + fires)

    def plus(self, lower: Activations, upper: Activations) -> "Interference":
        """Count the tokens of one replicate, after all have been seen."""
        later = columns_of(upper)
        read = _readings(upper.start, upper.feature, upper.value, self.upper.decoder, self.upper.encoder)
        _, _, by_feature = transpose(upper.start, upper.feature, read, later.n_features)
        more = _firings(
            _arrays(columns_of(lower)),
            _arrays(later),
            by_feature,
            later.n_tokens,
            self.upper.encoder,
            self.upper.decoder,
            self.upper.threshold,
            self.alike_start,
            self.alike,
            self._begin,
            self.source,
            self.content,
            self._below(),
            4 * numba.get_num_threads(),
        )
        return replace(self, near=self.near + more)

    @property
    def _begin(self) -> Int64:
        return np.searchsorted(self.target, np.arange(len(self.upper.threshold) + 1)).astype(np.int64)

    def _below(self) -> Float64:
        """Return below what ``x_j`` is near its threshold, 0 where nothing moved it down, (pairs,)."""
        pairs, everywhere = len(self.source), max(1, int(self.fires[-1]))
        there = np.maximum(1, self.fires[:-1])
        usual = self.upper.encoder @ (self.stream[-1] / everywhere) - self.own[pairs:] / everywhere
        moved = np.empty(pairs)
        for first in range(0, pairs, _AT_ONCE):
            some = slice(first, first + _AT_ONCE)
            i, j = self.source[some], self.target[some]
            read = np.einsum("pd,pd->p", self.upper.encoder[j], self.stream[i] / there[i, np.newaxis])
            moved[some] = usual[j] - (read - self.own[:pairs][some] / there[i])
        return np.where(moved > 0, self.upper.threshold[self.target] + moved, 0.0)


def interference_of(source: Int32, target: Int32, lower: Dictionary, upper: Dictionary) -> Interference:
    """Return what pairs, ascending by target, owe to overlap before any token is read."""
    own = np.einsum("fd,fd->f", upper.encoder, upper.decoder) / _length(upper)
    least = HALF * np.maximum(own, 1e-30)
    content = np.abs(virtual_weights(lower, upper, source, target)) / _length(lower)[source] >= least[target]
    start, alike = _alike(upper, least)
    n_lower, n_upper = len(lower.threshold), len(upper.threshold)
    return Interference(
        source=source,
        target=target,
        upper=upper,
        content=np.asarray(content, np.bool_),
        alike_start=start,
        alike=alike,
        stream=np.zeros((n_lower + 1, upper.decoder.shape[1])),
        own=np.zeros(len(source) + n_upper),
        fires=np.zeros(n_lower + 1, np.int64),
        near=np.zeros((len(source), 3), np.int64),
    )


def _length(dictionary: Dictionary) -> Float32:
    return np.asarray(np.maximum(np.linalg.norm(dictionary.decoder, axis=1), 1e-30), np.float32)


def _alike(upper: Dictionary, least: Float64) -> tuple[Int64, Int32]:
    """List the features that are content of each, itself among them: the first of each, and all."""
    direction = upper.decoder / _length(upper)[:, np.newaxis]
    found, count = [], np.zeros(len(least) + 1, np.int64)
    for first in range(0, len(least), _AT_ONCE):
        along = np.abs(upper.encoder[first : first + _AT_ONCE] @ direction.T)
        along[np.arange(len(along)), first + np.arange(len(along))] = np.inf
        j, k = np.nonzero(along >= least[first : first + _AT_ONCE, np.newaxis])
        found.append(k.astype(np.int32))
        count[first + 1 : first + 1 + len(along)] = np.bincount(j, minlength=len(along))
    return np.cumsum(count), np.concatenate(found)


def _arrays(columns: Columns) -> tuple[Int64, Int32, Float32]:
    return columns.start, columns.token, columns.value


@parallel_kernel
def _streams(
    lower_start: Int64,
    lower_feature: Int32,
    start: Int64,
    feature: Int32,
    value: Float32,
    decoder: Float32,
    n_lower: int,
    parts: int,
) -> Float64:
    """Sum the stream where each earlier feature fires, and over all tokens; the dimensions are shared out."""
    width = decoder.shape[1]
    found = np.zeros((n_lower + 1, width))
    for part in numba.prange(parts):
        low, high = part * width // parts, (part + 1) * width // parts
        stream = np.empty(high - low)
        for t in range(len(start) - 1):
            stream[:] = 0.0
            for entry in range(start[t], start[t + 1]):
                for place in range(low, high):
                    stream[place - low] += value[entry] * decoder[feature[entry], place]
            for place in range(low, high):
                found[n_lower, place] += stream[place - low]
            for entry in range(lower_start[t], lower_start[t + 1]):
                for place in range(low, high):
                    found[lower_feature[entry], place] += stream[place - low]
    return found


@parallel_kernel
def _readings(start: Int64, feature: Int32, value: Float32, decoder: Float32, encoder: Float32) -> Float32:
    """Read the stream at each firing, in the order of the tokens."""
    found = np.empty(len(feature), np.float32)
    for t in numba.prange(len(start) - 1):
        stream = np.zeros(decoder.shape[1], np.float32)
        for entry in range(start[t], start[t + 1]):
            stream += value[entry] * decoder[feature[entry]]
        for entry in range(start[t], start[t + 1]):
            found[entry] = np.dot(stream, encoder[feature[entry]])
    return found


@kernel
def _add_content(
    j: int,
    others: Int32,
    encoder: Float32,
    decoder: Float32,
    upper: tuple[Int64, Int32, Float32],
    content: Float32,
) -> float:
    """Add to each token what `j` reads there of features that are its content; returns the sum of all."""
    start, token, value = upper
    total = 0.0
    for k in others:
        along = np.dot(encoder[j], decoder[k])
        for entry in range(start[k], start[k + 1]):
            content[token[entry]] += along * value[entry]
            total += along * value[entry]
    return total


@kernel
def _clear_content(others: Int32, upper: tuple[Int64, Int32, Float32], content: Float32) -> None:
    start, token, _ = upper
    for k in others:
        for t in token[start[k] : start[k + 1]]:
            content[t] = 0.0


@parallel_kernel
def _own_sums(
    lower: tuple[Int64, Int32, Float32],
    upper: tuple[Int64, Int32, Float32],
    n: int,
    encoder: Float32,
    decoder: Float32,
    alike_start: Int64,
    alike: Int32,
    begin: Int64,
    source: Int32,
    blocks: int,
) -> Float64:
    """Sum the content of each target where a pair fires together, then everywhere, (pairs + F_upper,)."""
    start, token, _ = lower
    found = np.zeros(len(source) + len(begin) - 1)
    for block in numba.prange(blocks):
        content = np.zeros(n, np.float32)
        for j in range(block, len(begin) - 1, blocks):
            if begin[j] == begin[j + 1]:
                continue
            others = alike[alike_start[j] : alike_start[j + 1]]
            found[len(source) + j] = _add_content(j, others, encoder, decoder, upper, content)
            for pair in range(begin[j], begin[j + 1]):
                for t in token[start[source[pair]] : start[source[pair] + 1]]:
                    found[pair] += content[t]
            _clear_content(others, upper, content)
    return found


@parallel_kernel
def _firings(
    lower: tuple[Int64, Int32, Float32],
    upper: tuple[Int64, Int32, Float32],
    read: Float32,
    n: int,
    encoder: Float32,
    decoder: Float32,
    threshold: Float32,
    alike_start: Int64,
    alike: Int32,
    begin: Int64,
    source: Int32,
    content: Bool,
    below: Float64,
    blocks: int,
) -> Int64:
    start, token, _ = lower
    upper_start, upper_token, upper_value = upper
    found = np.zeros((len(source), 3), np.int64)
    for block in numba.prange(blocks):
        place = np.full(n, -1, np.int32)
        own = np.zeros(n, np.float32)
        for j in range(block, len(begin) - 1, blocks):
            if begin[j] == begin[j + 1]:
                continue
            first, last = upper_start[j], upper_start[j + 1]
            x = upper_value[first:last]
            others = alike[alike_start[j] : alike_start[j + 1]]
            _add_content(j, others, encoder, decoder, upper, own)
            # what the feature would be without what comes of others
            left = x - read[first:last] + own[upper_token[first:last]]
            _clear_content(others, upper, own)
            for k in range(first, last):
                place[upper_token[k]] = k - first
            for pair in range(begin[j], begin[j + 1]):
                tokens = token[start[source[pair]] : start[source[pair] + 1]]
                if content[pair]:
                    continue
                for t in tokens:
                    k = place[t]
                    if k >= 0:
                        found[pair, 0] += left[k] < threshold[j]
                        found[pair, 1] += x[k] < below[pair]
                found[pair, 2] = (x < below[pair]).sum()
            for k in range(first, last):
                place[upper_token[k]] = -1
    return found
