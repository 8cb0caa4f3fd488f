"""What tokens that no procedure has read say of an edge.

The generator plants classes of words, not a graph over what an SAE learned of them, so there is no exact
truth about an edge. But some replicates are kept back from both procedures, and on their tokens every pair
has a partial correlation given all other features, with no choice of neighbours in it::

    P = R^-1                                R the correlations of the features
    rho_ij = -P_ij / sqrt(P_ii P_jj)

A pair that depends through other features alone has a rho about 0, as often below as above; an edge that
stands keeps its sign. So twice the share of edges whose sign turns estimates the share that is false. It is
a check by another road, no truth: it is linear where features are not, so a false edge may have a rho off 0
and keep its sign, and an edge that stands may have one of the other sign. It reads either whether features
fire, as the calibrated procedure does, or how strongly, as the published one does, and the two disagree.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.sparse import csr_array

from analysis.activations import Float64
from ingest.samples_directory import SamplesDirectory

_LEAST_FIRINGS = 20
"""Firings on the fresh tokens below which a feature says nothing."""
_RIDGE = 1e-6
"""Added to the diagonal of R, for features that always fire together."""


@dataclass(frozen=True)
class Sums:
    """Sums over tokens of features and of their products.

    Parameters
    ----------
    products : shape (F, F)
        Of pairs; where states are summed, the tokens at which both fire.
    total, fires : shape (F,)
        Of each feature; tokens at which it fires.
    tokens
        Number of tokens.
    """

    products: Float64
    total: Float64
    fires: Float64
    tokens: int


def sums_of(samples: SamplesDirectory, replicates: range, states: bool) -> Sums:
    """Sum over some replicates, of firing states (0 or 1) or of activations."""
    count = samples.n_features
    products, total, fires, tokens = np.zeros((count, count)), np.zeros(count), np.zeros(count), 0
    for k in replicates:
        read = samples.read(k).activations
        value = np.ones(len(read.feature)) if states else read.value.astype(np.float64)
        rows = csr_array((value, read.feature, read.start), shape=(read.n_tokens, count))
        products += (rows.T @ rows).toarray()
        total += np.bincount(read.feature, value, count)
        fires += np.bincount(read.feature, minlength=count)
        tokens += read.n_tokens
    return Sums(products, total, fires, tokens)


def partial_correlations(sums: Sums) -> Float64:
    """Return rho of every pair, shape (F, F); nan where a feature fires too rarely to say anything."""
    mean = sums.total / sums.tokens
    covariance = sums.products / sums.tokens - np.outer(mean, mean)
    part = np.flatnonzero((sums.fires >= _LEAST_FIRINGS) & (covariance.diagonal() > 0))
    spread = np.sqrt(covariance.diagonal()[part])
    correlation = covariance[np.ix_(part, part)] / np.outer(spread, spread)
    inverse = np.linalg.inv(correlation + _RIDGE * np.eye(len(part)))
    scale = np.sqrt(inverse.diagonal())
    rho = np.full(covariance.shape, np.nan)
    rho[np.ix_(part, part)] = -inverse / np.outer(scale, scale)
    np.fill_diagonal(rho, np.nan)
    return rho


def false_share(edges: pl.DataFrame, rho: Float64) -> float:
    """Estimate the share of `edges` that is false; nan without an edge that `rho` can judge."""
    found = rho[edges["source"].to_numpy(), edges["target"].to_numpy()] * edges["weight"].to_numpy()
    judged = found[~np.isnan(found)]
    return min(1.0, 2 * float((judged < 0).mean())) if len(judged) else np.nan
