"""Nodewise regression: every feature on its candidates, a LASSO path each, one penalty chosen.

A node is an independent small problem: the moments of its column and its candidates' (``analysis.gram``), a
path of penalties from ``lam_max = max_j |c_j|`` down to a fraction of it (``analysis.lasso``), and a choice
(``analysis.tuning``). Nodes are spread over the threads; each is computed by one, in one fixed order.
"""

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np

from analysis.activations import Bool, Columns, Float32, Float64, Int32, Int64
from analysis.backward import eliminate
from analysis.cholesky import is_positive
from analysis.columns import Moments
from analysis.errors import MisuseError
from analysis.gram import make_links, sparse_products
from analysis.kernel import kernel, parallel_kernel
from analysis.lasso import kkt_residual, lasso_path, penalties
from analysis.loadings import factor_of
from analysis.screen import Candidates
from analysis.tuning import best_by_criterion, best_by_folds

TUNINGS = ("ebic", "bic", "cv")


@dataclass(frozen=True)
class PathSettings:
    """The path of penalties and how one is chosen.

    Parameters
    ----------
    tune
        ``ebic``, ``bic`` or ``cv``.
    steps
        Penalties of a path, at least 2.
    smallest_ratio
        Last penalty over the first, in (0, 1).
    gamma
        Weight of the number of features in EBIC, in [0, 1].
    folds
        Contiguous folds of cross-validation, at least 2.
    """

    tune: str = "ebic"
    steps: int = 30
    smallest_ratio: float = 0.02
    gamma: float = 0.5
    folds: int = 5

    def __post_init__(self) -> None:
        if self.tune not in TUNINGS:
            raise MisuseError(f"--tune is {self.tune!r}; expected one of {', '.join(TUNINGS)}")
        if self.steps < 2 or not 0 < self.smallest_ratio < 1 or not 0 <= self.gamma <= 1 or self.folds < 2:
            raise MisuseError(
                f"{self}: expected steps >= 2, 0 < smallest_ratio < 1, 0 <= gamma <= 1, folds >= 2"
            )


@dataclass(frozen=True)
class Fits:
    """One regression a feature, with its certificate.

    Parameters
    ----------
    coefficient : shape (F, K)
        Standardised coefficient of each candidate; 0 where it was not selected.
    penalty : shape (F,)
        Chosen penalty; 0 for a feature without candidates.
    kkt_residual : shape (F,)
        Violation of the optimality conditions there (units of correlation).
    sweeps : shape (F,)
        Coordinate sweeps over the whole path.
    converged : shape (F,)
        Whether every step of the path converged, those of cross-validation included.
    """

    coefficient: Float64
    penalty: Float64
    kkt_residual: Float64
    sweeps: Int64
    converged: Bool

    def certificate(self) -> dict[str, Any]:
        """Return the worst KKT residual, the nodes fitted and not converged, and the most sweeps."""
        return {
            "nodes": int((self.penalty > 0).sum()),
            "kkt_residual": float(self.kkt_residual.max(initial=0.0)),
            "not_converged": int((~self.converged).sum()),
            "most_sweeps": int(self.sweeps.max(initial=0)),
        }


def nodewise(
    columns: Columns,
    moments: Moments,
    candidates: Candidates,
    settings: PathSettings,
    loading: Float64 | None = None,
    crowd: float = 0.0,
    *,
    refit: bool = False,
) -> Fits:
    """Regress every feature on its candidates.

    Parameters
    ----------
    columns, moments
        One replicate by feature, and its moments.
    candidates
        Of each feature, those with deviation above 0 only.
    settings
        The path and the choice.
    loading : shape (F,), optional
        Loadings on the activity of the token (``analysis.loadings``): products of means are taken times
        ``exp(l_a l_b)``, which leaves of a covariance what the activity does not explain.
    crowd
        Share of the tokens that are crowded, and the factor ``1 + l_a l_b``; 0 where activity is log-normal.
    refit
        Whether the choice is fitted again without the penalty and cleared by backward elimination
        (``analysis.backward``).
    """
    n, n_features = columns.n_tokens, columns.n_features
    folds = settings.folds if settings.tune == "cv" else 1
    return Fits(
        *_nodewise(
            columns.start,
            columns.token,
            columns.value,
            moments.mean,
            moments.deviation,
            np.empty(0) if loading is None else loading,
            crowd,
            candidates.feature,
            fold_edges(n, folds),
            settings.steps,
            settings.smallest_ratio,
            settings.gamma if settings.tune == "ebic" else 0.0,
            np.log(max(n_features - 1, 1)),
            refit,
            4 * numba.get_num_threads(),
        )
    )


def fold_edges(n: int, folds: int) -> Int64:
    """Edges of `folds` runs of neighbours among `n` tokens, the first ``n % folds`` one token longer."""
    sizes = np.full(folds, n // folds)
    sizes[: n % folds] += 1
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


@kernel
def _candidates_of(candidate: Int32, i: int, chosen: Int32) -> int:
    """List the candidates of feature `i`, itself behind the last; returns how many candidates there are."""
    size = 0
    while size < candidate.shape[1] and candidate[i, size] >= 0:
        chosen[size] = candidate[i, size]
        size += 1
    chosen[size] = i
    return size


@kernel
def _most_entries(start: Int64, candidate: Int32) -> int:
    """Most activations of a feature and its candidates together."""
    chosen = np.empty(candidate.shape[1] + 1, np.int32)
    most = 0
    for i in range(len(candidate)):
        entries = 0
        for j in chosen[: _candidates_of(candidate, i, chosen) + 1]:
            entries += start[j + 1] - start[j]
        most = max(most, entries)
    return most


@kernel
def _centre(
    squares: Float64,
    n: int,
    mean: Float64,
    deviation: Float64,
    loading: Float64,
    crowd: float,
    chosen: Int32,
    gram: Float64,
) -> None:
    """Fill `gram` with the correlations of the chosen columns; `loading` may be empty."""
    ratio = np.empty(len(chosen))
    for a in range(len(chosen)):
        ratio[a] = mean[chosen[a]] / deviation[chosen[a]]
    for a in range(len(chosen)):
        for b in range(a + 1):
            product = 0.0
            for fold in range(len(squares)):
                product += squares[fold, a, b]
            centre = ratio[a] * ratio[b]
            if a != b and len(loading):
                centre *= factor_of(loading[chosen[a]] * loading[chosen[b]], crowd)
            gram[a, b] = product / n - centre
            gram[b, a] = gram[a, b]


@parallel_kernel
def _nodewise(
    start: Int64,
    token: Int32,
    value: Float32,
    mean: Float64,
    deviation: Float64,
    loading: Float64,
    crowd: float,
    candidate: Int32,
    edge: Int64,
    steps: int,
    smallest_ratio: float,
    gamma: float,
    log_others: float,
    refit: bool,
    blocks: int,
) -> tuple[Float64, Float64, Float64, Int64, Bool]:
    n_features, k = candidate.shape
    folds = len(edge) - 1
    n = edge[folds]
    coefficient = np.zeros((n_features, k))
    penalty = np.zeros(n_features)
    residual = np.zeros(n_features)
    sweeps = np.zeros(n_features, np.int64)
    converged = np.ones(n_features, np.bool_)
    tokens = np.diff(edge).astype(np.float64)
    most = _most_entries(start, candidate)
    for block in numba.prange(blocks):
        links = make_links(n, most)
        sums = np.zeros((folds, k + 1))
        squares = np.zeros((folds, k + 1, k + 1))
        gram = np.zeros((k + 1, k + 1))
        chosen = np.empty(k + 1, np.int32)
        for i in range(block, n_features, blocks):
            size = _candidates_of(candidate, i, chosen)
            if size == 0:
                continue
            columns = chosen[: size + 1]
            sparse_products(start, token, value, deviation, columns, edge, links, sums, squares)
            _centre(squares, n, mean, deviation, loading, crowd, columns, gram)
            if len(loading) and not is_positive(gram, size + 1):
                # What the activity is said to explain is more than there is: here it explains nothing.
                _centre(squares, n, mean, deviation, loading[:0], crowd, columns, gram)
            moment = gram[size, :size].copy()
            path = penalties(np.abs(moment).max(), smallest_ratio, steps)
            betas, gradients, taken, good = lasso_path(gram, moment, path, size)
            if folds == 1:
                step = best_by_criterion(betas, gradients, moment, n, gamma, log_others)
            else:
                step, folds_good = best_by_folds(sums, squares, tokens, path, size)
                good = good and folds_good
            penalty[i] = path[step]
            residual[i] = kkt_residual(gram, moment, betas[step], path[step], size)
            if refit:
                eliminate(gram, moment, betas[step], n, np.log(n) + 2.0 * gamma * log_others)
            coefficient[i, :size] = betas[step]
            sweeps[i] = taken
            converged[i] = good
    return coefficient, penalty, residual, sweeps, converged
