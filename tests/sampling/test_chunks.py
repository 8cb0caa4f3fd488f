"""Corpora too large to permute: every document once, and every replicate from all over them."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import load_file

from analysis.errors import DataError
from ingest.sampling import chunks, corpus, draw, sample
from ingest.sampling.chunks import chunks_of, scattered
from tests.sampling.conftest import Tiny
from tests.sampling.tiny import WORDS

TEXTS = [f"{number} café" + "x" * (number % 13) for number in range(600)]


def _write(directory: Path, kind: str, texts: list[str], files: int) -> list[Path]:
    """Write texts, in their order, to a few files."""
    directory.mkdir(exist_ok=True)
    each = -(-len(texts) // files)
    found = []
    for number in range(files):
        part = texts[number * each : (number + 1) * each]
        file = directory / f"{number}.{kind}"
        if kind == "parquet":
            pl.DataFrame({"text": part}).write_parquet(file, row_group_size=7)
        elif kind == "json":
            file.write_text(json.dumps([{"text": text} for text in part]))
        elif kind == "txt":
            file.write_text("\n".join(part) + "\n")
        else:
            file.write_text("\n".join(json.dumps({"text": text}, ensure_ascii=False) for text in part))
        found.append(file)
    return found


@pytest.mark.parametrize("size", [1, 10, 64, 1 << 20])
@pytest.mark.parametrize("kind", ["jsonl", "json", "parquet", "txt"])
def test_every_document_comes_once_in_an_order_by_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, size: int
) -> None:
    monkeypatch.setattr(chunks, "BYTES", size)
    files = _write(tmp_path, kind, TEXTS, 3)
    once, again, other = (list(scattered(files, None, seed)) for seed in (0, 0, 1))
    assert once == again
    if len(chunks_of(files, size)) > 3:
        assert once != other
    for found in (once, other):
        assert sorted("".join(found).split("\n") if kind == "txt" else found) == sorted(
            [*TEXTS, ""] if kind == "txt" else TEXTS
        )


def test_few_large_chunks_are_open_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = _write(tmp_path, "json", TEXTS, 6)
    monkeypatch.setattr(chunks, "_OPEN_BYTES", files[0].stat().st_size + 10)
    found = [TEXTS.index(text) // 100 for text in scattered(files, None, 0)]
    assert sorted(found) == [number // 100 for number in range(600)]
    assert sum(a != b for a, b in pairwise(found)) == 5


def test_a_bad_line_is_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "BYTES", 64)
    (file,) = _write(tmp_path, "jsonl", TEXTS, 1)
    data = file.read_bytes()
    at = data.index(b'{"text": "300')
    file.write_bytes(data[:at] + b"{\n" + data[at:])
    with pytest.raises(DataError, match=rf"0.jsonl line [0-9]+ after byte {at // 64 * 64}: not JSON"):
        list(scattered([file], None, 0))


@pytest.mark.parametrize("kind", ["jsonl", "parquet", "txt"])
def test_replicates_of_a_large_corpus_come_from_all_over_it(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    from transformers import AutoTokenizer

    monkeypatch.setattr(corpus, "_PERMUTED_BYTES", 1000)
    monkeypatch.setattr(chunks, "BYTES", 256)
    monkeypatch.setattr(draw, "LARGE_BUFFER", 256)
    words = sorted(w for w in WORDS if w.isascii() and len(w) > 2)
    number = 12_000  # the words of a document tell its place in the corpus
    texts = [" ".join([" " + words[i * len(words) // number]] * 8) for i in range(number)]
    _write(tmp_path / "texts", kind, texts, 2)
    config = tiny.config(
        tmp_path / "out", corpus=str(tmp_path / "texts"), layers=(0,), activations=100, replicates=4
    )
    (path,) = sample(config)
    assert json.loads((path / "samples.json").read_text())["corpus"]["draw"] == "chunks"
    tokenizer = AutoTokenizer.from_pretrained(tiny.model)
    for replicate in range(4):
        arrays = load_file(path / f"replicate-{replicate:03d}.safetensors")
        text = tokenizer.decode(arrays["token_id"].tolist())
        shares = np.asarray([text.count(word) for word in words]) / sum(text.count(w) for w in words)
        assert (shares > 0).mean() > 0.8
        assert shares.max() < 0.4
