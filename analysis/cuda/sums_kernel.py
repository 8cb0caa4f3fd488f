# mypy: disable-error-code="no-untyped-def, untyped-decorator, import-untyped"
# ruff: noqa: ANN001, ANN202
# Triton ships without types, and its functions are compiled from what it is given, not from annotations.
"""Triton kernels of the sums of products and of their ranks.

They compute to the bit what ``products._add_products`` and ``screen._peaks`` compute in torch: products and
sums are not fused (``enable_fp_fusion``), and what atomics add are whole numbers.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from analysis.cuda.entries import WHOLE, Entries
from analysis.cuda.workspace import GROUP
from analysis.screen import BINS

ENTRIES, WIDTH = 32, 32
"""Entries of a block whose rows one program walks side by side, and how far at once."""

ROWS, GROUPS = 16, 16
"""Rows of sums, and groups of a row, that one program ranks: 16 x 1,024 sums."""

COPIES = 64
"""Histograms counted in, so that programs seldom wait for each other's additions."""


def add_products(entries: Entries, first: int, last: int, total: Tensor) -> None:
    """Add the products of features ``first..last-1`` with all to `total`, (rows, >= F), int64."""
    low, high = int(entries.first[first]), int(entries.first[last])
    if low == high:
        return
    _add_products[(triton.cdiv(high - low, ENTRIES),)](
        total,
        entries.feature,
        entries.token,
        entries.unit,
        entries.row_start,
        entries.row_feature,
        entries.row_unit,
        low,
        high,
        first,
        total.shape[1],
        ENTRIES=ENTRIES,
        WIDTH=WIDTH,
        num_warps=4,
        enable_fp_fusion=False,
    )


def peaks(
    entries: Entries, first: int, total: Tensor, limits: tuple[float, float], histogram: Tensor
) -> Tensor:
    """Return the largest rank of every group, (rows, groups), and count pairs ``a < b`` in `histogram`."""
    rows, groups = len(total), total.shape[1] // GROUP
    peak = torch.empty((rows, groups), dtype=torch.int64, device=total.device)
    counts = torch.zeros((COPIES, BINS + 1), dtype=torch.int32, device=total.device)
    # Numbers that are not exact in single precision travel as arrays.
    level = torch.tensor(limits, dtype=torch.float64, device=total.device)
    bits = max(1, (entries.n_features - 1).bit_length())
    _peaks[(triton.cdiv(rows, ROWS), triton.cdiv(groups, GROUPS))](
        total,
        entries.spread,
        entries.ratio,
        level,
        peak,
        counts,
        first,
        rows,
        entries.n_features,
        groups,
        UNIT=1.0 / WHOLE,
        UPPER=2.0 ** (62 - bits),
        BITS=bits,
        BINS=BINS,
        COPIES=COPIES,
        ROWS=ROWS,
        GROUPS=GROUPS,
        GROUP=GROUP,
        num_warps=4,
        enable_fp_fusion=False,
    )
    histogram += counts.sum(dim=0)
    return peak


@triton.jit(do_not_specialize=["low", "high", "first"])
def _add_products(
    total,
    feature,
    token,
    unit,
    row_start,
    row_feature,
    row_unit,
    low,
    high,
    first,
    stride,
    ENTRIES: tl.constexpr,
    WIDTH: tl.constexpr,
):
    entry = low + tl.program_id(0).to(tl.int64) * ENTRIES + tl.arange(0, ENTRIES)
    inside = entry < high
    row = tl.load(feature + entry, mask=inside, other=first) - first
    t = tl.load(token + entry, mask=inside, other=0)
    x = tl.load(unit + entry, mask=inside, other=0.0)
    begin = tl.load(row_start + t, mask=inside, other=0)
    end = tl.load(row_start + t + 1, mask=inside, other=0)
    base = total + row.to(tl.int64) * stride
    longest = tl.max(end - begin, axis=0)
    behind = 0
    # Not a range: older interpreters of Triton make no number of a loop's bound.
    while behind < longest:
        at = begin[:, None] + (behind + tl.arange(0, WIDTH))[None, :]
        there = at < end[:, None]
        b = tl.load(row_feature + at, mask=there, other=0)
        y = tl.load(row_unit + at, mask=there, other=0.0)
        product = (x[:, None] * y + 0.5).to(tl.int64)
        tl.atomic_add(base[:, None] + b, product, mask=there, sem="relaxed")
        behind += WIDTH


@triton.jit(do_not_specialize=["first", "rows", "n_features"])
def _peaks(
    total,
    spread,
    ratio,
    level,
    peak,
    counts,
    first,
    rows,
    n_features,
    groups,
    UNIT: tl.constexpr,
    UPPER: tl.constexpr,
    BITS: tl.constexpr,
    BINS: tl.constexpr,
    COPIES: tl.constexpr,
    ROWS: tl.constexpr,
    GROUPS: tl.constexpr,
    GROUP: tl.constexpr,
):
    group = tl.program_id(1) * GROUPS + tl.arange(0, GROUPS)
    b = group[:, None] * GROUP + tl.arange(0, GROUP)[None, :]
    real = b < n_features
    spread_b = tl.load(spread + b, mask=real, other=0.0)
    ratio_b = tl.load(ratio + b, mask=real, other=0.0)
    floor = tl.load(level)
    scale = tl.load(level + 1)
    copy = (tl.program_id(0) * tl.num_programs(1) + tl.program_id(1)) % COPIES
    begin = tl.program_id(0).to(tl.int64) * ROWS
    for step in range(ROWS):
        row = begin + step
        # The rows behind the last have no features.
        there = b < tl.where(row < rows, n_features, 0)
        a = tl.minimum(first + row, n_features - 1)
        sums = tl.load(total + row * (groups * GROUP) + b, mask=there, other=0)
        both = tl.load(spread + a) * spread_b
        size = tl.abs(sums.to(tl.float64) * UNIT * both - tl.load(ratio + a) * ratio_b)
        taken = there & (b != a) & (size >= floor)
        place = tl.minimum(size * scale, BINS * 1.0).to(tl.int32)
        tl.atomic_add(counts + copy * (BINS + 1) + place, 1, mask=taken & (b > a), sem="relaxed")
        upper = (tl.minimum(size, 1.0) * UPPER).to(tl.int64) << BITS
        rank = tl.where(taken, upper | (n_features - 1 - b).to(tl.int64), -1)
        stored = group < tl.where(row < rows, groups, 0)
        tl.store(peak + row * groups + group, tl.max(rank, axis=1), mask=stored)
