"""Slow twins: the whole model for every token, with hooks and nothing else."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from ingest.sampling.packing import Row
from ingest.sampling.reading import Reader
from ingest.sampling.untyped import Bridge


@torch.no_grad()
def passing(
    bridge: Bridge, tokens: torch.Tensor, hook: str, change: tuple[str, torch.Tensor] | None = None
) -> torch.Tensor:
    """What passes a hook when `change` is added at another."""
    seen: list[torch.Tensor] = []

    def see(there: torch.Tensor, hook: object) -> None:
        seen.append(there.clone())

    def add(there: torch.Tensor, hook: object) -> torch.Tensor:
        assert change is not None
        return there + change[1]

    hooks: list[tuple[str, Callable[..., torch.Tensor | None]]] = [(hook, see)]
    if change is not None:
        hooks.insert(0, (change[0], add))
    bridge.run_with_hooks(tokens, return_type=None, fwd_hooks=hooks)
    return seen[0]


@torch.no_grad()
def change_of(reader: Reader, row: Row, position: int, source: int, target: int) -> float:
    """Change of a later feature at one token of a row when an earlier one is taken out of the row.

    The SAE's own decoder says what the earlier feature writes.
    """
    lower, upper = reader.saes
    bridge = reader.model.bridge
    tokens = torch.from_numpy(row.tokens[None]).long()
    text = torch.from_numpy(~reader.model.special[row.tokens])
    stream = passing(bridge, tokens, lower.hook)
    # each half a pass of its own, since an SAE that scales what it reads forgets how when it has written
    active = lower.sae.encode(stream)
    with_it = lower.sae.decode(active)
    left = lower.sae.encode(stream)
    left[..., source] = 0
    taken = (lower.sae.decode(left) - with_it) * text[None, :, None]
    before = upper.sae.encode(passing(bridge, tokens, upper.hook))[0, position, target]
    after = upper.sae.encode(passing(bridge, tokens, upper.hook, (lower.hook, taken)))[0, position, target]
    return float(after - before)


def changes_of(
    reader: Reader, rows: list[Row], places: NDArray[np.integer], source: int, target: int
) -> NDArray[np.float64]:
    """The same at several places, each a row and a position."""
    return np.array([change_of(reader, rows[row], position, source, target) for row, position in places])
