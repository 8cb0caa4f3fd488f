"""How well sets of features coincide with known classes of tokens.

The phi coefficient of two events over ``n`` tokens, ``a`` with the first, ``b`` with the second, ``c`` with
both, is the Pearson correlation of their indicators::

    phi = (n c - a b) / sqrt(a (n - a) b (n - b))
"""

import numpy as np
from scipy.sparse import csr_array

from analysis.activations import Activations, Float64, Int32


def fires_any(activations: Activations, group: Int32, groups: int) -> csr_array:
    """Indicate, tokens x groups, where any feature of a group fires; group -1 is none."""
    feature = csr_array(
        (np.ones(len(activations.feature), np.int32), activations.feature, activations.start),
        shape=(activations.n_tokens, activations.n_features),
    )
    chosen = np.flatnonzero(group >= 0)
    belongs = csr_array(
        (np.ones(len(chosen), np.int32), (chosen, group[chosen])), shape=(activations.n_features, groups)
    )
    found = csr_array(feature @ belongs)
    found.data[:] = 1
    return found


def phi(first: csr_array, second: csr_array) -> Float64:
    """Phi coefficients between the columns of two indicators over the same tokens; 0 for a constant."""
    n = float(first.shape[0])
    both = (first.T @ second).toarray().astype(np.float64)
    a = np.asarray(first.sum(axis=0), np.float64)[:, np.newaxis]
    b = np.asarray(second.sum(axis=0), np.float64)[np.newaxis, :]
    scale = np.sqrt(a * (n - a) * b * (n - b))
    return np.asarray(
        np.divide(n * both - a * b, scale, out=np.zeros_like(both), where=scale > 0), np.float64
    )
