"""LASSO paths of many nodes side by side, each with its penalty chosen by EBIC or BIC.

The problems, penalties, tolerance and criterion are those of ``analysis.lasso`` and ``analysis.tuning``; the
order of the coordinates is another. All coordinates' updates are known from the gradient at once, so each
step takes the largest of them (Gauss and Southwell's rule; of equal ones one that is active, then the
first)::

    new_j = soft(g_j + G_jj b_j, lam) / G_jj        j = argmax |new_j - b_j|        g -= (new_j - b_j) G_j

and the last step is where none is above the tolerance. Both orders end at the minimum; a coefficient within
the tolerance of 0 may be 0 in one and not in the other.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from analysis.cuda.workspace import Workspace
from analysis.lasso import LEAST_VARIANCE, MAX_SWEEPS, TOLERANCE
from analysis.nodewise import PathSettings
from analysis.tuning import LEAST_RSS

PREFERENCE = 1.0 + 2.0**-20
"""How much larger the update of an inactive coordinate must be to go before an active one's: of two equal
columns one keeps the whole coefficient, as in cyclic descent, instead of rounding deciding at each step."""


@dataclass(frozen=True)
class Problems:
    """Regressions with second moments, and what they share.

    Parameters
    ----------
    gram : shape (N, K, K), float64
        ``G``; rows and columns behind a node's last candidate are 0.
    moment : shape (N, K), float64
        ``c``.
    fractions : shape (steps,), float64
        Penalties over the first, which is ``max |c|``; falling.
    n_tokens
        ``n`` in the criterion.
    price
        What the criterion asks for a coefficient: ``log n + 2 gamma log(F - 1)``.
    """

    gram: Tensor
    moment: Tensor
    fractions: Tensor
    n_tokens: int
    price: float


@dataclass(frozen=True)
class Solutions:
    """The chosen step of every node: its coefficients (N, K) and penalty (N,), and how the path went (N,)."""

    beta: Tensor
    penalty: Tensor
    steps: Tensor
    converged: Tensor


def problems_of(
    gram: Tensor, moment: Tensor, n_tokens: int, log_others: float, settings: PathSettings
) -> Problems:
    """Return the problems of a path with `settings`, ``log_others = log(F - 1)``."""
    gamma = settings.gamma if settings.tune == "ebic" else 0.0
    falling = [settings.smallest_ratio ** (step / (settings.steps - 1.0)) for step in range(settings.steps)]
    fractions = torch.tensor(falling, dtype=torch.float64, device=gram.device)
    price = float(torch.tensor(float(n_tokens), dtype=torch.float64).log()) + 2.0 * gamma * log_others
    return Problems(gram, moment, fractions, n_tokens, price)


def solve(problems: Problems, workspace: Workspace) -> Solutions:
    """Solve all paths and choose."""
    if workspace.triton:
        from analysis.cuda.path_kernel import paths  # noqa: PLC0415  # triton is there only with CUDA

        return paths(problems)
    return _solve(problems)


def kkt_residuals(problems: Problems, solutions: Solutions) -> Tensor:
    """Largest violation of the optimality conditions of every node, the gradients computed afresh."""
    gradient = problems.moment - torch.bmm(problems.gram, solutions.beta[:, :, None])[:, :, 0]
    penalty = solutions.penalty[:, None]
    active = solutions.beta != 0
    violation = torch.where(
        active, (gradient - penalty * solutions.beta.sign()).abs(), (gradient.abs() - penalty).clamp(min=0.0)
    )
    usable = problems.gram.diagonal(dim1=1, dim2=2) >= LEAST_VARIANCE
    return torch.where(usable, violation, 0.0).amax(dim=1)


def _solve(problems: Problems) -> Solutions:
    """Solve in torch, all nodes in lockstep; those that are done leave."""
    moment = problems.moment
    largest = moment.abs().amax(dim=1)
    beta, gradient = torch.zeros_like(moment), moment.clone()
    best, chosen = beta.clone(), largest.clone()
    least = torch.full_like(largest, torch.inf)
    steps = torch.zeros(len(moment), dtype=torch.int64, device=moment.device)
    converged = torch.ones(len(moment), dtype=torch.bool, device=moment.device)
    for fraction in problems.fractions:
        penalty = largest * fraction
        _descend(problems.gram, beta, gradient, penalty, steps, converged)
        rss = (1.0 - (beta * (moment + gradient)).sum(dim=1)).clamp(min=LEAST_RSS)
        score = problems.n_tokens * rss.log() + (beta != 0).sum(dim=1) * problems.price
        better = score < least
        least = torch.where(better, score, least)
        chosen = torch.where(better, penalty, chosen)
        best = torch.where(better[:, None], beta, best)
    return Solutions(best, chosen, steps, converged)


def _descend(
    gram: Tensor, beta: Tensor, gradient: Tensor, penalty: Tensor, steps: Tensor, converged: Tensor
) -> None:
    """Minimise at one `penalty` a node from `beta`; it, the gradient and the last two are updated."""
    live = torch.arange(len(beta), device=beta.device)
    b, g, limit, rows = beta.clone(), gradient.clone(), penalty[:, None], gram
    for step in range(MAX_SWEEPS * beta.shape[1] + 1):
        diagonal = rows.diagonal(dim1=1, dim2=2)
        usable = diagonal >= LEAST_VARIANCE
        pull = g + diagonal * b
        shrunk = (pull - limit).clamp(min=0.0) + (pull + limit).clamp(max=0.0)
        new = shrunk * (1.0 / torch.where(usable, diagonal, 1.0))
        change = torch.where(usable, new - b, 0.0)
        largest, at = torch.where(b != 0, change * PREFERENCE, change).abs().max(dim=1, keepdim=True)
        going = largest[:, 0] >= TOLERANCE
        if step == MAX_SWEEPS * beta.shape[1]:
            converged[live[going]] = False
            going = torch.zeros_like(going)
        # Those that are done stay, unchanged, until they are many: to leave is to copy all others' moments.
        if int(going.sum()) < 0.7 * len(live) or not going.any():
            done = live[~going]
            beta[done], gradient[done] = b[~going], g[~going]
            live, b, g, limit, rows = live[going], b[going], g[going], limit[going], gram[live[going]]
            new, change, at, going = new[going], change[going], at[going], going[going]
        if not len(live):
            return
        g -= (change * going[:, None]).gather(1, at) * rows.gather(
            1, at[:, :, None].expand(-1, -1, rows.shape[2])
        )[:, 0]
        b.scatter_(1, at, torch.where(going[:, None], new, b).gather(1, at))
        steps[live] += going
