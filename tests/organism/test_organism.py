"""The committed model and SAEs: they load the standard way and are as good as the card says."""

import json
import os
import shutil
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from ingest.organism import CARD, DATA_DIRECTORY, MODEL_DIRECTORY, SAE_DIRECTORY, documents
from ingest.organism.measure import Quality, measure
from ingest.organism.recipe import Recipe

RECIPE = Recipe()


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(MODEL_DIRECTORY)


@pytest.fixture(scope="module")
def quality() -> Quality:
    return measure(MODEL_DIRECTORY, SAE_DIRECTORY, RECIPE, tokens=20_000)


def test_it_is_small_enough_to_keep_in_the_repository() -> None:
    files = [path for path in DATA_DIRECTORY.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 8_000_000


def test_a_word_is_a_token(tokenizer: PreTrainedTokenizerBase) -> None:
    for document in islice(documents(11), 500):
        ids = tokenizer(document.text, add_special_tokens=False).input_ids
        assert tokenizer.convert_ids_to_tokens(ids) == list(document.words)
        assert tokenizer.unk_token_id not in ids
        assert tokenizer.decode(ids) == document.text


def test_the_model_has_learnt_more_than_word_frequencies(quality: Quality) -> None:
    assert quality["validation_loss"] < 0.6 * quality["unigram_loss"]


def test_there_is_a_good_sae_on_every_layer(quality: Quality) -> None:
    assert RECIPE.layers >= 4
    assert sorted(path.name for path in SAE_DIRECTORY.iterdir()) == sorted(RECIPE.hooks)
    for hook in RECIPE.hooks:
        sae = quality["saes"][hook]
        assert sae["fvu"] < 0.05
        assert sae["dead_share"] < 0.25


def test_the_card_says_what_is_measured(quality: Quality) -> None:
    card = json.loads(CARD.read_text())
    assert card["validation_loss"] == pytest.approx(quality["validation_loss"], rel=0.05)
    for hook, sae in quality["saes"].items():
        assert card["saes"][hook]["fvu"] == pytest.approx(sae["fvu"], rel=0.15)
        assert card["saes"][hook]["l0"] == pytest.approx(sae["l0"], rel=0.05)
    assert card["recipe"]["seed"] == RECIPE.seed


def test_metadata_says_how_to_read_the_model() -> None:
    for hook in RECIPE.hooks:
        config = json.loads((SAE_DIRECTORY / hook / "cfg.json").read_text())
        metadata = config["metadata"]
        assert metadata["hook_name"] == hook
        assert metadata["context_size"] == RECIPE.context
        assert metadata["prepend_bos"] is True
        # Anything else would be applied by only one of SAELens' two loaders.
        assert config["normalize_activations"] == "none"


_FROM_THE_HUB = """
import sys, torch
from sae_lens import SAE
from transformer_lens.model_bridge import TransformerBridge

directory, hook = sys.argv[1:]
near = SAE.load_from_disk(directory + "/saes/" + hook)
far = SAE.from_pretrained("local/organism", "saes/" + hook)
here = TransformerBridge.boot_transformers(directory + "/model", device="cpu")
there = TransformerBridge.boot_transformers("local/organism", device="cpu")
rows = torch.randint(3, here.cfg.d_vocab, (4, here.cfg.n_ctx), generator=torch.Generator().manual_seed(0))
rows[:, 0] = here.tokenizer.bos_token_id
with torch.no_grad():
    _, mine = here.run_with_cache(rows, names_filter=[hook])
    _, theirs = there.run_with_cache(rows, names_filter=[hook])
    assert torch.equal(mine[hook], theirs[hook])
    features = near.encode(mine[hook])
    assert torch.equal(features, far.encode(mine[hook]))
    assert (features > 0).any()
    assert torch.equal(near.decode(features), far.decode(features))
"""


def test_the_hub_and_the_disk_give_the_same_activations(tmp_path: Path) -> None:
    """A directory laid out as the hub's cache runs the code that real releases run."""
    revision = "0" * 40
    repository = tmp_path / "hub" / "models--local--organism"
    snapshot = repository / "snapshots" / revision
    shutil.copytree(MODEL_DIRECTORY, snapshot)
    shutil.copytree(SAE_DIRECTORY, snapshot / "saes")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(revision)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _FROM_THE_HUB, str(DATA_DIRECTORY), RECIPE.hooks[-1]],
        env=os.environ | {"HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
