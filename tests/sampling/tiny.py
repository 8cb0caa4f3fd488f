"""A tiny random model, SAEs of several architectures and a small corpus, in the formats real ones come in."""

import json
from pathlib import Path

import numpy as np
import torch
from sae_lens import SAE
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from ingest.sampling.untyped import Json

N_LAYERS, D_MODEL, CONTEXT, WIDTH, K = 3, 16, 12, 40, 4
BOS = "<|endoftext|>"
WORDS = "the a dog cat sees hears red old tree house river stone and or in on under café naïve".split()  # noqa: SIM905  a list of words reads as text


def text(seed: int, words: int) -> str:
    """Make a text of random words; some commas, one line break."""
    random = np.random.default_rng(seed)
    drawn = random.choice(WORDS, words)
    return ", ".join(" ".join(drawn[at : at + 7]) for at in range(0, words, 7)) + ".\n"


def make_tokenizer() -> PreTrainedTokenizerFast:
    """Train a byte-level BPE tokenizer, like GPT-2's, on the words."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=[BOS],
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator([text(seed, 60) for seed in range(20)], trainer)
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]  # theirs
        tokenizer_object=tokenizer, bos_token=BOS, eos_token=BOS, pad_token=BOS
    )


def make_model(path: Path) -> Path:
    """Save a random GPT-2 with its tokenizer."""
    torch.manual_seed(0)
    tokenizer = make_tokenizer()
    config = GPT2Config(
        vocab_size=len(tokenizer),
        n_positions=32,
        n_embd=D_MODEL,
        n_layer=N_LAYERS,
        n_head=2,
        bos_token_id=0,
        eos_token_id=0,
    )
    model = GPT2LMHeadModel(config)
    with torch.no_grad():  # larger weights than at initialisation, so that the layers differ
        for parameter in model.parameters():
            parameter.mul_(6)
    model.save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


def make_sae(path: Path, hook: str, architecture: str = "topk", **changes: Json) -> Path:
    """Save a random SAE in SAELens' format; `changes` go to its config."""
    metadata = {
        "model_name": "tiny",
        "hook_name": hook,
        "context_size": CONTEXT,
        "prepend_bos": True,
        **changes.pop("metadata", {}),
    }
    config = {"architecture": architecture, "d_in": D_MODEL, "d_sae": WIDTH, "metadata": metadata, **changes}
    if architecture == "topk":
        config.setdefault("k", K)
    sae = SAE.from_dict({"dtype": "float32", "device": "cpu", **config})
    generator = torch.Generator().manual_seed(len(hook) + sum(map(ord, hook)))
    with torch.no_grad():
        for name, parameter in sae.named_parameters():
            parameter.copy_(
                torch.randn(parameter.shape, generator=generator) * (0.3 if "b_" in name else 1.0)
            )
    sae.save_model(path)
    return path


def make_saes(root: Path, architecture: str = "topk", **changes: Json) -> Path:
    """Save one SAE for every block."""
    for block in range(N_LAYERS):
        hook = f"blocks.{block}.hook_resid_post"
        make_sae(root / hook, hook, architecture, **json.loads(json.dumps(changes)))
    return root


def make_corpus(file: Path, documents: int = 120, words: int = 30) -> Path:
    """Write a jsonl corpus whose documents differ in length, some longer than a row."""
    lines = [json.dumps({"text": text(seed, 3 + seed % words)}) for seed in range(documents)]
    file.write_text("\n".join(lines) + "\n")
    return file


def into_hub(cache: Path, source: Path, name: str) -> str:
    """Copy a directory into the layout of the hub's own cache, as repository ``local/NAME``."""
    sha = "0123456789abcdef0123456789abcdef01234567"
    root = cache / "hub" / f"models--{name.replace('/', '--')}"
    (root / "refs").mkdir(parents=True)
    (root / "refs" / "main").write_text(sha)
    target = root / "snapshots" / sha
    target.parent.mkdir()
    target.symlink_to(source.resolve(), target_is_directory=True)
    return name
