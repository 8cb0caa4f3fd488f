"""Activations of an SAE as they are stored: CSR by token, never tokens x features but for a small chunk."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from analysis.errors import DataError
from ingest.sampling.untyped import Sae

_DENSE = 1 << 25
"""Entries of the largest dense block at once (128 MiB of float32)."""


@dataclass(frozen=True)
class Csr:
    """Sparse rows: ``count`` entries each, features ascending within a row."""

    count: NDArray[np.int64]
    feature: NDArray[np.int32]
    value: NDArray[np.float32]


@torch.inference_mode()
def encode(sae: Sae, residual: torch.Tensor) -> Csr:
    """Encode residuals, shape (tokens, ...), in chunks whose dense activations stay small.

    Raises
    ------
    DataError
        An activation is negative, infinite or NaN.
    """
    chunk = max(1, _DENSE // sae.cfg.d_sae)
    parts = [_compress(sae.encode(residual[at : at + chunk])) for at in range(0, len(residual), chunk)]
    return join(parts)


def _compress(dense: torch.Tensor) -> Csr:
    row, column = dense.nonzero(as_tuple=True)
    value = dense[row, column].float()
    if not bool(((value > 0) & value.isfinite()).all()):
        bad = float(value[~((value > 0) & value.isfinite())][0])
        raise DataError(
            f"the SAE gives an activation of {bad}; expected finite ones above 0, use another SAE"
        )
    count = torch.bincount(row, minlength=len(dense))
    return Csr(count.cpu().numpy(), column.to(torch.int32).cpu().numpy(), value.cpu().numpy())


def join(parts: list[Csr]) -> Csr:
    """Put blocks of rows one below the other."""
    return Csr(
        np.concatenate([p.count for p in parts] or [np.zeros(0, np.int64)]),
        np.concatenate([p.feature for p in parts] or [np.zeros(0, np.int32)]),
        np.concatenate([p.value for p in parts] or [np.zeros(0, np.float32)]),
    )


def arrays(csr: Csr, prefix: str = "") -> dict[str, NDArray[Any]]:
    """Return the three arrays of the samples format, their names beginning with `prefix`."""
    start = np.zeros(len(csr.count) + 1, np.int64)
    np.cumsum(csr.count, out=start[1:])
    return {f"{prefix}start": start, f"{prefix}feature": csr.feature, f"{prefix}value": csr.value}
