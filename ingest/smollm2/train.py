"""Trains the SAEs: ``python -m ingest.smollm2.train``, some hours on two cores; resumes where it was left.

BatchTopK by SAELens' own trainer, saved as JumpReLU in half precision. Everything it needs and leaves by the
way is in the user's cache; the SAEs come into the repository's `saes/`.
"""

import logging
from pathlib import Path

import torch
from sae_lens import BatchTopKTrainingSAE, BatchTopKTrainingSAEConfig, LoggingConfig, SAETrainer
from sae_lens.config import SAETrainerConfig
from safetensors.torch import load_file, save_file

from ingest.sae_training import metadata_of, save_for_inference, shuffled, start_on_data
from ingest.sampling.model import load
from ingest.smollm2 import HOOKS, SAE_DIRECTORY, cache
from ingest.smollm2.activations import keep, kept, rows_of
from ingest.smollm2.fetch import fetch
from ingest.smollm2.recipe import Recipe
from ingest.smollm2.texts import held_out, read

MODEL_NAME = "HuggingFaceTB/SmolLM2-135M-Instruct"
_STARTS = 16
"""Activations for each latent, whose mean the decoder bias begins at."""
_LOG = logging.getLogger(__name__)


def ordinary(activations: torch.Tensor, outlier: float) -> torch.Tensor:
    """Return the row numbers whose norm is at most `outlier` times the median, int64[rows]."""
    norms = torch.cat([part.float().norm(dim=1) for part in torch.split(activations, 1 << 16)])
    return (norms <= outlier * norms.median()).nonzero().squeeze(1)


def train_sae(activations: torch.Tensor, hook: str, recipe: Recipe) -> BatchTopKTrainingSAE:
    """Train the SAE of one hook on its activations, float16[tokens, width]."""
    torch.manual_seed(recipe.seed)
    sae = BatchTopKTrainingSAE(
        BatchTopKTrainingSAEConfig(
            d_in=activations.shape[1],
            d_sae=recipe.latents,
            k=recipe.active,
            normalize_activations="expected_average_only_in",
            metadata=metadata_of(MODEL_NAME, hook, recipe.context, "ingest.smollm2.texts"),
        )
    )
    rows = ordinary(activations, recipe.outlier)
    some = rows[torch.randperm(len(rows))[: _STARTS * recipe.latents]]
    start_on_data(sae, activations[some].float())
    steps = recipe.passes * (len(rows) // recipe.batch)
    trainer = SAETrainer(
        cfg=SAETrainerConfig(
            total_training_samples=steps * recipe.batch,
            train_batch_size_samples=recipe.batch,
            lr=recipe.rate,
            lr_end=recipe.rate / 20,
            lr_warm_up_steps=100,
            lr_decay_steps=steps // 2,
            dead_feature_window=200,
            feature_sampling_window=500,
            n_batches_for_norm_estimate=20,
            logger=LoggingConfig(log_to_wandb=False),
        ),
        sae=sae,
        data_provider=shuffled(activations, rows, recipe.batch, recipe.seed),
    )
    return trainer.fit()


def save(sae: BatchTopKTrainingSAE, directory: Path) -> None:
    """Save an SAE in SAELens' format, its weights in half precision, in place only when complete."""
    part = directory.with_name(f"{directory.name}.part")
    weights = save_for_inference(sae, part)
    save_file({name: tensor.half() for name, tensor in load_file(weights).items()}, weights)
    part.rename(directory)


def train(directory: Path, recipe: Recipe) -> None:
    """Train the SAEs that `directory` lacks."""
    home = fetch(cache())
    model = load(MODEL_NAME, str(home.model), "cpu", None, recipe.context, prepend_bos=True)
    documents = (d for file in home.texts for d in read(file) if not held_out(d))
    rows = rows_of(model, documents)
    _LOG.info("%d rows of %d tokens", len(rows), recipe.context)
    activations = cache() / "activations"
    keep(model, HOOKS, rows, activations)
    del model
    for hook in HOOKS:
        if not (directory / hook).is_dir():
            _LOG.info("training the SAE of %s", hook)
            save(train_sae(kept(activations, hook), hook, recipe), directory / hook)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    train(SAE_DIRECTORY, Recipe())
