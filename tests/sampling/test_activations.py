"""What is stored equals a slow twin: one row at a time, the whole model, no sparse arrays until the end."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from ingest.samples_directory import open_samples
from ingest.sampling import pilot, sample
from tests.sampling.conftest import Tiny
from tests.sampling.tiny import CONTEXT, N_LAYERS, WIDTH, K, make_saes


def _twin(model: Path, rows: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> dict[str, torch.Tensor]:
    """Read every hook for every row with Hugging Face's own forward pass, shape (rows, context, d)."""
    from transformers import GPT2LMHeadModel

    language = GPT2LMHeadModel.from_pretrained(model)
    language.requires_grad_(False)
    found: dict[str, list[torch.Tensor]] = {}
    for block, layer in enumerate(language.transformer.h):
        hook = f"blocks.{block}.hook_resid_post"
        found[hook] = []
        layer.register_forward_hook(
            lambda _m, _i, out, to=found[hook]: to.append(out[0] if isinstance(out, tuple) else out)
        )
    with torch.inference_mode():
        for row in rows:
            language(torch.tensor(row[None]))
    return {hook: torch.cat(parts) for hook, parts in found.items()}


def _rows(
    arrays: dict[str, np.ndarray[tuple[int], np.dtype[np.int32]]],
) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Rebuild the rows: where no token was kept stood a BOS."""
    first = arrays["sequence"].min()
    rows = np.zeros((arrays["sequence"].max() - first + 1, CONTEXT), np.int64)
    rows[arrays["sequence"] - first, arrays["position"]] = arrays["token_id"]
    return rows


def _dense(arrays: dict[str, np.ndarray[tuple[int], np.dtype[np.float32]]], prefix: str = "") -> torch.Tensor:
    start, out = arrays[prefix + "start"], np.zeros((len(arrays["token_id"]), WIDTH), np.float32)
    for token in range(len(out)):
        span = slice(start[token], start[token + 1])
        out[token, arrays[prefix + "feature"][span]] = arrays[prefix + "value"][span]
    return torch.from_numpy(out)


@pytest.mark.parametrize("architecture", ["topk", "standard", "jumprelu", "gated"])
def test_activations_and_carried_equal_the_twin(tiny: Tiny, tmp_path: Path, architecture: str) -> None:
    from sae_lens import SAE

    saes = make_saes(tmp_path / "saes", architecture)
    out = tmp_path / "out"
    sample(tiny.config(out, sae=str(saes), replicates=2, activations=60, batch=3))
    arrays = [load_file(out / str(layer) / "replicate-001.safetensors") for layer in range(N_LAYERS)]
    residuals = _twin(tiny.model, _rows(arrays[0]))
    at = (arrays[0]["sequence"] - arrays[0]["sequence"].min(), arrays[0]["position"])
    for layer in range(N_LAYERS):
        hook = f"blocks.{layer}.hook_resid_post"
        sae = SAE.load_from_disk(saes / hook)
        expected = torch.stack([sae.encode(r) for r in residuals[hook][at]])
        torch.testing.assert_close(_dense(arrays[layer]), expected.detach(), rtol=1e-4, atol=1e-4)
        assert ("carried_start" in arrays[layer]) == (layer > 0)
        if layer > 0:
            below = residuals[f"blocks.{layer - 1}.hook_resid_post"][at]
            stored = load_file(out / str(layer) / "dictionary.safetensors")["carried_shift"]
            shift = torch.from_numpy(stored)
            expected = torch.stack([sae.encode(r + shift) for r in below])
            torch.testing.assert_close(
                _dense(arrays[layer], "carried_"), expected.detach(), rtol=1e-4, atol=1e-4
            )


def _pilot_rows(tiny: Tiny) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Draw the rows of the pilot again: all pieces of all documents, put in order by the seed, packed."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny.model)
    texts = [json.loads(line)["text"] for line in tiny.corpus.read_text().splitlines()]
    documents = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
    size, bos = CONTEXT - 1, tokenizer.bos_token_id
    pieces = [d[at : at + size] for d in documents for at in range(0, len(d), size)]
    wanted = min(pilot.pilot_tokens(CONTEXT), sum(map(len, documents)) // 10)
    rows: list[list[int]] = [[]]
    for i in np.random.default_rng([0, 0]).permutation(len(pieces)):
        for token in [bos] * bool(rows[-1]) + pieces[i]:
            rows[-1] += [token] if rows[-1] or token == bos else [bos, token]
            if len(rows[-1]) == CONTEXT:
                rows.append([])
    rows.pop()
    kept = np.cumsum([sum(token != bos for token in one) for one in rows])
    return np.asarray(rows[: int(np.argmax(kept >= wanted)) + 1])


def test_the_stored_shift_is_the_mean_over_the_pilot(tiny: Tiny, sampled: Path) -> None:
    rows = _pilot_rows(tiny)
    residuals = _twin(tiny.model, rows)
    text = torch.from_numpy(rows != 0)
    for layer in range(1, N_LAYERS):
        here, below = (residuals[f"blocks.{at}.hook_resid_post"][text] for at in (layer, layer - 1))
        stored = load_file(sampled / str(layer) / "dictionary.safetensors")["carried_shift"]
        expected = (here.double() - below.double()).mean(0).float()
        torch.testing.assert_close(torch.from_numpy(stored), expected, rtol=1e-4, atol=1e-4)


def test_tokens_are_those_of_the_documents(tiny: Tiny, sampled: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny.model)
    texts = [json.loads(line)["text"] for line in tiny.corpus.read_text().splitlines()]
    documents = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
    seen: set[tuple[int, int]] = set()
    sequences: set[int] = set()
    for number in range(3):
        arrays = load_file(sampled / "0" / f"replicate-{number:03d}.safetensors")
        here = set(zip(arrays["document"].tolist(), arrays["offset"].tolist(), strict=True))
        tokens = [documents[d][o] for d, o in zip(arrays["document"], arrays["offset"], strict=True)]
        assert tokens == arrays["token_id"].tolist()
        assert len(here) == len(tokens)
        pieces = {(d, o // (CONTEXT - 1)) for d, o in here}
        assert not pieces & seen
        seen |= pieces
        assert not sequences & set(arrays["sequence"].tolist())
        sequences |= set(arrays["sequence"].tolist())
        assert (arrays["token_id"] != tokenizer.bos_token_id).all()
        assert arrays["position"].min() == 1
        assert arrays["position"].max() == CONTEXT - 1


def test_the_directories_follow_the_format_and_hold_the_same_tokens(sampled: Path) -> None:
    directories = [open_samples(sampled / str(layer)) for layer in range(N_LAYERS)]
    assert len({d.manifest["tokens_hash"] for d in directories}) == 1
    assert [d.manifest.get("carried_from") for d in directories] == [None, "0", "1"]
    for directory in directories:
        assert directory.manifest["complete"]
        assert directory.manifest["l0"] == K
        assert directory.manifest["tokens_per_replicate"] == 20 * WIDTH // K
        assert directory.dictionary is not None
        assert directory.vocabulary is not None
        for number in range(3):
            samples = directory.read(number)
            assert samples.activations.n_tokens >= 20 * WIDTH // K
            assert (samples.carried is None) == (directory.site.layer == 0)
            assert samples.token_id is not None
            assert set(samples.token_id.tolist()) <= set(directory.vocabulary["token_id"].to_list())


def test_texts_of_consecutive_tokens_read_as_the_document(tiny: Tiny, sampled: Path) -> None:
    texts = [json.loads(line)["text"] for line in tiny.corpus.read_text().splitlines()]
    frame = open_samples(sampled / "0").vocabulary
    assert frame is not None
    words = dict(frame.iter_rows())
    arrays = load_file(sampled / "0" / "replicate-000.safetensors")
    document = arrays["document"][0]
    here = arrays["document"] == document
    text = "".join(words[i] for i in arrays["token_id"][here])
    assert text in texts[document]


def test_positions_of_a_layer_alone_are_the_same(tiny: Tiny, sampled: Path, tmp_path: Path) -> None:
    sample(tiny.config(tmp_path / "one", layers=(1,)))
    one, three = (load_file(root / "1" / "replicate-002.safetensors") for root in (tmp_path / "one", sampled))
    assert "carried_start" not in one
    for name in one:
        np.testing.assert_array_equal(one[name], three[name])
