"""Measures what is on disk: how well the model predicts, how well the SAEs explain it.

For held-out text: validation loss in nats a token beside that of a model that
knows word frequencies only; and for each layer
FVU = sum |x - x'|^2 / sum |x - mean(x)|^2, L0 = latents active on a token, and
the share of latents that fire on no token of the sample (dead).
`python -m ingest.organism.measure` prints it as JSON.
"""

from __future__ import annotations

import json
import sys
from itertools import islice
from pathlib import Path
from typing import TypedDict

import torch
from sae_lens import SAE
from transformer_lens.model_bridge import TransformerBridge

from ingest.organism import MODEL_DIRECTORY, SAE_DIRECTORY
from ingest.organism.corpus import token_batches
from ingest.organism.recipe import Recipe
from ingest.organism.train_saes import cache_activations

_ROWS = 64


class SaeQuality(TypedDict):
    """FVU, L0, share of dead latents and number of latents of one SAE."""

    fvu: float
    l0: float
    dead_share: float
    latents: int


class Quality(TypedDict):
    """What `measure` finds; losses in nats a token, special tokens not predicted."""

    tokens: int
    validation_loss: float
    unigram_loss: float
    saes: dict[str, SaeQuality]


@torch.no_grad()
def model_losses(model: TransformerBridge, seed: int, tokens: int) -> tuple[float, float]:
    """Give the model's and a unigram model's loss on the words of a stream.

    The unigram model takes its frequencies from the very sample it is tested on,
    which only flatters it. Every position of a row but the first is predicted.
    """
    rows = -(-tokens // model.cfg.n_ctx)
    batches = token_batches(model.tokenizer, seed, model.cfg.n_ctx, _ROWS)
    sample = torch.cat(list(islice(batches, -(-rows // _ROWS))))[:rows]
    loss = sum(
        model(part, return_type="loss").item() * len(part) for part in torch.split(sample, _ROWS)
    ) / len(sample)
    share = torch.bincount(sample[:, 1:].flatten()).double() / sample[:, 1:].numel()
    unigram = -torch.special.xlogy(share, share).sum().item()
    return loss, unigram


@torch.no_grad()
def sae_quality(sae: SAE, activations: torch.Tensor) -> SaeQuality:
    """Measure an SAE on activations, float32[tokens, width]."""
    total = (activations - activations.mean(0)).double().square().sum()
    left, active = 0.0, torch.zeros(sae.cfg.d_sae, dtype=torch.long)
    for part in torch.split(activations, 4096):
        features = sae.encode(part)
        left += (part - sae.decode(features)).double().square().sum().item()
        active += (features != 0).sum(0)
    return {
        "fvu": left / total.item(),
        "l0": active.sum().item() / len(activations),
        "dead_share": (active == 0).double().mean().item(),
        "latents": sae.cfg.d_sae,
    }


def measure(model_directory: Path, sae_directory: Path, recipe: Recipe, tokens: int = 100_000) -> Quality:
    """Measure a model and the SAEs of all its layers on `tokens` held-out words.

    `recipe` is what they were made by: its seed tells which documents are held out.
    """
    model = TransformerBridge.boot_transformers(str(model_directory), device="cpu")
    seed, hooks = recipe.stream("validation"), recipe.hooks
    loss, unigram = model_losses(model, seed, tokens)
    cached = cache_activations(model, hooks, seed, tokens)
    saes = {hook: sae_quality(SAE.load_from_disk(sae_directory / hook), cached[hook]) for hook in hooks}
    return {"tokens": tokens, "validation_loss": loss, "unigram_loss": unigram, "saes": saes}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(MODEL_DIRECTORY, SAE_DIRECTORY, Recipe()), indent=2) + "\n")
