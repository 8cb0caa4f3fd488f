"""Groups numbered so that the same grouping always has the same numbers."""

import numpy as np

from analysis.activations import Int32, Int64


def by_size(label: Int32 | Int64, least: int = 1) -> tuple[Int32, Int64]:
    """Give groups numbers, largest first, ties by their lowest member.

    Parameters
    ----------
    label : shape (n,)
        Any number for each member, equal in a group, 0 or more.
    least
        Smaller groups have the number -1.

    Returns
    -------
    Number of each member's group, shape (n,), and the size of each group, shape (groups,).
    """
    sizes = np.bincount(label)
    first = np.full(len(sizes), len(label))
    np.minimum.at(first, label, np.arange(len(label)))
    order = np.lexsort((first, -sizes))
    order = order[sizes[order] >= least]
    number = np.full(len(sizes), -1, np.int32)
    number[order] = np.arange(len(order), dtype=np.int32)
    return number[label], sizes[order].astype(np.int64)
