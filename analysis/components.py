"""Connected components of a graph over features, read as the post reads them.

One large component, standalone modules, and tiny ones (up to three features), which the post found to be
mostly near-duplicates.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from analysis.activations import Int32, Int64
from analysis.numbering import by_size

TINY = 3


@dataclass(frozen=True)
class Components:
    """Components of two features or more, largest first, ties by their lowest feature.

    Parameters
    ----------
    member : shape (F,)
        Number of each feature's component; -1 for a feature without edges.
    size : shape (components,)
        Features of each component.
    """

    member: Int32
    size: Int64

    def features(self, component: int) -> Int64:
        """Return the features of one component, ascending."""
        return np.flatnonzero(self.member == component)


def components_of(source: Int32, target: Int32, n_features: int) -> Components:
    """Find the components of the graph with edges ``{source[e], target[e]}`` over `n_features` features."""
    ones = np.ones(len(source), np.int8)
    graph = coo_array((ones, (source, target)), shape=(n_features, n_features))
    _, label = connected_components(graph, directed=False)
    return Components(*by_size(label, least=2))
