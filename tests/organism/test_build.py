"""What the build leaves behind, without the training."""

import stat
from pathlib import Path
from types import SimpleNamespace

import pytest

from ingest.organism import build as module
from ingest.organism.recipe import Recipe


def test_everyone_may_read_what_is_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def save(*arguments: object) -> None:
        directory = Path(str(arguments[-1]))
        directory.mkdir(parents=True)
        (directory / "model.safetensors").touch(mode=0o600)

    monkeypatch.setattr(module, "make_tokenizer", lambda *_: "words")
    monkeypatch.setattr(module, "train_model", lambda *_: SimpleNamespace(num_parameters=lambda: 1))
    monkeypatch.setattr(module, "save_model", save)
    monkeypatch.setattr(module, "train_saes", lambda *_: None)
    monkeypatch.setattr(module, "measure", lambda *_: {})
    module.build(tmp_path / "data", Recipe())
    (tmp_path / "plain").touch()
    files = [file for file in (tmp_path / "data").rglob("*") if file.is_file()]
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in files}
    expected = stat.S_IMODE((tmp_path / "plain").stat().st_mode)
    assert modes == {"model.safetensors": expected, "card.json": expected}
