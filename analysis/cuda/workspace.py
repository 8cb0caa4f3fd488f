"""How much is computed at once: blocks of features and of nodes that fit a budget of memory."""

import os
import shutil
from dataclasses import dataclass
from importlib.util import find_spec

import torch

MOST_BLOCK_BYTES = 4 << 30
"""Sums held at once. More of them make fewer launches; beyond some thousands of rows that gains nothing."""

GROUP = 64
"""Neighbouring features of which only the largest |r| is looked at first; see ``analysis.cuda.screen``."""


@dataclass(frozen=True)
class Workspace:
    """A device, and the memory that may be used on it beyond the activations themselves.

    Parameters
    ----------
    device
        Where to compute.
    memory
        Bytes for sums, second moments and what they are made with. At least one row of sums and the moments
        of one node are held whatever is asked for.
    triton
        Whether to run the Triton kernels instead of torch operations.
    """

    device: torch.device
    memory: int
    triton: bool

    def rows(self, n_features: int, k: int) -> int:
        """Return how many features' sums with all `n_features` are held at once, `k` kept of each."""
        width = groups_of(n_features) * GROUP
        # Eight arrays as long as what is left of a row when the best groups are gathered.
        row = 8 * (width + 8 * min(width, k * GROUP) + width // GROUP * 2)
        return max(1, min(self._block() // row, n_features))

    def nodes(self, k: int) -> int:
        """Return for how many nodes with `k` candidates the second moments are held at once."""
        return max(1, (self.memory - 2 * self._block()) // (16 * k * k + 64 * k))

    def pairs(self, k: int) -> int:
        """Return for how many candidates' rows `k` sums are gathered at once."""
        return max(1, self._block() // (8 * 8 * (k + 1)))

    def visits(self) -> int:
        """Return how many products the torch form may expand at once."""
        return max(1, self._block() // 64)

    def _block(self) -> int:
        return min(self.memory // 4, MOST_BLOCK_BYTES)


def groups_of(n_features: int) -> int:
    """Return the number of groups that `n_features` sums are padded to."""
    return -(-n_features // GROUP)


def workspace_on(device: torch.device, memory: int | None = None) -> Workspace:
    """Return the workspace of `device`: `memory` bytes, or 60 % of what is free on a GPU, or 1 GiB."""
    if memory is None:
        memory = int(0.6 * _free(device)) if device.type == "cuda" else 1 << 30
    return Workspace(device, memory, device.type == "cuda" and _has_triton())


def _has_triton() -> bool:
    """Whether Triton is there (some builds of torch come without) and a C compiler, which it asks for."""
    compiler = os.environ.get("CC") or shutil.which("gcc") or shutil.which("clang")
    return find_spec("triton") is not None and compiler is not None


def _free(device: torch.device) -> int:
    """Bytes free on a GPU, those included that torch holds for later."""
    kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return int(torch.cuda.mem_get_info(device)[0]) + kept
