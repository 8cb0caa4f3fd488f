"""What the trainings of SAEs have in common: what says where they sit, the start, the order, the files."""

import json
from collections.abc import Iterator
from pathlib import Path

import torch
from sae_lens import BatchTopKTrainingSAE
from sae_lens.saes.sae import SAEMetadata


def metadata_of(model: str, hook: str, context: int, dataset: str) -> SAEMetadata:
    """Describe an SAE at a hook of a model as it is, read in rows of `context` tokens that begin with BOS."""
    return SAEMetadata(
        model_name=model,
        # SAELens' word for a model read by TransformerLens' hook names, unprocessed.
        model_class_name="HookedTransformer",
        model_from_pretrained_kwargs={},
        hook_name=hook,
        hook_head_index=None,
        context_size=context,
        prepend_bos=True,
        exclude_special_tokens=True,
        sequence_separator_token="bos",  # noqa: S106 - a kind of token, no password
        dataset_path=dataset,
    )


def shuffled(activations: torch.Tensor, rows: torch.Tensor, batch: int, seed: int) -> Iterator[torch.Tensor]:
    """Draw batches, float32[batch, width], from shuffled passes over some rows of all, without end."""
    generator = torch.Generator().manual_seed(seed)
    while True:
        order = rows[torch.randperm(len(rows), generator=generator)]
        for start in range(0, len(order) - batch + 1, batch):
            yield activations[order[start : start + batch]].float()


@torch.no_grad()
def start_on_data(sae: BatchTopKTrainingSAE, activations: torch.Tensor) -> None:
    """Set the decoder bias to the mean of some activations, and each latent to one's offset from it.

    Directions that lie where the data are leave far fewer latents dead than random
    ones: 26 % against 31 % in a short trial of the last layer of the small model.
    """
    width = activations.shape[1]
    mean = activations.mean(0)
    chosen = activations[torch.randperm(len(activations))[: sae.cfg.d_sae]] - mean
    directions = chosen / chosen.norm(dim=1, keepdim=True) * sae.W_dec.norm(dim=1).mean()
    sae.W_dec.copy_(directions)
    sae.W_enc.copy_(directions.T)
    # The trainer scales activations to a mean norm of sqrt(width).
    sae.b_dec.copy_(mean * width**0.5 / activations.norm(dim=1).mean())


def save_for_inference(sae: BatchTopKTrainingSAE, directory: Path) -> Path:
    """Save an SAE in SAELens' format, its configuration always alike; returns the file of its weights."""
    weights, config = sae.save_inference_model(directory)
    # SAELens writes the keys in an order that differs from run to run.
    config.write_text(json.dumps(json.loads(config.read_text()), indent=2, sort_keys=True) + "\n")
    return Path(weights)
