"""The screen of ``analysis.screen`` on a device: a block of features against all, one pass.

For each block the sums of products are dense, so correlations, the histogram for Benjamini-Hochberg and the K
largest |r| follow without a list of pairs. The K largest of a row of F are found through groups of 64
neighbours: an element of a group that is not among the K groups with the largest maxima is smaller than K
others, so only ``64 K`` elements a row are ever ranked. To rank is to compare whole numbers that hold |r| in
the upper bits and the index in the lower ones: equal correlations (within 2**-40 or less) go by index.

Only pairs at |r| of a single test's level are counted; the threshold never lies below (p <= q N / pairs <=
q).
"""

import numpy as np
import torch
from torch import Tensor

from analysis.activations import Float64, Int32
from analysis.cuda.entries import Entries, correlation
from analysis.cuda.products import empty_sums, sums_of_block
from analysis.cuda.workspace import GROUP, Workspace
from analysis.screen import BINS, Candidates, least_bin, no_candidates, p_of_r, r_of_p


def screen_on(entries: Entries, workspace: Workspace, q: float = 0.05, k: int = 64) -> Candidates:
    """Screen all pairs of the features in `entries`; what returns has their old numbers."""
    n, before = entries.n_tokens, entries.n_features_before
    pairs = before * (before - 1) // 2
    if pairs == 0 or n < 4 or entries.n_features < 2:
        return no_candidates(before, k)
    ceiling = r_of_p(q / pairs, n)
    limits = (r_of_p(q, n), BINS / ceiling)
    histogram = torch.zeros(BINS + 1, dtype=torch.int64, device=workspace.device)
    out = empty_sums(entries, k, workspace)
    most = min(k, entries.n_features)
    feature = torch.full((entries.n_features, k), -1, dtype=torch.int32, device=workspace.device)
    marginal = torch.zeros((entries.n_features, k), dtype=torch.float64, device=workspace.device)
    for first in range(0, entries.n_features, len(out)):
        last = min(first + len(out), entries.n_features)
        total = sums_of_block(entries, first, last, out, workspace)
        peak = _peaks(entries, first, total, limits, histogram, workspace)
        best_j, best_r = _best(entries, first, total, peak, most, limits[0])
        feature[first:last, : best_j.shape[1]] = best_j
        marginal[first:last, : best_j.shape[1]] = best_r
    edges = ceiling * np.arange(BINS + 1) / BINS
    least, passed = least_bin(histogram.cpu().numpy(), p_of_r(edges, n), pairs, q)
    below = (marginal.abs() * limits[1]).clamp(max=BINS).long() < least
    feature[below] = -1
    marginal[below] = 0.0
    candidates = _renamed(entries, feature, marginal)
    return Candidates(*candidates, least * ceiling / BINS if passed else np.inf, passed)


def ranks(size: Tensor, b: Tensor, taken: Tensor, n_features: int) -> Tensor:
    """Whole numbers that order candidates by |r| `size`, then by index `b`; -1 where not `taken`."""
    index_bits = index_bits_of(n_features)
    upper = (size.clamp(max=1.0) * 2.0 ** (62 - index_bits)).long() << index_bits
    return torch.where(taken, upper | (n_features - 1 - b), -1)


def index_bits_of(n_features: int) -> int:
    """Return the lower bits of a rank that hold the index."""
    return max(1, (n_features - 1).bit_length())


def _peaks(
    entries: Entries,
    first: int,
    total: Tensor,
    limits: tuple[float, float],
    histogram: Tensor,
    workspace: Workspace,
) -> Tensor:
    """Return the largest rank of every group, (rows, groups), and count pairs ``a < b`` in `histogram`."""
    if workspace.triton:
        from analysis.cuda.sums_kernel import peaks  # noqa: PLC0415  # triton is there only with CUDA

        return peaks(entries, first, total, limits, histogram)
    peak = torch.empty((len(total), total.shape[1] // GROUP), dtype=torch.int64, device=total.device)
    b = torch.arange(total.shape[1], device=total.device)
    # A few rows at a time: each line below makes an array as long as they are.
    for low in range(0, len(total), 16):
        part = total[low : low + 16]
        a = torch.arange(first + low, first + low + len(part), device=total.device)[:, None]
        size = correlation(entries, part, a, b.clamp(max=entries.n_features - 1)).abs()
        taken = (b < entries.n_features) & (b != a) & (size >= limits[0])
        counted = (size[taken & (b > a)] * limits[1]).clamp(max=BINS).long()
        histogram += torch.bincount(counted, minlength=BINS + 1)
        rank = ranks(size, b, taken, entries.n_features)
        peak[low : low + 16] = rank.view(len(part), -1, GROUP).amax(dim=2)
    return peak


def _best(
    entries: Entries, first: int, total: Tensor, peak: Tensor, most: int, floor: float
) -> tuple[Tensor, Tensor]:
    """Return the `most` best of each row, best first: features (-1 behind the last) and correlations."""
    rows, groups = peak.shape
    group = peak.topk(min(most, groups), dim=1, sorted=False).indices
    b = (group[:, :, None] * GROUP + torch.arange(GROUP, device=total.device)).view(rows, -1)
    a = torch.arange(first, first + rows, device=total.device)[:, None]
    r = correlation(entries, total.gather(1, b), a, b.clamp(max=entries.n_features - 1))
    taken = (b < entries.n_features) & (b != a) & (r.abs() >= floor)
    rank, place = ranks(r.abs(), b, taken, entries.n_features).topk(min(most, b.shape[1]), dim=1)
    none = rank < 0
    return (
        b.gather(1, place).masked_fill(none, -1).int(),
        r.gather(1, place).masked_fill(none, 0.0),
    )


def _renamed(entries: Entries, feature: Tensor, marginal: Tensor) -> tuple[Int32, Float64]:
    """Bring the lists to the host, under the old numbers of the features."""
    name = torch.from_numpy(entries.name).to(feature.device)
    old = torch.where(feature >= 0, name[feature.clamp(min=0).long()], -1).int().cpu().numpy()
    if entries.n_features == entries.n_features_before:
        return old, marginal.cpu().numpy()
    lists = no_candidates(entries.n_features_before, feature.shape[1])
    lists.feature[entries.name] = old
    lists.correlation[entries.name] = marginal.cpu().numpy()
    return lists.feature, lists.correlation
