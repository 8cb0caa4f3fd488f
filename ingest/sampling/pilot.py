"""The pilot: a few rows that fix the budget, the mean shift between layers, and the expected time.

``n = max over sites of ceil(A * F / L0)`` tokens a replicate, ``L0`` the mean number of features firing per
token. The rows of the pilot belong to no replicate.
"""

import time
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from analysis.errors import MisuseError
from ingest.sampling import sparse
from ingest.sampling.packing import Row
from ingest.sampling.reading import Reader

TOKENS = 16384
"""Tokens of text in a pilot at least.

On the built-in model it finds L0 to 0.4 % and the shifts to 6 to 9 % of their norm, against the mean over
131,072 tokens; 4,096 found them to 0.8 % and 12 to 19 %.
"""
ROWS = 16


@dataclass(frozen=True)
class Pilot:
    """What the pilot measured.

    Parameters
    ----------
    l0
        Mean number of features firing per token, per site.
    shifts
        Mean of this site's residual minus the next lower one's, shape (d,); None in the lowest.
    tokens_per_second
        Forward pass and encoding.
    """

    l0: list[float]
    shifts: list[NDArray[np.float32] | None]
    tokens_per_second: float


def pilot_tokens(context: int) -> int:
    """Tokens that a pilot takes: enough for L0 to 1 %, from enough rows to be of many documents."""
    return max(TOKENS, ROWS * (context - 1))


def measure(reader: Reader, rows: list[Row]) -> Pilot:
    """Read the pilot rows.

    Raises
    ------
    MisuseError
        Some SAE is silent on them.
    """
    next(reader.batches(rows[: reader.rows]))
    firing = np.zeros(len(reader.saes))
    sums: list[torch.Tensor | None] = [None] * len(reader.saes)
    tokens = 0
    began = time.perf_counter()
    for streams in reader.batches(rows):
        tokens += len(streams[0])
        for i, sae in enumerate(reader.saes):
            firing[i] += len(sparse.encode(sae.sae, streams[i]).feature)
            below = reader.below(i)
            if below is not None:
                sparse.encode(sae.sae, streams[below])
                total = (streams[i] - streams[below]).sum(0, dtype=torch.float64)
                so_far = sums[i]
                sums[i] = total if so_far is None else so_far + total
    seconds = time.perf_counter() - began
    for i, sae in enumerate(reader.saes):
        if not firing[i]:
            raise MisuseError(
                f"no feature of SAE {sae.choice.sae_id} fires on {tokens:,} tokens; "
                "check that --model, --sae and --corpus belong together"
            )
    shifts = [None if s is None else (s / tokens).float().cpu().numpy() for s in sums]
    return Pilot([float(x) for x in firing / tokens], shifts, tokens / seconds)


def budget(activations: int, n_features: list[int], l0: list[float]) -> int:
    """Tokens of one replicate: the most that any site needs."""
    return max(int(np.ceil(activations * f / x)) for f, x in zip(n_features, l0, strict=True))
