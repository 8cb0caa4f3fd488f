# mypy: disable-error-code="no-untyped-def, untyped-decorator, import-untyped"
# ruff: noqa: ANN001, ANN202
# Triton ships without types, and its functions are compiled from what it is given, not from annotations.
"""The Triton kernel of the LASSO paths, one program a node.

It computes what ``lasso._solve`` computes in torch, step by step. A node's coefficients and gradient stay in
the registers of one warp; of the second moments a step reads one row.
"""

import torch
import triton
import triton.language as tl

from analysis.cuda.lasso import PREFERENCE, Problems, Solutions
from analysis.lasso import LEAST_VARIANCE, MAX_SWEEPS, TOLERANCE
from analysis.tuning import LEAST_RSS


def paths(problems: Problems) -> Solutions:
    """Solve all paths, one program a node, and choose by the criterion."""
    n_nodes, k = problems.moment.shape
    device = problems.moment.device
    beta = torch.zeros_like(problems.moment)
    penalty = torch.zeros(n_nodes, dtype=torch.float64, device=device)
    steps = torch.zeros(n_nodes, dtype=torch.int64, device=device)
    converged = torch.zeros(n_nodes, dtype=torch.int8, device=device)
    numbers = (float(problems.n_tokens), problems.price, TOLERANCE, LEAST_VARIANCE, LEAST_RSS, PREFERENCE)
    _path[(n_nodes,)](
        problems.gram,
        problems.moment,
        problems.fractions,
        torch.tensor(numbers, dtype=torch.float64, device=device),
        beta,
        penalty,
        steps,
        converged,
        k,
        len(problems.fractions),
        MAX_SWEEPS * k,
        WIDTH=max(2, triton.next_power_of_2(k)),
        num_warps=1,
        enable_fp_fusion=False,
    )
    return Solutions(beta, penalty, steps, converged.bool())


@triton.jit
def _updates(beta, g, diagonal, inverse, usable, penalty, preference):
    pull = g + diagonal * beta
    new = (tl.maximum(pull - penalty, 0.0) + tl.minimum(pull + penalty, 0.0)) * inverse
    change = tl.where(usable, new - beta, 0.0)
    return new, change, tl.abs(tl.where(beta != 0.0, change * preference, change))


@triton.jit(do_not_specialize=["count", "most"])
def _path(
    gram,
    moment,
    fractions,
    numbers,
    best_beta,
    best_penalty,
    all_steps,
    all_converged,
    k,
    count,
    most,
    WIDTH: tl.constexpr,
):
    node = tl.program_id(0).to(tl.int64)
    j = tl.arange(0, WIDTH)
    inside = j < k
    rows = gram + node * k * k
    c = tl.load(moment + node * k + j, mask=inside, other=0.0)
    diagonal = tl.load(rows + j * k + j, mask=inside, other=0.0)
    n = tl.load(numbers)
    price = tl.load(numbers + 1)
    tolerance = tl.load(numbers + 2)
    usable = diagonal >= tl.load(numbers + 3)
    least_rss = tl.load(numbers + 4)
    preference = tl.load(numbers + 5)
    inverse = 1.0 / tl.where(usable, diagonal, 1.0)
    largest = tl.max(tl.abs(c), axis=0)
    beta = c * 0.0
    g = c
    best = beta
    chosen = largest
    least = largest * 0.0 + float("inf")
    steps = node * 0
    converged = node >= 0
    step = 0
    while step < count:
        penalty = largest * tl.load(fractions + step)
        taken = 0
        going = True
        while going:
            new, change, score = _updates(beta, g, diagonal, inverse, usable, penalty, preference)
            largest_change, at = tl.max(score, axis=0, return_indices=True)
            going = (largest_change >= tolerance) & (taken < most)
            if going:
                delta = tl.sum(tl.where(j == at, change, 0.0), axis=0)
                g -= delta * tl.load(rows + at * k + j, mask=inside, other=0.0)
                beta = tl.where(j == at, new, beta)
                taken += 1
        steps += taken
        converged = converged & (taken < most)
        df = tl.sum((beta != 0.0).to(tl.float64), axis=0)
        rss = 1.0 - tl.sum(beta * (c + g), axis=0)
        score = n * tl.log(tl.maximum(rss, least_rss)) + df * price
        best = tl.where(score < least, beta, best)
        chosen = tl.where(score < least, penalty, chosen)
        least = tl.minimum(score, least)
        step += 1
    tl.store(best_beta + node * k + j, best, mask=inside)
    tl.store(best_penalty + node, chosen)
    tl.store(all_steps + node, steps)
    tl.store(all_converged + node, converged.to(tl.int8))
