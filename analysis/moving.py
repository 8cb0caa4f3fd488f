"""The two steps of Leiden that look at every piece: moving pieces, and merging them within communities.

Traag, Waltman and van Eck, "From Louvain to Leiden" (2019), with a null model for each layer. A piece that
moves leaves work to its neighbours only, so a queue holds those that are still to be looked at. Merging takes
the best community instead of a random good one, in a random order of the pieces.
"""

import numpy as np

from analysis.activations import Float64, Int32, Int64
from analysis.kernel import kernel
from analysis.level import Level

_LEAST = 1e-12
"""A gain below this is rounding."""


def moved(level: Level, label: Int32, order: Int64) -> Int32:
    """Move single pieces to other communities while that gains quality.

    Parameters
    ----------
    level
        The pieces.
    label : shape (n,)
        Community of each piece, 0..n-1.
    order : shape (n,)
        In which they are looked at first.
    """
    return _moved(*_arrays(level), label.copy(), order)


def merged(level: Level, label: Int32, order: Int64) -> tuple[Int32, int]:
    """Merge pieces within their communities, each into the one that gains most, if any gains.

    Returns
    -------
    The larger piece of each, and how many there are.
    """
    larger = _merged(*_arrays(level), label, order)
    names, number = np.unique(larger, return_inverse=True)
    return number.astype(np.int32), len(names)


def _arrays(level: Level) -> tuple[Int64, Int32, Float64, Int64, Int32, Float64, Float64]:
    return (
        *(level.start, level.neighbor, level.weight),
        *(level.mass_start, level.mass_layer, level.mass, level.scale),
    )


@kernel
def _add(
    mass_start: Int64, mass_layer: Int32, mass: Float64, held: Float64, i: int, c: int, sign: float
) -> None:
    """Add what piece `i` has of each layer to what community `c` holds, or take it off."""
    for at in range(mass_start[i], mass_start[i + 1]):
        held[c, mass_layer[at]] += sign * mass[at]


@kernel
def _expected(
    mass_start: Int64, mass_layer: Int32, mass: Float64, scale: Float64, held: Float64, i: int, c: int
) -> float:
    """Return what the null model expects between piece `i` and what community `c` holds."""
    total = 0.0
    for at in range(mass_start[i], mass_start[i + 1]):
        total += scale[mass_layer[at]] * mass[at] * held[c, mass_layer[at]]
    return total


@kernel
def _moved(  # noqa: PLR0915  one loop of a kernel, whose state is too much to hand on
    start: Int64,
    neighbor: Int32,
    weight: Float64,
    mass_start: Int64,
    mass_layer: Int32,
    mass: Float64,
    scale: Float64,
    label: Int32,
    order: Int64,
) -> Int32:
    n = len(label)
    held = np.zeros((n, len(scale)))
    size = np.zeros(n, np.int64)
    for i in range(n):
        size[label[i]] += 1
        _add(mass_start, mass_layer, mass, held, i, label[i], 1.0)
    empty = np.flatnonzero(size == 0)
    free = np.empty(n, np.int64)
    free[: len(empty)] = empty
    n_free = len(empty)
    queue, waits = order.copy(), np.ones(n, np.bool_)
    head, count = 0, n
    joined, seen, near = np.zeros(n), np.full(n, -1, np.int64), np.empty(n, np.int64)
    while count:
        i = queue[head]
        head = (head + 1) % n
        count -= 1
        waits[i] = False
        old = label[i]
        n_near = 0
        for e in range(start[i], start[i + 1]):
            c = label[neighbor[e]]
            if seen[c] != i:
                seen[c] = i
                joined[c] = 0.0
                near[n_near] = c
                n_near += 1
            joined[c] += weight[e]
        _add(mass_start, mass_layer, mass, held, i, old, -1.0)
        size[old] -= 1
        stay = joined[old] if seen[old] == i else 0.0
        stay -= _expected(mass_start, mass_layer, mass, scale, held, i, old)
        best, most = old, stay + _LEAST
        for k in range(n_near):
            c = near[k]
            gain = joined[c] - _expected(mass_start, mass_layer, mass, scale, held, i, c)
            if c != old and gain > most:
                best, most = c, gain
        if most < 0.0 and size[old] > 0:
            n_free -= 1
            best = free[n_free]
        if size[old] == 0 and best != old:
            free[n_free] = old
            n_free += 1
        # marks are by piece, and the piece may be looked at again
        for k in range(n_near):
            seen[near[k]] = -1
        label[i] = best
        size[best] += 1
        _add(mass_start, mass_layer, mass, held, i, best, 1.0)
        if best != old:
            for e in range(start[i], start[i + 1]):
                j = neighbor[e]
                if label[j] != best and not waits[j]:
                    waits[j] = True
                    queue[(head + count) % n] = j
                    count += 1
    return label


@kernel
def _merged(
    start: Int64,
    neighbor: Int32,
    weight: Float64,
    mass_start: Int64,
    mass_layer: Int32,
    mass: Float64,
    scale: Float64,
    label: Int32,
    order: Int64,
) -> Int64:
    n = len(label)
    whole, held = np.zeros((n, len(scale))), np.zeros((n, len(scale)))
    piece, size = np.arange(n), np.ones(n, np.int64)
    for i in range(n):
        _add(mass_start, mass_layer, mass, whole, i, label[i], 1.0)
        _add(mass_start, mass_layer, mass, held, i, i, 1.0)
    joined, seen, near = np.zeros(n), np.full(n, -1, np.int64), np.empty(n, np.int64)
    for i in order:
        if size[i] != 1 or piece[i] != i:
            continue
        n_near, inside = 0, 0.0
        for e in range(start[i], start[i + 1]):
            if label[neighbor[e]] != label[i]:
                continue
            c = piece[neighbor[e]]
            if seen[c] != i:
                seen[c] = i
                joined[c] = 0.0
                near[n_near] = c
                n_near += 1
            joined[c] += weight[e]
            inside += weight[e]
        # what its own community does not hold is left alone, for the next level to move
        _add(mass_start, mass_layer, mass, whole, i, label[i], -1.0)
        inside -= _expected(mass_start, mass_layer, mass, scale, whole, i, label[i])
        _add(mass_start, mass_layer, mass, whole, i, label[i], 1.0)
        if inside < 0.0:
            continue
        best, most = i, _LEAST
        for k in range(n_near):
            c = near[k]
            gain = joined[c] - _expected(mass_start, mass_layer, mass, scale, held, i, c)
            if gain > most:
                best, most = c, gain
        if best != i:
            piece[i] = best
            size[best] += 1
            size[i] = 0
            _add(mass_start, mass_layer, mass, held, i, best, 1.0)
            _add(mass_start, mass_layer, mass, held, i, i, -1.0)
    return piece
