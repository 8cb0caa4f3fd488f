"""How the SAEs are made, in one place; the defaults are what is committed."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """What training can choose.

    Attributes
    ----------
    seed
        Fixes the order of training and the first weights.
    context
        Tokens of a row.
    latents, active
        Width of each SAE, and latents active on a token, on average.
    passes
        How often training goes over the activations.
    batch
        Activations an update.
    rate
        The highest learning rate.
    outlier
        Tokens whose residual stream is more than this many times longer than the median are left out: they
        carry attention, not text.
    """

    seed: int = 0
    context: int = 256
    latents: int = 4096
    active: float = 48
    passes: int = 2
    batch: int = 4096
    rate: float = 8e-4
    outlier: float = 20.0
