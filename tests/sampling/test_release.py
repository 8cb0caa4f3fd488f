"""Real releases: stand-ins in the hub's own cache layout, loaded offline by the code that loads real ones."""

import json
from pathlib import Path

import pytest
from safetensors.numpy import load_file

from ingest.sampling import SampleConfig, loading, sample
from ingest.sampling.autoencoder import load
from ingest.sampling.release import candidates, choose
from ingest.sampling.sites import another_model
from tests.sampling import processes
from tests.sampling.conftest import Tiny
from tests.sampling.processes import Outcome
from tests.sampling.tiny import CONTEXT, D_MODEL, WIDTH, into_hub, make_model, make_sae


def _gpt2_stand_in(cache: Path, root: Path) -> None:
    """Put a tiny GPT-2 and SAEs in the old config format where gpt2-small and its release lie."""
    into_hub(cache, make_model(root / "gpt2"), "gpt2")
    for block, kind in ((0, "pre"), (1, "pre"), (11, "post")):
        hook = f"blocks.{block}.hook_resid_{kind}"
        directory = make_sae(root / "saes" / hook, hook, "standard")
        old = {
            "model_name": "gpt2-small",
            "hook_point": hook,
            "hook_point_head_index": None,
            "context_size": CONTEXT,
            "d_in": D_MODEL,
            "d_sae": WIDTH,
            "dtype": "torch.float32",
            "model_from_pretrained_kwargs": {"center_writing_weights": True},
        }
        (directory / "cfg.json").write_text(json.dumps(old))
    into_hub(cache, root / "saes", "jbloom/GPT2-Small-SAEs-Reformatted")


ABSENT: dict[str, dict[str, object]] = {
    "model 'gemma-2-2b'": {"model": "gemma-2-2b"},
    "SAE gpt2-small-res-jb/blocks.3": {"sae": "gpt2-small-res-jb", "layers": (3,)},
    "SAE repository 'local/absent'": {"sae": "local/absent"},
    "dataset 'someone/something'": {"corpus": "someone/something"},
}


@pytest.fixture(scope="module")
def offline(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Outcome]]:
    """Several jobs in one process (its imports take most of the time) with a hub cache and no network."""
    root = tmp_path_factory.mktemp("hub")
    cache = root / "cache"
    model, saes = into_hub(cache, tiny.model, "local/tiny"), into_hub(cache, tiny.saes, "local/tiny-saes")
    _gpt2_stand_in(cache, root)
    gpt2: dict[str, object] = {
        "model": "gpt2-small",
        "sae": "gpt2-small-res-jb",
        "layers": (0, 1),
        "replicates": 1,
    }
    jobs = {
        "repositories": tiny.config(root / "repositories", model=model, sae=saes),
        "gpt2": tiny.config(root / "gpt2-out", **gpt2),
        **{what: tiny.config(root / "absent", **changes) for what, changes in ABSENT.items()},
    }
    outcomes = processes.finish(list(jobs.values()), HF_HOME=str(cache), HF_HUB_OFFLINE="1")
    return root, dict(zip(jobs, outcomes, strict=True))


def test_repositories_in_the_cache_give_what_directories_give(
    offline: tuple[Path, dict[str, Outcome]], sampled: Path
) -> None:
    root, outcomes = offline
    out, done = root / "repositories", outcomes["repositories"]
    assert done.code == 0, done.said
    assert done.paths == [str(out / str(layer)) for layer in range(3)]
    for name in ("replicate-000.safetensors", "dictionary.safetensors", "vocabulary.parquet"):
        assert (out / "1" / name).read_bytes() == (sampled / "1" / name).read_bytes()
    site = json.loads((out / "1" / "samples.json").read_text())["site"]
    assert (site["model"], site["source"]) == ("local/tiny", "tiny-saes-blocks.1.hook_resid_post")


def test_gpt2_small_res_jb_is_named_as_on_neuronpedia_and_its_model_is_centred(
    offline: tuple[Path, dict[str, Outcome]],
) -> None:
    root, outcomes = offline
    assert outcomes["gpt2"].code == 0, outcomes["gpt2"].said
    manifest = json.loads((root / "gpt2-out" / "1" / "samples.json").read_text())
    assert manifest["site"] == {
        "model": "gpt2-small",
        "source": "1-res-jb",
        "layer": 1,
        "hook": "blocks.1.hook_resid_pre",
        "release": "gpt2-small-res-jb",
        "sae_id": "blocks.1.hook_resid_pre",
        "neuronpedia": "gpt2-small/1-res-jb",
    }
    shift = load_file(root / "gpt2-out" / "1" / "dictionary.safetensors")["carried_shift"]
    assert abs(shift.mean()) < 1e-5 * abs(shift).max()


def test_nothing_but_the_plan_and_the_progress_is_said(offline: tuple[Path, dict[str, Outcome]]) -> None:
    for name in ("repositories", "gpt2"):
        plan, *progress = offline[1][name].said.splitlines()
        assert plan.startswith("layers 0, 1")
        # Work that takes less than a second is not spoken of off a terminal.
        assert all(line.startswith("sampling: ") for line in progress)


@pytest.mark.parametrize("what", list(ABSENT))
def test_what_is_not_in_the_cache_is_said_in_one_sentence(
    offline: tuple[Path, dict[str, Outcome]], what: str
) -> None:
    outcome = offline[1][what]
    assert outcome.code == 1
    assert outcome.said.count("\n") == 1
    assert outcome.said.startswith(f"stratigraph: {what}")
    assert "is not in the local cache and the hub cannot be reached" in outcome.said


@pytest.mark.parametrize(
    ("model", "trained_on", "warned"),
    [
        ("gpt2-small", "pythia-70m-deduped", True),
        ("google/gemma-2-2b", "gemma-2-9b", True),
        ("gpt2", "gpt2-small", False),
        ("gpt2-small", "openai-community/gpt2", False),
        ("me/my-gpt2", "gpt2-small", False),
        ("gpt2-small", "tiny", False),
        (".", "gpt2-small", False),
        ("organism", "gpt2-small", False),
    ],
)
def test_an_sae_of_another_known_model_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, trained_on: str, warned: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    hook = "blocks.0.hook_resid_post"
    make_sae(tmp_path / "saes" / hook, hook, metadata={"model_name": trained_on})
    saes = [load(choice, "cpu") for choice in choose(str(tmp_path / "saes"), ())]
    said = another_model(SampleConfig(model, str(tmp_path / "saes"), "organism", tmp_path / "out"), saes)
    assert ("was trained on" in said) == warned
    assert "\n" not in said


def test_the_warning_of_another_model_goes_to_stderr(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(loading, "another_model", lambda *_: "they differ")
    sample(tiny.config(tmp_path / "out", layers=(0,), replicates=1))
    assert capsys.readouterr().err.splitlines()[0] == "stratigraph: warning: they differ"


def test_a_single_directory_is_numbered_among_its_siblings(tmp_path: Path) -> None:
    for hook in ("blocks.0.hook_resid_pre", "blocks.1.hook_resid_pre", "blocks.1.hook_resid_post"):
        make_sae(tmp_path / "saes" / hook, hook)
    assert [(c.layer, c.sae_id) for c in choose(str(tmp_path / "saes" / "blocks.1.hook_resid_post"), ())] == [
        (2, "blocks.1.hook_resid_post")
    ]
    assert [c.layer for c in choose(str(tmp_path / "saes"), (2,))] == [2]


@pytest.mark.parametrize(
    ("source", "ids"),
    [
        ("gpt2-small-res-jb/blocks.8.hook_resid_pre", ["blocks.8.hook_resid_pre"]),
        (
            "gemma-scope-2b-pt-res-canonical/layer_1[01]/width_16k/*",
            ["layer_10/width_16k/canonical", "layer_11/width_16k/canonical"],
        ),
        ("jbloom/GPT2-Small-SAEs-Reformatted/blocks.11.hook_resid_post", ["blocks.11.hook_resid_post"]),
    ],
)
def test_releases_are_found_by_name_pattern_and_repository(source: str, ids: list[str]) -> None:
    assert [c.sae_id for c in candidates(source)] == ids


def test_layers_of_the_stream_alone_are_carried(tiny: Tiny, tmp_path: Path) -> None:
    saes = tmp_path / "saes"
    for hook in ("blocks.0.hook_resid_post", "blocks.1.hook_mlp_out", "blocks.2.hook_resid_post"):
        make_sae(saes / hook, hook)
    sample(tiny.config(tmp_path / "out", sae=str(saes), replicates=1))
    manifests = [json.loads((tmp_path / "out" / str(i) / "samples.json").read_text()) for i in range(3)]
    assert [m.get("carried_from") for m in manifests] == [None, None, "0"]


def test_the_built_in_model_is_sampled_with_labels_to_be_found_again(tmp_path: Path) -> None:
    from ingest.organism import MODEL_DIRECTORY, documents

    config = SampleConfig(
        "organism", "organism", "organism", tmp_path / "out", (1, 2), activations=5, replicates=2
    )
    paths = sample(config)
    assert [p.name for p in paths] == ["1", "2"]
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(MODEL_DIRECTORY)
    arrays = load_file(paths[0] / "replicate-001.safetensors")
    words = dict(
        enumerate(d.words for d, _ in zip(documents(0), range(arrays["document"].max() + 1), strict=False))
    )
    for token, document, offset in zip(
        arrays["token_id"][:500], arrays["document"], arrays["offset"], strict=False
    ):
        assert tokenizer.convert_ids_to_tokens(int(token)) == words[int(document)][int(offset)]
    assert json.loads((paths[0] / "samples.json").read_text())["site"]["source"] == "blocks.1.hook_resid_post"
