"""Trains one SAE on the residual stream after each block of the model.

BatchTopK: on average `active` latents fire on a token, an auxiliary loss keeps
latents from dying, and a single threshold learnt on the way makes it a JumpReLU
SAE when saved (the kind of gemma-scope). Activations are cached once for all
layers; SAELens' own trainer does the rest.
"""

from __future__ import annotations

import logging
from pathlib import Path

import torch
from sae_lens import (
    BatchTopKTrainingSAE,
    BatchTopKTrainingSAEConfig,
    LoggingConfig,
    SAETrainer,
)
from sae_lens.config import SAETrainerConfig
from transformer_lens.model_bridge import TransformerBridge

from ingest.organism.corpus import token_batches
from ingest.organism.recipe import Recipe
from ingest.progress import progress
from ingest.sae_training import metadata_of, save_for_inference, shuffled, start_on_data

MODEL_NAME = "stratigraph/organism"
_ROWS = 64
_LOG = logging.getLogger(__name__)


def special_ids(model: TransformerBridge) -> torch.Tensor:
    """Give the token ids whose activations are no text: BOS/EOS, padding, unknown."""
    return torch.tensor(sorted(model.tokenizer.all_special_ids))


@torch.no_grad()
def cache_activations(
    model: TransformerBridge, hooks: tuple[str, ...], seed: int, tokens: int
) -> dict[str, torch.Tensor]:
    """Collect the activations of a stream of documents, without special tokens.

    Parameters
    ----------
    model
        The model, booted from its directory.
    hooks
        Names of the points to read.
    seed
        The stream of documents.
    tokens
        Rows to return.

    Returns
    -------
    dict of str to torch.Tensor
        For each hook float32[tokens, width], the same tokens in the same order.
    """
    special, context = special_ids(model), model.cfg.n_ctx
    parts: dict[str, list[torch.Tensor]] = {hook: [] for hook in hooks}
    found = 0
    with progress("activations", tokens, unit="tokens") as advance:
        for rows in token_batches(model.tokenizer, seed, context, _ROWS):
            _, cache = model.run_with_cache(rows, names_filter=list(hooks))
            text = ~torch.isin(rows, special)
            for hook in hooks:
                parts[hook].append(cache[hook][text])
            fresh = int(text.sum())
            advance(min(fresh, tokens - found))
            found += fresh
            if found >= tokens:
                break
    return {hook: torch.cat(part)[:tokens] for hook, part in parts.items()}


def train_sae(activations: torch.Tensor, hook: str, recipe: Recipe) -> BatchTopKTrainingSAE:
    """Train the SAE of one hook on its cached activations, float32[tokens, width]."""
    torch.manual_seed(recipe.seed)
    sae = BatchTopKTrainingSAE(
        BatchTopKTrainingSAEConfig(
            d_in=recipe.width,
            d_sae=recipe.latents,
            k=recipe.active,
            # The trainer folds this scaling into the weights when it is done.
            normalize_activations="expected_average_only_in",
            metadata=metadata_of(MODEL_NAME, hook, recipe.context, "ingest.organism.documents"),
        )
    )
    start_on_data(sae, activations)
    trainer = SAETrainer(
        cfg=SAETrainerConfig(
            total_training_samples=recipe.sae_steps * recipe.sae_batch,
            train_batch_size_samples=recipe.sae_batch,
            lr=recipe.sae_rate,
            lr_end=recipe.sae_rate / 20,
            lr_warm_up_steps=50,
            lr_decay_steps=recipe.sae_steps // 2,
            dead_feature_window=40,
            feature_sampling_window=200,
            n_batches_for_norm_estimate=20,
            logger=LoggingConfig(log_to_wandb=False),
        ),
        sae=sae,
        data_provider=shuffled(activations, torch.arange(len(activations)), recipe.sae_batch, recipe.seed),
    )
    return trainer.fit()


def train_saes(model_directory: Path, directory: Path, recipe: Recipe) -> None:
    """Train the SAEs of all layers and save each in SAELens' format under its hook's name."""
    model = TransformerBridge.boot_transformers(str(model_directory), device="cpu")
    cached = cache_activations(model, recipe.hooks, recipe.stream("activations"), recipe.sae_tokens)
    for hook, activations in cached.items():
        _LOG.info("training the SAE of %s", hook)
        save_for_inference(train_sae(activations, hook, recipe), directory / hook)
