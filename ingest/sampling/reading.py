"""Reading rows: one forward pass, then every SAE on the tokens of text; and what each could read below.

Carried activations: ``carry_j(t) = a_m(r_l(t) + mean_t(r_m - r_l))_j``, what the SAE at ``m`` would read had
the blocks since the next lower sampled hook ``l`` written only their mean.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from analysis.errors import MisuseError
from ingest.sampling import sparse
from ingest.sampling.autoencoder import Autoencoder
from ingest.sampling.model import Model, residuals
from ingest.sampling.packing import Row

_TOKENS = {"cpu": 1024, "cuda": 16384}
"""Tokens in a forward pass. 1,024 stay in a CPU's caches: a fifth faster than 4,096 on the small model."""


@dataclass(frozen=True)
class Reader:
    """A model and the SAEs that read it, lowest layer first.

    Parameters
    ----------
    model
        The language model.
    saes
        One per layer.
    rows
        Rows in one forward pass.
    """

    model: Model
    saes: list[Autoencoder]
    rows: int

    @classmethod
    def of(cls, model: Model, saes: list[Autoencoder], rows: int) -> "Reader":
        """Make a reader; `rows` 0 chooses by context size and device."""
        most = _TOKENS.get(model.device.split(":")[0], _TOKENS["cpu"])
        return cls(model, saes, rows or max(1, most // model.context))

    def below(self, index: int) -> int | None:
        """Return the next lower sampled point of the stream; None for the lowest, and off the stream."""
        if not self.saes[index].reads_stream:
            return None
        return next((i for i in range(index - 1, -1, -1) if self.saes[i].reads_stream), None)

    def batches(self, rows: list[Row]) -> Iterator[list[torch.Tensor]]:
        """Run the rows through the model; yields one tensor per SAE, shape (tokens of text, d)."""
        for at in range(0, len(rows), self.rows):
            tokens = np.stack([row.tokens for row in rows[at : at + self.rows]])
            found = residuals(self.model, torch.from_numpy(tokens).long(), [sae.hook for sae in self.saes])
            keep = torch.from_numpy(~self.model.special[tokens].ravel()).to(self.model.device)
            yield [self._kept(found[sae.hook], keep, sae) for sae in self.saes]

    def _kept(self, tensor: torch.Tensor, keep: torch.Tensor, sae: Autoencoder) -> torch.Tensor:
        if tensor.shape[:2].numel() != len(keep) or tensor.shape[2:].numel() != sae.sae.cfg.d_in:
            raise MisuseError(
                f"SAE {sae.choice.sae_id} reads {sae.sae.cfg.d_in} numbers per token and {sae.hook} of this "
                f"model has {tensor.shape[2:].numel()}; check that --model and --sae belong together"
            )
        return tensor.flatten(0, 1)[keep].float()

    def replicate(self, rows: list[Row], shifts: list[torch.Tensor | None]) -> Iterator[list[dict[str, Any]]]:
        """Encode the rows batch by batch; yields, per SAE, what fires and what is carried as CSR blocks."""
        for streams in self.batches(rows):
            yield [
                {"": sparse.encode(sae.sae, streams[i]), "carried_": self._carried(i, streams, shifts[i])}
                for i, sae in enumerate(self.saes)
            ]

    def _carried(
        self, index: int, streams: list[torch.Tensor], shift: torch.Tensor | None
    ) -> sparse.Csr | None:
        below = self.below(index)
        if below is None or shift is None:
            return None
        return sparse.encode(self.saes[index].sae, streams[below] + shift)


def token_arrays(rows: list[Row], special: NDArray[np.bool_], first: int) -> dict[str, NDArray[np.int32]]:
    """Return id, row number (counted from `first`), place and provenance of every token of text."""
    tokens = np.stack([row.tokens for row in rows])
    keep = ~special[tokens]
    sequence, position = np.meshgrid(*(np.arange(k, dtype=np.int32) for k in tokens.shape), indexing="ij")
    return {
        "token_id": tokens[keep],
        "sequence": (sequence + np.int32(first))[keep],
        "position": position[keep],
        "document": np.stack([row.document for row in rows])[keep],
        "offset": np.stack([row.offset for row in rows])[keep],
    }
