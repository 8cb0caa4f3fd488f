"""Requests that cannot be met: one sentence with the value, what was expected and the remedy."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from analysis.errors import DataError, MisuseError, StratigraphError
from ingest.sampling import SampleConfig, local_text, sample
from tests.sampling.conftest import Tiny
from tests.sampling.tiny import make_corpus, make_sae, make_saes


def _refused(config: SampleConfig, kind: type[StratigraphError] = MisuseError) -> str:
    with pytest.raises(StratigraphError) as caught:
        sample(config)
    assert type(caught.value) is kind, caught.value
    assert not config.out.exists()
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"sae": "gpt2-smal-res-jb"}, "the nearest are gpt2-small-res-jb"),
        ({"sae": "gpt2-small-res-jb/blocks.8.hook_resid_pst"}, "the nearest are .*blocks.8.hook_resid_pre"),
        ({"sae": "gpt2-small-res-jb", "layers": (0, 13)}, "no SAE for layer 13; it covers layers 0-12"),
        (
            {"sae": "gemma-scope-2b-pt-res-canonical", "layers": (5,)},
            "SAEs for layer 5: gemma-scope-2b-pt-res",
        ),
        (
            {"sae": "google/gemma-scope-2b-pt-res"},
            "name one of gemma-scope-2b-pt-res, gemma-scope-2b-pt-res-canon",
        ),
        ({"sae": "./nowhere"}, "is no directory; expected one that holds cfg.json"),
        ({"model": "./nowhere"}, "--model './nowhere' is no directory"),
        ({"corpus": "nowhere.jsonl"}, "no such file; expected .jsonl"),
        ({"corpus": "nowhere/*.txt"}, "no such file"),
        ({"text_column": "body"}, "--text-column 'body' is not in .*corpus.jsonl; its columns are text"),
        ({"split": "test"}, "--split 'test' is for datasets on the hub"),
        ({"layers": (0, 7)}, "no SAE for layer 7; it covers layers 0-2"),
        ({"replicates": 1000}, "allows at most [0-9]+ replicates of 200 tokens that share no text, and 1000"),
        (
            {"activations": 100000},
            "allows at most 0 replicates of 1,000,000 tokens .* or fewer --activations",
        ),
        ({"device": "cuda"}, "torch sees no GPU"),
    ],
)
def test_requests_are_refused(tiny: Tiny, tmp_path: Path, changes: dict[str, object], says: str) -> None:
    import re

    import torch

    if changes.get("device") == "cuda" and torch.cuda.is_available():
        pytest.skip("there is a GPU")
    assert re.search(says, _refused(tiny.config(tmp_path / "out", **changes)))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"replicates": 0}, "--replicates is 0; expected 1 or more"),
        ({"activations": -1}, "--activations is -1"),
        ({"device": "tpu"}, "--device is 'tpu'; expected one of auto, cpu, cuda"),
        ({"layers": (1, 0)}, "expected ascending numbers"),
        ({"corpus": "organism", "split": "train"}, "--split 'train' says how to read a dataset"),
        ({"model": ""}, "--model is empty"),
    ],
)
def test_contradictions_are_refused_at_construction(
    tiny: Tiny, tmp_path: Path, changes: dict[str, object], says: str
) -> None:
    with pytest.raises(MisuseError, match=says):
        tiny.config(tmp_path, **changes)


def test_a_small_corpus_is_refused_before_the_first_forward_pass(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ingest.sampling import pilot

    monkeypatch.setattr(pilot, "measure", None)
    text = _refused(tiny.config(tmp_path / "out", replicates=1000))
    allowed = int(text.split("at most ")[1].split(" ")[0])
    monkeypatch.undo()
    sample(tiny.config(tmp_path / "most", replicates=allowed, layers=(0,)))


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        ({"hook_name_out": "blocks.0.hook_mlp_out"}, "is a transcoder"),
        ({"hook_head_index": 1}, "reads head 1 of blocks.0.hook_resid_post alone"),
        (
            {"hook_name": "blocks.0.hook_elsewhere"},
            "'blocks.0.hook_elsewhere', which the model does not have",
        ),
        ({"hook_name": "hook_embed"}, "no SAE at a block"),
        (
            {"model_from_pretrained_kwargs": {"fold_everything": True}},
            "loaded with {'fold_everything': True}",
        ),
    ],
)
def test_saes_that_cannot_be_used_are_refused(
    tiny: Tiny, tmp_path: Path, metadata: dict[str, object], says: str
) -> None:
    make_sae(tmp_path / "saes" / "one", "blocks.0.hook_resid_post", metadata=metadata)
    assert says in _refused(tiny.config(tmp_path / "out", sae=str(tmp_path / "saes")))


@pytest.mark.parametrize(
    ("name", "value"), [("model_name", "other"), ("context_size", 8), ("prepend_bos", False)]
)
def test_saes_that_disagree_are_refused(tiny: Tiny, tmp_path: Path, name: str, value: object) -> None:
    saes = make_saes(tmp_path / "saes")
    make_sae(saes / "blocks.1.hook_resid_post", "blocks.1.hook_resid_post", metadata={name: value})
    assert f"the SAEs disagree on {name}" in _refused(tiny.config(tmp_path / "out", sae=str(saes)))


def test_two_saes_of_one_layer_are_listed_until_one_is_named(tiny: Tiny, tmp_path: Path) -> None:
    saes = tmp_path / "saes"
    for width in (20, 40):
        for block in (0, 1):
            hook = f"blocks.{block}.hook_resid_post"
            make_sae(saes / hook / f"width_{width}", hook, d_sae=width)
    text = _refused(tiny.config(tmp_path / "out", sae=str(saes)))
    assert "2 SAEs for layer 0" in text
    assert "saes/blocks.0.hook_resid_post/width_40" in text
    paths = sample(tiny.config(tmp_path / "out", sae=f"{saes}/*width_20"))
    assert [json.loads((p / "samples.json").read_text())["n_features"] for p in paths] == [20, 20]


def test_an_sae_of_another_width_than_the_model_is_refused(tiny: Tiny, tmp_path: Path) -> None:
    make_sae(tmp_path / "saes" / "one", "blocks.0.hook_resid_post", d_in=8)
    assert "reads 8 numbers per token" in _refused(tiny.config(tmp_path / "out", sae=str(tmp_path / "saes")))


def test_unscaled_input_is_refused_until_the_scale_is_there(tiny: Tiny, tmp_path: Path) -> None:
    saes = tmp_path / "saes"
    one = make_sae(
        saes / "one", "blocks.0.hook_resid_post", "standard", normalize_activations="expected_average_only_in"
    )
    assert "put activation_scaler.json" in _refused(tiny.config(tmp_path / "out", sae=str(saes)))
    (one / "activation_scaler.json").write_text('{"scaling_factor": 0.25}')
    sample(tiny.config(tmp_path / "out", sae=str(saes)))


def test_broken_files_are_named(tiny: Tiny, tmp_path: Path) -> None:
    saes = tmp_path / "saes"
    one = make_sae(saes / "one", "blocks.0.hook_resid_post")
    weights = one / "sae_weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    assert "cannot be loaded" in _refused(tiny.config(tmp_path / "out", sae=str(saes)), DataError)
    (one / "cfg.json").write_text("{")
    assert "not readable as an SAE config" in _refused(
        tiny.config(tmp_path / "out", sae=str(saes)), DataError
    )


def test_broken_corpora_are_named(tiny: Tiny, tmp_path: Path) -> None:
    lines = make_corpus(tmp_path / "c.jsonl").read_text().splitlines()
    config = tiny.config(tmp_path / "out", corpus=str(tmp_path / "c.jsonl"))
    (tmp_path / "c.jsonl").write_text("\n".join([*lines[:5], "{", *lines[5:]]))
    assert "c.jsonl line 6: not JSON" in _refused(config, DataError)
    (tmp_path / "c.jsonl").write_text("\n".join([lines[0], json.dumps({"text": 3})]))
    assert "line 2: column 'text' holds '3', not text" in _refused(config)
    (tmp_path / "c.parquet").write_text("no")
    config = tiny.config(tmp_path / "out", corpus=str(tmp_path / "c.parquet"))
    assert "not readable as parquet" in _refused(config, DataError)
    pl.DataFrame({"body": ["a"]}).write_parquet(tmp_path / "c.parquet")
    assert "its columns are body" in _refused(config)
    (tmp_path / "empty").mkdir()
    config = tiny.config(tmp_path / "out", corpus=str(tmp_path / "empty"))
    assert "holds no text" in _refused(config) or "no such file" in _refused(config)


@pytest.mark.parametrize("name", ["c.jsonl", "c.json"])
def test_json_that_is_not_utf8_is_named_with_its_line(tiny: Tiny, tmp_path: Path, name: str) -> None:
    lines = [json.dumps({"text": word}, ensure_ascii=False) for word in ("house", "café", "river")]
    joined = "[" + ",\n".join(lines) + "]" if name == "c.json" else "\n".join(lines)
    (tmp_path / name).write_bytes(joined.encode("latin-1"))
    text = _refused(tiny.config(tmp_path / "out", corpus=str(tmp_path / name)), DataError)
    assert f"{name} line 2: byte 0xe9 is not UTF-8; expected JSON in UTF-8, convert the file" in text


def test_a_byte_order_mark_is_no_part_of_the_first_record(tmp_path: Path) -> None:
    for name in ("c.jsonl", "c.json"):
        (tmp_path / name).write_text(json.dumps({"text": "house"}), encoding="utf-8-sig")
        assert list(local_text.documents([tmp_path / name], None)) == ["house"]


def test_a_silent_sae_is_refused(tiny: Tiny, tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    one = make_sae(tmp_path / "saes" / "one", "blocks.0.hook_resid_post", "standard")
    file = one / "sae_weights.safetensors"
    weights = load_file(file)
    save_file({**weights, "b_enc": np.full_like(weights["b_enc"], -1e6)}, file)
    config = tiny.config(tmp_path / "out", sae=str(tmp_path / "saes"))
    assert "no feature of SAE one fires" in _refused(config)
