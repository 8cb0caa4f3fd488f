"""The K best partners of a feature: the largest |score|, ties broken by index.

A list has room for more than K. What might be among the K best is put behind the others, and when the room is
full all but the K best are thrown out, so that most offers cost one comparison and the others, nearly always,
one write. What is kept does not depend on the order of arrival.
"""

from analysis.activations import Float64, Int32
from analysis.kernel import kernel


@kernel
def worse(score_a: float, j_a: int, score_b: float, j_b: int) -> bool:
    """Order of candidates: smaller |score| is worse, of equal ones the larger index."""
    return abs(score_a) < abs(score_b) or (abs(score_a) == abs(score_b) and j_a > j_b)


@kernel
def _swap(score: Float64, j: Int32, a: int, b: int) -> None:
    score[a], score[b] = score[b], score[a]
    j[a], j[b] = j[b], j[a]


@kernel
def _split(score: Float64, j: Int32, first: int, last: int) -> int:
    """Put what is better than some pivot before it and what is worse behind; returns where it came to lie.

    The pivot is the middle of three, so a list in order is no bad case.
    """
    middle = (first + last) // 2
    if worse(score[first], j[first], score[middle], j[middle]):
        _swap(score, j, first, middle)
    if worse(score[middle], j[middle], score[last], j[last]):
        _swap(score, j, middle, last)
        if worse(score[first], j[first], score[middle], j[middle]):
            _swap(score, j, first, middle)
    _swap(score, j, middle, last)
    better = first
    for place in range(first, last):
        if worse(score[last], j[last], score[place], j[place]):
            _swap(score, j, better, place)
            better += 1
    _swap(score, j, better, last)
    return better


@kernel
def keep_best(score: Float64, j: Int32, size: int, k: int) -> int:
    """Bring the `k` best of the first `size` to the front, the worst of them last; returns their number."""
    if size < k:
        return size
    first, last = 0, size - 1
    while first < last:
        at = _split(score, j, first, last)
        if at == k - 1:
            break
        if at < k - 1:
            first = at + 1
        else:
            last = at - 1
    return k


@kernel
def sort_best_first(score: Float64, j: Int32, size: int) -> None:
    """Sort the first `size` entries, largest |score| first."""
    for a in range(1, size):
        score_a, j_a = score[a], j[a]
        b = a - 1
        while b >= 0 and worse(score[b], j[b], score_a, j_a):
            score[b + 1], j[b + 1] = score[b], j[b]
            b -= 1
        score[b + 1], j[b + 1] = score_a, j_a
