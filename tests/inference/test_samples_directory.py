import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from analysis.errors import DataError, MisuseError
from ingest.samples_directory import open_samples
from tests.support.foreign_samples import write_samples


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return write_samples(tmp_path / "s", replicates=2, n=50)


def edit_manifest(directory: Path, change: Callable[[dict[str, Any]], object]) -> None:
    file = directory / "samples.json"
    manifest = json.loads(file.read_text())
    change(manifest)
    file.write_text(json.dumps(manifest))


def edit_replicate(directory: Path, change: Callable[[dict[str, Any]], object]) -> None:
    file = directory / "replicate-001.safetensors"
    arrays = load_file(file)
    change(arrays)
    save_file(arrays, file)


def test_what_was_written_is_read(directory: Path) -> None:
    samples = open_samples(directory)
    read = samples.read(1)
    arrays = load_file(directory / "replicate-001.safetensors")
    np.testing.assert_array_equal(read.activations.value, arrays["value"])
    assert read.token_id is not None
    np.testing.assert_array_equal(read.token_id, arrays["token_id"])
    assert samples.site.feature_id(4) == "toy/3-res/4"
    assert samples.dictionary is not None
    assert samples.dictionary.decoder.shape == (31, 8)


def test_half_precision_values_are_read(directory: Path) -> None:
    edit_replicate(directory, lambda a: a.update(value=a["value"].astype(np.float16)))
    assert open_samples(directory).read(1).activations.value.dtype == np.float32


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda a: a["value"].__setitem__(3, np.nan), "value nan of feature .* at token"),
        (lambda a: a["value"].__setitem__(3, -1), r"value -1\.0 of feature .* at token"),
        (lambda a: a["feature"].__setitem__(0, 31), r"feature 31 at token \d+ is out of range 0\.\.30"),
        (lambda a: a["feature"].__setitem__(slice(None), a["feature"][::-1].copy()), "strictly ascending"),
        (lambda a: a.update(start=a["start"][:-1]), "expected .* the number of entries"),
        (lambda a: a.pop("start"), "has no 'start'"),
        (lambda a: a.update(feature=a["feature"].astype(np.int64)), "feature is int64; expected int32"),
        (lambda a: a.update(position=a["position"][:-1]), r"position has shape \(49,\); expected \(50,\)"),
        (lambda a: a.update(carried_start=a["start"]), "has no 'carried_feature'"),
    ],
)
def test_a_broken_replicate_is_refused_by_name(
    directory: Path, change: Callable[[dict[str, Any]], object], says: str
) -> None:
    edit_replicate(directory, change)
    samples = open_samples(directory)
    samples.read(0)
    with pytest.raises(DataError, match=says) as refusal:
        samples.read(1)
    assert "replicate-001.safetensors" in str(refusal.value)


@given(cut=st.floats(0, 0.999))
def test_a_truncated_file_is_never_read(tmp_path_factory: pytest.TempPathFactory, cut: float) -> None:
    directory = write_samples(tmp_path_factory.mktemp("cut") / "s", replicates=1, n=30)
    file = directory / "replicate-000.safetensors"
    data = file.read_bytes()
    file.write_bytes(data[: int(cut * len(data))])
    with pytest.raises(DataError, match="truncated or not a safetensors file"):
        open_samples(directory).read(0)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda m: m.update(format="samples"), "format is 'samples'; expected 'stratigraph-samples'"),
        (lambda m: m.update(version=2), "version is 2; this program reads version 1"),
        (lambda m: m.update(n_features=0), "n_features is 0; expected a whole number above 0"),
        (lambda m: m.update(n_features=True), "n_features is True"),
        (lambda m: m.update(replicates={}), "expected a list"),
        (lambda m: m["replicates"][0].pop("tokens"), r"replicates\[0\].tokens is None"),
        (lambda m: m["replicates"][1].update(file="../x"), "expected a name inside the directory"),
        (lambda m: m["replicates"][1].update(file="replicate-000.safetensors"), "twice; expected another"),
        (lambda m: m["site"].pop("layer"), "site.layer is None; expected int"),
        (lambda m: m["site"].update(source="a/b"), "holds a '/'"),
        (lambda m: m.update(site=None), "site is None; expected an object"),
    ],
)
def test_a_broken_manifest_is_refused(
    directory: Path, change: Callable[[dict[str, Any]], object], says: str
) -> None:
    edit_manifest(directory, change)
    with pytest.raises(DataError, match=says):
        open_samples(directory)


def test_no_directory_no_json_no_file(directory: Path, tmp_path: Path) -> None:
    with pytest.raises(MisuseError, match=r"is not a samples directory: it has no samples\.json"):
        open_samples(tmp_path / "nowhere")
    (directory / "replicate-001.safetensors").unlink()
    with pytest.raises(DataError, match=r"replicate-001\.safetensors is missing"):
        open_samples(directory).read(1)
    (directory / "samples.json").write_text("{")
    with pytest.raises(DataError, match="not readable as JSON"):
        open_samples(directory)


def test_tokens_that_do_not_match_the_manifest_are_refused(directory: Path) -> None:
    edit_manifest(directory, lambda m: m["replicates"][0].update(tokens=49))
    with pytest.raises(DataError, match=r"holds 50 tokens; samples\.json says 49"):
        open_samples(directory).read(0)


def test_a_dictionary_of_another_width_is_refused(directory: Path) -> None:
    arrays = load_file(directory / "dictionary.safetensors")
    save_file({name: a[:-1].copy() for name, a in arrays.items()}, directory / "dictionary.safetensors")
    with pytest.raises(DataError, match=r"holds 30 features; samples\.json says 31"):
        _ = open_samples(directory).dictionary


def test_the_digest_speaks_of_the_content_used(directory: Path) -> None:
    one = open_samples(directory).digests(1)
    assert one == open_samples(directory).digests(1)
    assert one != open_samples(directory).digests(2)
    edit_replicate(directory, lambda a: a["value"].__setitem__(0, 9.0))
    assert one == open_samples(directory).digests(1)
    edit_manifest(directory, lambda m: m["site"].update(layer=4))
    assert one != open_samples(directory).digests(1)


def test_a_dictionary_that_is_not_finite_is_refused(directory: Path) -> None:
    arrays = load_file(directory / "dictionary.safetensors")
    arrays["decoder"][7, 2] = np.nan
    save_file(arrays, directory / "dictionary.safetensors")
    with pytest.raises(DataError, match="decoder of feature 7 is not finite"):
        _ = open_samples(directory).dictionary
