"""The samples directory (``stratigraph-samples``, version 1), written.

Replicates are written as they are finished: each file under a temporary name and then renamed,
``samples.json`` last, so that whatever it lists is whole, also after the process was killed. Nothing written
depends on the time, so a job that was resumed leaves the same bytes as one that ran through.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file, save_file

from analysis.dictionary import Dictionary
from analysis.errors import DataError, MisuseError, StratigraphError
from analysis.site import Site
from ingest.unwritable import remedy

FORMAT = "stratigraph-samples"
VERSION = 1
_TOKEN_ARRAYS = ("token_id", "sequence", "position")


class SamplesWriter:
    """One samples directory in the making.

    Parameters
    ----------
    path
        The directory; made if it is not there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._manifest: dict[str, Any] = _read(path / "samples.json")

    @property
    def begun(self) -> bool:
        """Whether the directory has a manifest."""
        return bool(self._manifest)

    @property
    def complete(self) -> bool:
        """Whether everything is there."""
        return bool(self._manifest.get("complete"))

    @property
    def finished(self) -> int:
        """Number of replicates that are whole on disk."""
        return len(self._manifest.get("replicates", []))

    @property
    def manifest(self) -> Mapping[str, Any]:
        """The manifest as it stands on disk."""
        return self._manifest

    def lacks(self, number: int) -> bool:
        """Whether replicate `number` is not listed yet, or its file does not read as it is listed."""
        listed = self._manifest.get("replicates", [])
        return number >= len(listed) or not _has_tokens(self.path / listed[number]["file"], listed[number])

    def broken(self) -> list[Path]:
        """Return the files that are missing or do not read, of those that have been written."""
        if not self.begun:
            return []
        replicates = [self.path / entry["file"] for entry in self._manifest["replicates"]]
        found = [file for number, file in enumerate(replicates) if self.lacks(number)]
        if not self.has_dictionary():
            found.append(self.path / "dictionary.safetensors")
        if self.complete and not _is_table(self.path / "vocabulary.parquet"):
            found.append(self.path / "vocabulary.parquet")
        return found

    def has_dictionary(self) -> bool:
        """Whether the dictionary is there and reads."""
        return _length(self.path / "dictionary.safetensors", "decoder") is not None

    def check_ours(self) -> None:
        """Refuse a samples directory that another program wrote: it does not say how it was made.

        Raises
        ------
        MisuseError
            The manifest has no configuration.
        """
        if self.begun and not isinstance(self._manifest.get("config"), dict):
            raise MisuseError(
                f"{self.path} holds samples that another program wrote (their samples.json has no config); "
                "give another --out, or remove it"
            )

    def check_same(self, config: Mapping[str, Any]) -> None:
        """Refuse a directory begun with another configuration.

        Raises
        ------
        MisuseError
            Names the first entry that differs, or says that there is no configuration.
        """
        if not self.begun:
            return
        self.check_ours()
        there = self._manifest["config"]
        for key in {**config, **there}:
            if there.get(key) != config.get(key):
                raise MisuseError(
                    f"{self.path} holds samples of another configuration: {key} is {there.get(key)!r} there "
                    f"and {config.get(key)!r} now; give another --out, or remove it"
                )

    def begin(
        self,
        site: Site,
        n_features: int,
        config: Mapping[str, Any],
        extra: Mapping[str, Any],
        dictionary: Dictionary,
        shift: NDArray[np.float32] | None,
    ) -> None:
        """Write the dictionary and a manifest without replicates; `shift` as for the dictionary."""
        self.path.mkdir(parents=True, exist_ok=True)
        self.write_dictionary(dictionary, shift)
        self._write(
            {
                "format": FORMAT,
                "version": VERSION,
                "complete": False,
                "site": site.to_json(),
                "n_features": n_features,
                **extra,
                "config": dict(config),
                "tokens_hash": "",
                "replicates": [],
            }
        )

    def write_dictionary(self, dictionary: Dictionary, shift: NDArray[np.float32] | None) -> None:
        """Write the dictionary.

        `shift` is the mean difference between this site's residual and the next lower one's, shape (d,).
        """
        arrays = {
            "decoder": dictionary.decoder,
            "encoder": dictionary.encoder,
            "threshold": dictionary.threshold,
            **({} if shift is None else {"carried_shift": shift.astype(np.float32)}),
        }
        _replace(self.path / "dictionary.safetensors", lambda file: save_file(arrays, file))

    def shift(self) -> NDArray[np.float32] | None:
        """Return the mean shift that the directory was begun with."""
        return load_file(self.path / "dictionary.safetensors").get("carried_shift")

    def write_replicate(self, number: int, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Write replicate `number`, and list it if it is the next one."""
        name = f"replicate-{number:03d}.safetensors"
        _replace(self.path / name, lambda file: save_file(dict(arrays), file))
        if number != self.finished:
            return
        before = self._manifest["tokens_hash"]
        entry = {"file": name, "tokens": len(arrays["start"]) - 1}
        self._write(
            {
                **self._manifest,
                "tokens_hash": tokens_hash(before, arrays),
                "replicates": [*self._manifest["replicates"], entry],
            }
        )

    def finish(self, vocabulary: Callable[[NDArray[np.int32]], pl.DataFrame]) -> None:
        """Write the vocabulary of the ids that occur, and mark the directory complete."""
        ids = [_token_ids(self.path / entry["file"]) for entry in self._manifest["replicates"]]
        frame = vocabulary(np.unique(np.concatenate(ids)))
        _replace(self.path / "vocabulary.parquet", frame.write_parquet)
        self._write({**self._manifest, "complete": True})

    def _write(self, manifest: dict[str, Any]) -> None:
        text = json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"
        _replace(self.path / "samples.json", lambda file: file.write_text(text, encoding="utf-8"))
        self._manifest = manifest


def tokens_hash(before: str, arrays: Mapping[str, NDArray[Any]]) -> str:
    """Return a digest of the tokens of one replicate and all that came before it."""
    digest = hashlib.sha256(before.encode())
    for name in _TOKEN_ARRAYS:
        digest.update(np.ascontiguousarray(arrays[name], np.int32).tobytes())
    return digest.hexdigest()[:32]


def _has_tokens(file: Path, entry: Mapping[str, Any]) -> bool:
    """Whether a replicate is whole, and as long as it is listed."""
    return _length(file, "start") == int(entry["tokens"]) + 1


def _length(file: Path, name: str) -> int | None:
    """Return the length of a tensor of a file, None where the file is not whole or has no such tensor.

    The library refuses a file that is not as long as its own header says.
    """
    try:
        with safe_open(file, framework="numpy") as stream:
            return int(stream.get_slice(name).get_shape()[0])
    except (OSError, SafetensorError):
        return None


def _is_table(file: Path) -> bool:
    try:
        pl.read_parquet(file)
    except (OSError, pl.exceptions.PolarsError):
        return False
    return True


def _token_ids(file: Path) -> NDArray[np.int32]:
    try:
        with safe_open(file, framework="numpy") as stream:
            return np.unique(np.asarray(stream.get_tensor("token_id"), np.int32))
    except (OSError, SafetensorError) as error:
        raise DataError(
            f"{file} is missing or broken ({error}); remove {file.parent} and sample again"
        ) from error


def _read(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise DataError(
            f"{file}: not readable as JSON ({error}); remove the directory and sample again"
        ) from error
    if not isinstance(manifest, dict) or (manifest.get("format"), manifest.get("version")) != (
        FORMAT,
        VERSION,
    ):
        raise MisuseError(f"{file} is not of the format {FORMAT} version {VERSION}; give another --out")
    return manifest


def _umask() -> int:
    """Return the process's file mode mask, which can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _replace(file: Path, write: Callable[[Path], object]) -> None:
    """Write a file under another name, put it on the disk, and give it its own name in one step."""
    temporary = file.with_name(f".{file.name}.part")
    try:
        write(temporary)
        temporary.chmod(0o666 & ~_umask())  # safetensors makes files that only their owner reads
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        temporary.replace(file)
    except (OSError, SafetensorError) as error:
        raise StratigraphError(
            f"{file} cannot be written ({error}); {remedy(error, 'what is finished is kept')}"
        ) from error
