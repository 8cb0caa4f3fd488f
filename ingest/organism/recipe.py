"""Everything the build can choose, in one place; the defaults are what is committed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Stream = Literal["vocabulary", "training", "activations", "validation"]
"""What documents are generated for; each use has a stream of its own."""


@dataclass(frozen=True)
class Recipe:
    """How the model and its SAEs are made.

    Attributes
    ----------
    seed
        Fixes the documents, the first weights and the order of training.
    layers, width, heads, context
        Shape of the model: blocks, residual width, attention heads, tokens.
    steps, rows, rate
        Training of the model: updates, rows of `context` tokens an update, and
        the highest learning rate.
    latents, active
        Width of each SAE, and latents active on a token, on average.
    sae_tokens, sae_steps, sae_batch, sae_rate
        Training of an SAE: activations cached, updates, activations an update,
        and the highest learning rate.
    """

    seed: int = 0
    layers: int = 4
    width: int = 128
    heads: int = 4
    context: int = 64
    steps: int = 2600
    rows: int = 32
    rate: float = 2e-3
    latents: int = 768
    active: float = 12
    sae_tokens: int = 400_000
    sae_steps: int = 1500
    sae_batch: int = 1024
    sae_rate: float = 5e-3

    def __post_init__(self) -> None:
        """Refuse contradictions."""
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is not a multiple of heads {self.heads}")
        if not 0 < self.active < self.latents:
            raise ValueError(f"active is {self.active}; expected 0 < active < {self.latents}")
        if self.sae_tokens < self.sae_batch:
            raise ValueError(f"sae_tokens {self.sae_tokens} do not fill one sae_batch of {self.sae_batch}")

    def stream(self, use: Stream) -> int:
        """Give the seed of the documents for one use; uses never share documents."""
        uses = get_args(Stream)
        return self.seed * len(uses) + uses.index(use)

    @property
    def hooks(self) -> tuple[str, ...]:
        """Where the SAEs sit: the residual stream after each block."""
        return tuple(f"blocks.{layer}.hook_resid_post" for layer in range(self.layers))
