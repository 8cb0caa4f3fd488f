"""The K largest correlations of a feature, kept in a heap with the worst on top.

Ties are broken by index, so what is kept does not depend on the order of arrival.
"""

from analysis.activations import Float64, Int32
from analysis.kernel import kernel


@kernel
def worse(r_a: float, j_a: int, r_b: float, j_b: int) -> bool:
    """Order of candidates: smaller |r| is worse, of equal ones the larger index."""
    return abs(r_a) < abs(r_b) or (abs(r_a) == abs(r_b) and j_a > j_b)


@kernel
def _sink(r: Float64, j: Int32, root: int, size: int) -> None:
    """Restore the heap (worst on top) below `root`."""
    while True:
        child = 2 * root + 1
        if child >= size:
            return
        if child + 1 < size and worse(r[child + 1], j[child + 1], r[child], j[child]):
            child += 1
        if not worse(r[child], j[child], r[root], j[root]):
            return
        r[child], r[root] = r[root], r[child]
        j[child], j[root] = j[root], j[child]
        root = child


@kernel
def offer(r: Float64, j: Int32, size: int, new_r: float, new_j: int) -> int:
    """Offer one candidate to a heap of at most ``len(r)``; returns its size."""
    most = len(r)
    if size == most:
        if worse(r[0], j[0], new_r, new_j):
            r[0] = new_r
            j[0] = new_j
            _sink(r, j, 0, size)
        return size
    r[size] = new_r
    j[size] = new_j
    size += 1
    if size == most:
        for root in range(most // 2 - 1, -1, -1):
            _sink(r, j, root, most)
    return size


@kernel
def sort_best_first(r: Float64, j: Int32, size: int) -> None:
    """Sort the first `size` entries, largest |r| first."""
    for a in range(1, size):
        r_a, j_a = r[a], j[a]
        b = a - 1
        while b >= 0 and worse(r[b], j[b], r_a, j_a):
            r[b + 1], j[b + 1] = r[b], j[b]
            b -= 1
        r[b + 1], j[b + 1] = r_a, j_a
