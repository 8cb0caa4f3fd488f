"""Sums of products of a block of features with all features.

For each entry ``(a, t)`` of the block, every entry ``(b, t)`` of that token's row adds ``u_ta u_tb`` to the
sum of ``(a, b)``. The cost is the number of co-firings, ``sum_t m_t^2`` over all blocks, with no sorting and
no list of pairs; a block of the sums is dense, [rows, features], so that pairs that never fire together are
there too. Additions come in any order, which whole numbers do not notice.

Each pair is summed from both its ends. Summing it once would save half of the additions and cost a pass over
the columns of all blocks to choose the best of each feature.
"""

import numpy as np
import torch
from torch import Tensor

from analysis.cuda.entries import Entries
from analysis.cuda.workspace import GROUP, Workspace, groups_of


def sums_of_block(entries: Entries, first: int, last: int, out: Tensor, workspace: Workspace) -> Tensor:
    """Sum the products of features ``first..last-1`` with all.

    Parameters
    ----------
    out : shape (>= last - first, groups * 64), int64
        Overwritten.

    Returns
    -------
    The rows of `out` that were written: sums in units of 2**-62; 0 behind the last feature.
    """
    total = out[: last - first].zero_()
    if workspace.triton:
        from analysis.cuda.sums_kernel import add_products  # noqa: PLC0415  # triton is there only with CUDA

        add_products(entries, first, last, total)
    else:
        _add_products(entries, first, last, total, workspace.visits())
    return total


def empty_sums(entries: Entries, k: int, workspace: Workspace) -> Tensor:
    """Return room for the sums of as many features at once as fit the workspace."""
    rows = workspace.rows(entries.n_features, k)
    return torch.empty(
        (rows, groups_of(entries.n_features) * GROUP), dtype=torch.int64, device=workspace.device
    )


def _add_products(entries: Entries, first: int, last: int, total: Tensor, visits: int) -> None:
    """Add the products up in torch, at most `visits` of them written out at once (or one entry's row)."""
    low, high = int(entries.first[first]), int(entries.first[last])
    token = entries.token[low:high].long()
    length = entries.row_start[token + 1] - entries.row_start[token]
    behind = length.cumsum(0).cpu().numpy()
    at = 0
    while at < high - low:
        done = behind[at - 1] if at else 0
        to = max(at + 1, int(np.searchsorted(behind, done + visits, side="right")))
        run = length[at:to]
        inside = torch.arange(int(behind[to - 1] - done), device=total.device)
        inside -= torch.repeat_interleave(run.cumsum(0) - run, run)
        other = inside + torch.repeat_interleave(entries.row_start[token[at:to]], run)
        product = torch.repeat_interleave(entries.unit[low + at : low + to], run) * entries.row_unit[other]
        row = torch.repeat_interleave(entries.feature[low + at : low + to].long() - first, run)
        place = row * total.shape[1] + entries.row_feature[other]
        total.view(-1).index_add_(0, place, (product + 0.5).long())
        at = to
