"""Local files of every kind, and datasets as the hub's library opens them."""

import json
from pathlib import Path

import polars as pl
import pytest

from analysis.errors import MisuseError
from ingest.sampling import local_text, sample
from ingest.sampling.hub_text import open_dataset
from ingest.sampling.tokens import tokenized
from tests.sampling.conftest import Tiny
from tests.sampling.tiny import make_corpus, make_tokenizer, text

TEXTS = ["one, two", "drei é", "four\nfive"]


def _write(directory: Path) -> dict[str, Path]:
    records = [{"id": i, "body": t} for i, t in enumerate(TEXTS)]
    files = {kind: directory / f"c.{kind}" for kind in ("jsonl", "json", "parquet")}
    files["jsonl"].write_text("\n".join(map(json.dumps, records)) + "\n\n")
    files["json"].write_text(json.dumps(records, indent=1))
    pl.DataFrame(records).write_parquet(files["parquet"])
    return files


@pytest.mark.parametrize("kind", ["jsonl", "json", "parquet"])
def test_records_are_read(tmp_path: Path, kind: str) -> None:
    file = _write(tmp_path)[kind]
    assert list(local_text.documents([file], "body")) == TEXTS


def test_text_files_are_documents_in_utf8_or_latin1(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "one.txt").write_bytes("é".encode())
    (tmp_path / "two.txt").write_bytes("é".encode("latin-1"))
    (tmp_path / "three.md").write_text("no")
    (tmp_path / ".hidden.txt").write_text("no")
    for source in (str(tmp_path), f"{tmp_path}/**/*.txt"):
        assert list(local_text.documents(local_text.text_files(source, tmp_path / "out"), None)) == ["é", "é"]
    with pytest.raises(MisuseError, match="text files have no columns"):
        local_text.check(local_text.text_files(str(tmp_path), tmp_path / "out"), "body")


def test_a_directory_of_books_is_sampled(tiny: Tiny, tmp_path: Path) -> None:
    books = tmp_path / "books"
    books.mkdir()
    for number in range(3):
        (books / f"{number}.txt").write_text(text(number, 600))
    paths = sample(tiny.config(tmp_path / "out", corpus=str(books), layers=(0,)))
    assert json.loads((paths[0] / "samples.json").read_text())["corpus"] == {
        "name": "books",
        "draw": "permutation",
        "files": 3,
        "bytes": sum(f.stat().st_size for f in books.iterdir()),
    }


@pytest.mark.parametrize("corpus", ["", "**/*"])
@pytest.mark.parametrize("out", ["texts/sampled", "texts"])
def test_what_the_job_writes_is_no_text_of_its_corpus(
    tiny: Tiny, tmp_path: Path, corpus: str, out: str
) -> None:
    texts = tmp_path / "texts"
    texts.mkdir()
    make_corpus(texts / "a.jsonl")
    config = tiny.config(tmp_path / out, corpus=str(texts / corpus), layers=(0,))
    (first,) = sample(config)
    (texts / ".replicate.json.part").write_text("{")
    assert sample(config) == [first]
    assert json.loads((first / "samples.json").read_text())["corpus"]["files"] == 1
    assert local_text.text_files(config.corpus, config.out) == [texts / "a.jsonl"]
    manifest = json.loads((first / "samples.json").read_text())
    (first / "samples.json").write_text(json.dumps({**manifest, "complete": False}))
    assert sample(config) == [first]


def test_a_corpus_that_lies_in_out_is_read(tmp_path: Path) -> None:
    make_corpus(tmp_path / "a.jsonl")
    (tmp_path / "texts").mkdir()
    inner = make_corpus(tmp_path / "texts" / "b.jsonl")
    for source in (tmp_path / "texts", inner, tmp_path / "texts" / "*.jsonl"):
        assert local_text.text_files(str(source), tmp_path) == [inner]


def test_a_long_document_is_tokenised_in_parts_without_loss() -> None:
    tokenizer = make_tokenizer()
    long = text(0, 250_000)
    assert len(long) > 1 << 20
    whole = long.replace(", ", "\n")
    short, one, last = tokenized(["a dog", whole, "a cat"], tokenizer)
    assert one.tolist() == tokenizer(whole)["input_ids"]
    assert tokenizer.decode(short.tolist()) == "a dog"
    assert tokenizer.decode(last.tolist()) == "a cat"


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A dataset with two configurations in the hub's own layout of files, in a local directory."""
    root = tmp_path / "dataset"
    for config, words in (("small", 3), ("large", 5)):
        (root / config).mkdir(parents=True)
        lines = [json.dumps({"body": text(i, words), "id": i}) for i in range(400)]
        (root / config / "train.jsonl").write_text("\n".join(lines))
    (root / "README.md").write_text(
        "---\nconfigs:\n- config_name: small\n  data_files: small/*.jsonl\n"
        "- config_name: large\n  data_files: large/*.jsonl\n---\n"
    )
    return root


def test_a_dataset_is_streamed_in_seeded_order(dataset: Path) -> None:
    once, again, other = (
        list(open_dataset(str(dataset), "large", "train", "body", seed)()) for seed in (0, 0, 1)
    )
    assert once == again != other
    assert sorted(once) == sorted(other) == sorted(text(i, 5) for i in range(400))


@pytest.mark.parametrize(
    ("config", "split", "column", "says"),
    [
        ("medium", "train", "body", "--dataset-config medium --split train: .*small"),
        ("small", "test", "body", "--split test: .*train"),
        ("small", "train", "text", "--text-column 'text' holds no text .* columns are body, id"),
        ("small", "train", "id", "--text-column 'id' holds no text"),
    ],
)
def test_what_a_dataset_lacks_is_said(dataset: Path, config: str, split: str, column: str, says: str) -> None:
    with pytest.raises(MisuseError, match=says):
        open_dataset(str(dataset), config, split, column, 0)


def test_a_stream_that_ends_early_says_how_many_replicates_it_allows(
    tiny: Tiny, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ingest.sampling import corpus

    monkeypatch.setattr(corpus, "files_of", lambda _: [])
    monkeypatch.setattr(corpus, "looks_local", lambda _: False)
    config = tiny.config(
        tmp_path / "out",
        corpus=str(dataset),
        dataset_config="small",
        text_column="body",
        replicates=50,
        layers=(0,),
    )
    with pytest.raises(MisuseError, match=r"allows at most [0-9]+ replicates"):
        sample(config)
