"""Trains the language model: GPT-2's shape, next-word prediction, no dropout.

AdamW with a linear warm-up and a cosine decay. Documents are generated as they
are needed, so no text is seen twice and nothing can be memorised but the grammar.
"""

from __future__ import annotations

import math
from itertools import islice
from pathlib import Path

import torch
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerBase

from ingest.organism.corpus import token_batches
from ingest.organism.recipe import Recipe
from ingest.progress import progress

_WARM_UP = 100
_FLOOR = 0.03


def new_model(tokenizer: PreTrainedTokenizerBase, recipe: Recipe) -> GPT2LMHeadModel:
    """Make an untrained model; the recipe's seed fixes its weights."""
    torch.manual_seed(recipe.seed)
    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=len(tokenizer),
            n_positions=recipe.context,
            n_embd=recipe.width,
            n_layer=recipe.layers,
            n_head=recipe.heads,
            resid_pdrop=0.0,
            embd_pdrop=0.0,
            attn_pdrop=0.0,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def _share_of_rate(step: int, steps: int) -> float:
    warm = min(1.0, (step + 1) / _WARM_UP)
    return warm * (_FLOOR + (1 - _FLOOR) * 0.5 * (1 + math.cos(math.pi * step / steps)))


def train_model(tokenizer: PreTrainedTokenizerBase, recipe: Recipe) -> GPT2LMHeadModel:
    """Train a model on the recipe's documents; shows progress on stderr."""
    model = new_model(tokenizer, recipe)
    optimizer = torch.optim.AdamW(model.parameters(), lr=recipe.rate, weight_decay=0.05, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _share_of_rate(step, recipe.steps))
    batches = token_batches(tokenizer, recipe.stream("training"), recipe.context, recipe.rows)
    model.train()
    with progress("model", recipe.steps, unit="steps") as advance:
        for rows in islice(batches, recipe.steps):
            loss = model(rows, labels=rows).loss
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            advance(1)
    model.train(False)
    return model


def save_model(model: GPT2LMHeadModel, tokenizer: PreTrainedTokenizerBase, directory: Path) -> None:
    """Save model and tokenizer in Hugging Face's format, in one directory."""
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
