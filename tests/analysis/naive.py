"""Slow, obvious twins of the kernels: dense arrays, loops and reference libraries."""

import itertools
import warnings

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LassoCV, lasso_path
from sklearn.model_selection import KFold

from analysis.activations import Activations, Columns
from analysis.columns import Moments
from analysis.screen import BINS, least_bin, p_of_r, r_of_p

Dense = NDArray[np.float64]


def dense(activations: Activations | Columns) -> Dense:
    """Tokens x features."""
    x = np.zeros((activations.n_tokens, activations.n_features))
    if isinstance(activations, Columns):
        for i in range(activations.n_features):
            for entry in range(activations.start[i], activations.start[i + 1]):
                x[activations.token[entry], i] = activations.value[entry]
        return x
    for t in range(activations.n_tokens):
        for entry in range(activations.start[t], activations.start[t + 1]):
            x[t, activations.feature[entry]] = activations.value[entry]
    return x


def sparse(x: Dense) -> Activations:
    """Activations of a dense array."""
    token, feature = np.nonzero(x)
    start = np.searchsorted(token, np.arange(len(x) + 1)).astype(np.int64)
    return Activations(start, feature.astype(np.int32), x[token, feature].astype(np.float32), x.shape[1])


def standardised(x: Dense) -> Dense:
    return np.asarray((x - x.mean(axis=0)) / x.std(axis=0), np.float64)


def correlations(x: Dense) -> Dense:
    s = standardised(x)
    return np.asarray(s.T @ s / len(s), np.float64)


def benjamini_hochberg(p: Dense, q: float, tests: int) -> NDArray[np.bool_]:
    """Rejections among `p`, the other ``tests - len(p)`` tests having p = 1."""
    order = np.argsort(p, kind="stable")
    passing = [rank for rank, place in enumerate(order, start=1) if p[place] <= q * rank / tests]
    rejected = np.zeros(len(p), bool)
    if passing:
        rejected[order[: max(passing)]] = True
    return rejected


def screened(x: Dense, part: NDArray[np.bool_], q: float, k: int) -> tuple[list[list[int]], Dense, Dense]:
    """Candidates of each feature, all correlations, and z of all pairs."""
    n, n_features = x.shape
    r = np.zeros((n_features, n_features))
    takes = np.flatnonzero(part)
    if len(takes) > 1:
        r[np.ix_(takes, takes)] = correlations(x[:, takes])
    pairs = list(itertools.combinations(takes.tolist(), 2))
    z = np.arctanh(np.clip(r, -1 + 1e-15, 1 - 1e-15)) * np.sqrt(n - 3)
    p = np.array([2 * norm.sf(abs(z[i, j])) for i, j in pairs])
    passing = benjamini_hochberg(p, q, n_features * (n_features - 1) // 2)
    neighbours: list[list[int]] = [[] for _ in range(n_features)]
    for (i, j), passes in zip(pairs, passing, strict=True):
        if passes:
            neighbours[i].append(j)
            neighbours[j].append(i)
    for i, found in enumerate(neighbours):
        found.sort(key=lambda j: (-abs(r[i, j]), j))
        del found[k:]
    return neighbours, r, z


def products_in_order(x: Dense, y: Dense) -> float:
    """Sum of ``x_t y_t`` over the tokens at which both fire, one after the other."""
    total = 0.0
    for t in np.flatnonzero((x > 0) & (y > 0)):
        total += float(x[t]) * float(y[t])
    return total


def screened_in_order(
    x: Dense, moments: Moments, part: NDArray[np.bool_], q: float, k: int
) -> tuple[list[list[tuple[int, float]]], float, int]:
    """Screen pair by pair, in the arithmetic of the kernels to the last bit.

    Every pair goes into the histogram and the lists of both its ends, which are sorted and cut at the end.
    Returns the lists of (candidate, correlation), the threshold and how many pairs pass.
    """
    n, n_features = x.shape
    pairs = n_features * (n_features - 1) // 2
    ceiling = r_of_p(q / pairs, n)
    histogram = np.zeros(BINS + 1, np.int64)
    found: list[list[tuple[int, float]]] = [[] for _ in range(n_features)]
    for i, j in itertools.combinations(np.flatnonzero(part).tolist(), 2):
        scale = (1.0 / moments.deviation[i]) * (1.0 / moments.deviation[j])
        margins = (moments.mean[i] / moments.deviation[i]) * (moments.mean[j] / moments.deviation[j])
        r = float(products_in_order(x[:, i], x[:, j]) / n * scale - margins)
        histogram[int(min(BINS, abs(r) * (BINS / ceiling)))] += 1
        found[i].append((j, r))
        found[j].append((i, r))
    edges = ceiling * np.arange(BINS + 1) / BINS
    least, passed = least_bin(histogram, p_of_r(edges, n), pairs, q)
    for row in found:
        row[:] = [c for c in row if int(min(BINS, abs(c[1]) * (BINS / ceiling))) >= least]
        row.sort(key=lambda c: (-abs(c[1]), c[0]))
        del row[k:]
    return found, least * ceiling / BINS if passed else np.inf, passed


def path_of(x: Dense, i: int, chosen: list[int], steps: int, ratio: float) -> tuple[Dense, Dense]:
    """Penalties and scikit-learn's coefficients, shapes (steps,) and (candidates, steps)."""
    s = standardised(x[:, [*chosen, i]])
    largest = np.abs(s[:, :-1].T @ s[:, -1]).max() / len(s)
    penalties = largest * ratio ** (np.arange(steps) / (steps - 1))
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        _, coefficient, _ = lasso_path(s[:, :-1], s[:, -1], alphas=penalties, tol=1e-12, max_iter=200_000)
    return penalties, coefficient


def ebic_choice(x: Dense, i: int, chosen: list[int], coefficient: Dense, gamma: float) -> int:
    s = standardised(x[:, [*chosen, i]])
    n, n_features = x.shape
    scores = []
    for step in range(coefficient.shape[1]):
        b = coefficient[:, step]
        rss = float(((s[:, -1] - s[:, :-1] @ b) ** 2).sum())
        df = np.count_nonzero(b)
        scores.append(n * np.log(rss / n) + df * np.log(n) + 2 * gamma * df * np.log(n_features - 1))
    return int(np.argmin(scores))


def cv_choice(x: Dense, i: int, chosen: list[int], penalties: Dense, folds: int) -> int:
    s = standardised(x[:, [*chosen, i]])
    model = LassoCV(alphas=penalties, cv=KFold(folds), tol=1e-12, max_iter=200_000)
    model.fit(s[:, :-1], s[:, -1])
    return int(np.argmin(np.abs(penalties - model.alpha_)))


def mutual(
    neighbours: list[list[int]], coefficients: list[Dense]
) -> tuple[dict[tuple[int, int], float], int]:
    """AND rule over lists: edges with weights, and the number of opposed pairs."""
    b = {
        (i, j): float(c)
        for i, row in enumerate(neighbours)
        for j, c in zip(row, coefficients[i], strict=True)
    }
    edges, opposed = {}, 0
    for (i, j), forward in b.items():
        backward = b.get((j, i), 0.0)
        if i >= j or forward == 0 or backward == 0:
            continue
        if forward * backward < 0:
            opposed += 1
        else:
            edges[i, j] = np.sign(forward) * np.sqrt(forward * backward)
    return edges, opposed
