"""Edges of one trial on a device: ``analysis.edges``, by looking pairs up in a sorted list.

A choice of ``j`` by ``i > j`` is filed under the number ``j F + i``; a choice of ``j`` by ``i < j`` looks for
its own, ``i F + j``. The arithmetic of a weight is that of the CPU, to the bit.
"""

import numpy as np
import torch
from torch import Tensor

from analysis.activations import Float64, Int32
from analysis.edges import Edges


def mutual_edges_on(
    device: torch.device, candidate: Int32, correlation: Float64, coefficient: Float64
) -> Edges:
    """Keep the pairs chosen from both ends; as ``analysis.edges.mutual_edges``.

    Parameters
    ----------
    candidate, correlation, coefficient : shape (F, K)
        Candidates of each feature (-1 behind the last), their correlations and coefficients; on the host.
    """
    n_features = len(candidate)
    beta = torch.from_numpy(coefficient).to(device)
    i, slot = torch.nonzero(beta, as_tuple=True)
    j = torch.from_numpy(candidate).to(device)[i, slot].long()
    beta, marginal = beta[i, slot], torch.from_numpy(correlation).to(device)[i, slot]
    up = i < j
    pair, order = torch.sort(i[up] * n_features + j[up])
    filed, place = torch.sort(j[~up] * n_features + i[~up])
    there = _positions(filed, pair)
    found = there >= 0
    one, other = beta[up][order][found], beta[~up][place[there[found]]]
    product = one * other
    agree = product >= 0
    pair, one, product = pair[found][agree], one[agree], product[agree]
    return Edges(
        (pair // n_features).int().cpu().numpy(),
        (pair % n_features).int().cpu().numpy(),
        # Torch rounds a square root as its device pleases.
        one.sign().cpu().numpy() * np.sqrt(product.cpu().numpy()),
        marginal[up][order][found][agree].cpu().numpy(),
        int((~agree).sum()),
    )


def _positions(filed: Tensor, wanted: Tensor) -> Tensor:
    """Return where in the ascending `filed` each of `wanted` stands; -1 where it does not."""
    if not len(filed):
        return torch.full_like(wanted, -1)
    place = torch.searchsorted(filed, wanted).clamp(max=len(filed) - 1)
    return torch.where(filed[place] == wanted, place, -1)
