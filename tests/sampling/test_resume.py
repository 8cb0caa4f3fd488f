"""The directory after a kill, a second run, another configuration, another seed."""

import json
import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from analysis.errors import MisuseError, StratigraphError
from ingest.sampling import Plan, plan, sample
from ingest.sampling import config as config_module
from tests.sampling import processes
from tests.sampling.conftest import Tiny
from tests.sampling.tiny import make_corpus


def _bytes(root: Path) -> dict[str, bytes]:
    return {str(file.relative_to(root)): file.read_bytes() for file in root.rglob("*") if file.is_file()}


def _listed(out: Path) -> int:
    try:
        return len(json.loads((out / "2" / "samples.json").read_text())["replicates"])
    except FileNotFoundError:
        return 0


def test_a_killed_job_resumes_to_the_same_bytes(tiny: Tiny, tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path / "long.jsonl", 2500, 40)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    changes = {"corpus": str(corpus), "activations": 400, "replicates": 8}
    process = processes.start([tiny.config(killed, **changes)])
    while _listed(killed) < 2:
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    left = _listed(killed)
    assert 2 <= left < 8
    assert not json.loads((killed / "2" / "samples.json").read_text())["complete"]
    before = {name: (killed / "0" / name).stat().st_mtime_ns for name in ("replicate-000.safetensors",)}

    sample(tiny.config(killed, **changes))
    sample(tiny.config(whole, **changes))
    assert _bytes(killed) == _bytes(whole)
    assert {name: (killed / "0" / name).stat().st_mtime_ns for name in before} == before


def test_a_finished_job_loads_no_model_and_touches_nothing(
    tiny: Tiny, sampled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {file: file.stat().st_mtime_ns for file in sampled.rglob("*")}
    monkeypatch.setattr("ingest.sampling.job.prepare", None)
    assert sample(tiny.config(sampled)) == [sampled / str(layer) for layer in range(3)]
    assert before == {file: file.stat().st_mtime_ns for file in sampled.rglob("*")}


@pytest.mark.parametrize(
    "name",
    [
        *("1/replicate-000.safetensors", "1/replicate-001.safetensors"),
        *("2/dictionary.safetensors", "0/vocabulary.parquet"),
    ],
)
@pytest.mark.parametrize("damage", ["missing", "truncated", "garbage"])
def test_a_file_that_does_not_read_is_made_again_to_the_same_bytes(
    tiny: Tiny, sampled: Path, tmp_path: Path, name: str, damage: str
) -> None:
    out = tmp_path / "out"
    shutil.copytree(sampled, out)
    kept = {file: file.stat().st_mtime_ns for file in out.rglob("replicate-*")}
    file = out / name
    whole = file.read_bytes()
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes(whole[:-10] if damage == "truncated" else b"garbage" * 20)
    plans: list[Plan] = []
    sample(tiny.config(out), plans.append)
    assert plans[0].broken == (file,)
    assert plans[0].finished == (2 if "replicate" in name else 3)
    assert _bytes(out) == _bytes(sampled)
    kept.pop(file, None)
    assert kept == {other: other.stat().st_mtime_ns for other in kept}


@pytest.mark.parametrize(
    "changes",
    [{"seed": 1}, {"activations": 21}, {"replicates": 4}, {"layers": (0, 1)}, {"text_column": "text"}],
)
def test_another_configuration_is_refused(tiny: Tiny, sampled: Path, changes: dict[str, object]) -> None:
    with pytest.raises(MisuseError, match=f"another configuration: {next(iter(changes))}"):
        sample(tiny.config(sampled, **changes))


@pytest.mark.parametrize("hashed", [1 << 30, 1 << 20])
def test_an_edit_in_the_middle_of_a_large_file_is_another_corpus(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hashed: int
) -> None:
    monkeypatch.setattr(config_module, "_HASHED", hashed)
    corpus = tmp_path / "corpus.txt"
    corpus.write_bytes(b"a" * (5 << 20))
    config = tiny.config(tmp_path / "out", corpus=str(corpus))
    before = config.identity()
    assert config.identity() == before
    with corpus.open("r+b") as stream:
        stream.seek(5 << 19)
        stream.write(b"b")
    assert config.identity() != before
    assert {**config.identity(), "corpus": ""} == {**before, "corpus": ""}


def test_small_files_count_by_content_alone(tiny: Tiny, tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path / "corpus.jsonl")
    before = tiny.config(tmp_path / "out", corpus=str(corpus)).identity()
    os.utime(corpus, (1, 1))
    assert tiny.config(tmp_path / "out", corpus=str(corpus)).identity() == before


@pytest.mark.parametrize("layers", [(), (0, 1)])
def test_samples_of_another_program_are_refused(tiny: Tiny, tmp_path: Path, layers: tuple[int, ...]) -> None:
    (tmp_path / "0").mkdir()
    manifest = {"format": "stratigraph-samples", "version": 1, "site": {}, "n_features": 3, "replicates": []}
    (tmp_path / "0" / "samples.json").write_text(json.dumps(manifest))
    with pytest.raises(MisuseError, match=r"0 holds samples that another program wrote .* another --out"):
        sample(tiny.config(tmp_path, layers=layers))


def test_a_changed_corpus_is_another_configuration(tiny: Tiny, tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path / "corpus.jsonl")
    config = tiny.config(tmp_path / "out", corpus=str(corpus), layers=(0,))
    sample(config)
    corpus.write_text(corpus.read_text().replace("dog", "cat"))
    with pytest.raises(MisuseError, match="another configuration: corpus"):
        sample(config)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(
    tiny: Tiny, sampled: Path, tmp_path: Path
) -> None:
    sample(tiny.config(tmp_path / "again"))
    assert _bytes(tmp_path / "again") == _bytes(sampled)
    sample(tiny.config(tmp_path / "other", seed=1))
    name = "0/replicate-000.safetensors"
    assert _bytes(tmp_path / "other")[name] != _bytes(sampled)[name]


def test_batch_is_no_part_of_the_configuration(tiny: Tiny, sampled: Path) -> None:
    assert sample(tiny.config(sampled, batch=1, device="cpu"))


def test_a_second_job_on_the_same_directory_is_told_so(tiny: Tiny, tmp_path: Path) -> None:
    import fcntl

    out = tmp_path / "out"
    out.mkdir()
    handle = os.open(out, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        with pytest.raises(StratigraphError, match="being written by another sample command"):
            sample(tiny.config(out))
    finally:
        os.close(handle)


def test_the_plan_says_tokens_and_time(tiny: Tiny, tmp_path: Path) -> None:
    found = plan(tiny.config(tmp_path / "out"))
    assert found.tokens_per_replicate == 200
    assert found.tokens == 600
    assert found.finished == 0
    assert found.seconds > 0
    assert "3 replicates of 200 tokens, 600 to read, about 0 s" in found.sentence()
    assert not list((tmp_path / "out").rglob("samples.json"))
