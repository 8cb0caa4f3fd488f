"""The activations on a device, listed both by feature and by token.

Every value is divided by the length of its column, ``u = x / sqrt(sum x^2)``, so that a sum of products lies
in [0, 1] whatever the scales, which is what whole numbers in units of 2**-62 can hold. With ``spread = sqrt(1
+ (mean / deviation)^2)`` and ``ratio = mean / deviation``::

    r_ab = spread_a spread_b sum_t u_ta u_tb - ratio_a ratio_b
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from analysis.activations import Bool, Columns, Int64
from analysis.columns import Moments

HALF = 2.0**31
"""Scale of each of two factors; their product has the scale of the sums."""

WHOLE = HALF * HALF


@dataclass(frozen=True)
class Entries:
    """What fired, of the features that take part; they are numbered anew, in their old order.

    Parameters
    ----------
    name : shape (F,)
        Old number of each feature.
    n_features_before
        How many features there were before.
    n_tokens
        Number of tokens ``n``.
    first : shape (F + 1,)
        Entries of each feature in the lists by feature; on the host.
    feature, token, unit : shape (entries,)
        The lists by feature: int32, int32, float64 (``u`` times 2**31).
    row_start : shape (n + 1,)
        Entries of each token in the lists by token.
    row_feature, row_unit : shape (entries,)
        The lists by token.
    spread, ratio : shape (F,)
        float64; see the module.
    """

    name: Int64
    n_features_before: int
    n_tokens: int
    first: Int64
    feature: Tensor
    token: Tensor
    unit: Tensor
    row_start: Tensor
    row_feature: Tensor
    row_unit: Tensor
    spread: Tensor
    ratio: Tensor

    @property
    def n_features(self) -> int:
        """Number of features that take part."""
        return len(self.name)


def entries_of(columns: Columns, moments: Moments, part: Bool, device: torch.device) -> Entries:
    """Bring the features `part` of `columns` to `device` and list them by token too.

    Only token and value travel, 8 bytes an entry; the rest is made there.
    """
    name = np.flatnonzero(part)
    count = moments.count[name]
    ratio = moments.mean[name] / moments.deviation[name]
    spread = np.sqrt(1.0 + ratio * ratio)
    length = moments.deviation[name] * spread * np.sqrt(columns.n_tokens)
    token, value = _on(device, columns.token), _on(device, columns.value)
    if len(name) < columns.n_features:
        kept = torch.repeat_interleave(_on(device, part), _on(device, moments.count))
        token, value = token[kept], value[kept]
    feature = torch.repeat_interleave(
        torch.arange(len(name), dtype=torch.int32, device=device), _on(device, count)
    )
    unit = value.double() / _on(device, length)[feature.long()] * HALF
    order = torch.sort(token, stable=True).indices
    row_start = torch.zeros(columns.n_tokens + 1, dtype=torch.int64, device=device)
    row_start[1:] = torch.bincount(token, minlength=columns.n_tokens).cumsum(0)
    first = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    return Entries(
        name,
        columns.n_features,
        columns.n_tokens,
        first,
        feature,
        token,
        unit,
        row_start,
        feature[order],
        unit[order],
        _on(device, spread),
        _on(device, ratio),
    )


def correlation(entries: Entries, total: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Return ``r_ab`` (float64) from sums in whole numbers; the three shapes are broadcast."""
    spread = entries.spread[a] * entries.spread[b]
    return total.double() * (1.0 / WHOLE) * spread - entries.ratio[a] * entries.ratio[b]


def _on(device: torch.device, array: NDArray[Any]) -> Tensor:
    # Torch warns of arrays that cannot be written to, as those of a mapped file are.
    return torch.from_numpy(np.require(array, requirements=["C", "W"])).to(device)
