"""Second moments of every node's candidates, read off the blocks of sums.

A node needs ``r`` of each pair of its candidates and of each candidate with itself. Instead of gathering the
firings of its 65 columns and matching their tokens, which would handle every firing as often as its feature
is a candidate, the sums of the screen are made once more, block by block: where feature ``a`` is in the
block, each node that has ``a`` among its candidates reads its other candidates from the row of ``a``.
"""

import itertools

import torch
from torch import Tensor

from analysis.cuda.entries import Entries, correlation
from analysis.cuda.products import empty_sums, sums_of_block
from analysis.cuda.workspace import Workspace


def grams_of(
    entries: Entries, node: Tensor, candidate: Tensor, workspace: Workspace
) -> tuple[Tensor, Tensor]:
    """Return the second moments of some nodes.

    Parameters
    ----------
    node : shape (N,)
        The features that are regressed.
    candidate : shape (N, K)
        Their candidates, numbered as in `entries`; -1 behind the last.

    Returns
    -------
    ``G`` (N, K, K) and ``c`` (N, K), float64, standardised; 0 where there is no candidate.
    """
    n_nodes, k = candidate.shape
    gram = torch.zeros((n_nodes * k, k), dtype=torch.float64, device=workspace.device)
    moment = torch.zeros(n_nodes * k, dtype=torch.float64, device=workspace.device)
    # Places (node, slot) in the order of the feature that stands there, those without one in front.
    feature, place = torch.sort(candidate.reshape(-1), stable=True)
    out = empty_sums(entries, k, workspace)
    blocks = torch.arange(0, entries.n_features + len(out), len(out), device=workspace.device)
    cut = torch.searchsorted(feature.long(), blocks.clamp(max=entries.n_features)).tolist()
    for block, (low, high) in enumerate(itertools.pairwise(cut)):
        if low == high:
            continue
        first = block * len(out)
        total = sums_of_block(entries, first, min(first + len(out), entries.n_features), out, workspace)
        for begin in range(low, high, workspace.pairs(k)):
            to = min(begin + workspace.pairs(k), high)
            a, at = feature[begin:to].long(), place[begin:to]
            i = at // k
            others = candidate[i].long()
            there = others >= 0
            others = others.clamp(min=0)
            sums = total[(a - first)[:, None], others]
            gram[at] = torch.where(there, correlation(entries, sums, a[:, None], others), 0.0)
            own = node[i]
            moment[at] = correlation(entries, total[a - first, own], a, own)
    return gram.view(n_nodes, k, k), moment.view(n_nodes, k)
