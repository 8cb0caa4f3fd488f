"""Activations of an SAE as they are stored: CSR by token, never tokens x features but for a small chunk."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from analysis.errors import DataError
from ingest.sampling.untyped import Sae

_DENSE = {"cpu": 1 << 18, "cuda": 1 << 25}
"""Entries of a dense block. One that leaves a CPU's cache takes twice as long: 8.2 against 3.5 ms for 1,024
tokens of 768 features."""
_LEAST = 128
"""Tokens in a block at least, where features are so many that fewer would starve the matrix product."""


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
    chunk = max(_LEAST, _DENSE.get(residual.device.type, _DENSE["cpu"]) // sae.cfg.d_sae)
    return join([_compress(sae.encode(residual[at : at + chunk])) for at in range(0, len(residual), chunk)])


def _compress(dense: torch.Tensor) -> Csr:
    """Keep what is not zero.

    On a CPU by numpy, whose search through a mask takes a third of the time of torch's ``nonzero``.
    """
    if dense.device.type == "cpu":
        flat = dense.float().numpy().ravel()
        at = np.flatnonzero(flat != 0)
        row, feature = np.divmod(at, dense.shape[1])
        value = flat[at]
        count = np.bincount(row, minlength=len(dense))
    else:
        where = dense.nonzero(as_tuple=True)
        value = dense[where].float().cpu().numpy()
        count = torch.bincount(where[0], minlength=len(dense)).cpu().numpy()
        feature = where[1].to(torch.int32).cpu().numpy()
    bad = ~((value > 0) & np.isfinite(value))
    if bad.any():
        raise DataError(
            f"the SAE gives an activation of {value[bad][0]}; expected finite ones above 0, use another SAE"
        )
    return Csr(count.astype(np.int64), feature.astype(np.int32), value)


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
