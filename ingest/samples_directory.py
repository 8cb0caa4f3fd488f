"""The samples directory (``stratigraph-samples``, version 1), read.

Anyone may write one: ``samples.json`` names the site and the replicate files, each replicate is a safetensors
file of sparse activations by token. Whatever breaks the format is refused by the name of its file, with the
token where it goes wrong.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from analysis.activations import Activations, Int32, Samples
from analysis.dictionary import Dictionary
from analysis.errors import DataError, MisuseError
from analysis.site import Site

FORMAT = "stratigraph-samples"
VERSION = 1
COMPANIONS = ("samples.json", "dictionary.safetensors", "vocabulary.parquet")


@dataclass(frozen=True)
class Replicate:
    """One entry of the replicate list: a file name and its number of tokens."""

    file: str
    tokens: int


@dataclass(frozen=True)
class SamplesDirectory:
    """A samples directory whose ``samples.json`` has been read and checked."""

    path: Path
    site: Site
    n_features: int
    replicates: tuple[Replicate, ...]
    manifest: Mapping[str, Any]

    def usable(self, asked: int | None) -> int:
        """Return how many replicates are used where so many are `asked`, None for all that are there.

        Raises
        ------
        MisuseError
            There are fewer, or sampling has not finished and it is not said how many to use.
        DataError
            There is none.
        """
        present = len(self.replicates)
        if asked is None and self.manifest.get("complete") is False:
            raise MisuseError(
                f"{self.path} is unfinished, {present} replicates so far; "
                f"finish sampling, or take them as they are with --replicates {present}"
            )
        replicates = asked or present
        if replicates > present:
            raise MisuseError(
                f"--replicates is {replicates}; {self.path} holds {present}, sample more or ask less"
            )
        if not replicates:
            raise DataError(f"{self.path} holds no replicate; sample it again")
        return replicates

    def read(self, number: int) -> Samples:
        """Read and check replicate `number`.

        Raises
        ------
        DataError
            The file is missing, truncated, or breaks the format.
        """
        replicate = self.replicates[number]
        file = self.path / replicate.file
        arrays = _read_arrays(file)
        try:
            carried = "carried_start" in arrays
            samples = Samples(
                activations=_activations(arrays, "", self.n_features),
                token_id=_int32(arrays, "token_id"),
                sequence=_int32(arrays, "sequence"),
                position=_int32(arrays, "position"),
                carried=_activations(arrays, "carried_", self.n_features) if carried else None,
                document=_int32(arrays, "document"),
                offset=_int32(arrays, "offset"),
            )
        except DataError as error:
            raise DataError(f"{file}: {error}; sample that replicate again") from error
        if samples.activations.n_tokens != replicate.tokens:
            raise DataError(
                f"{file}: holds {samples.activations.n_tokens} tokens; samples.json says {replicate.tokens}; "
                "sample that replicate again"
            )
        return samples

    @cached_property
    def dictionary(self) -> Dictionary | None:
        """Decoder and encoder directions, or None when the directory has none."""
        return self._read_dictionary()

    def check_companions(self) -> None:
        """Read what is used at the end of a long job, and keep the vocabulary only.

        Raises
        ------
        DataError
            The dictionary or the vocabulary breaks its format.
        """
        self._read_dictionary()
        _ = self.vocabulary

    def _read_dictionary(self) -> Dictionary | None:
        file = self.path / "dictionary.safetensors"
        if not file.exists():
            return None
        arrays = _read_arrays(file)
        missing = [name for name in ("decoder", "encoder", "threshold") if name not in arrays]
        if missing:
            raise DataError(f"{file}: has no {missing[0]!r}; expected decoder, encoder and threshold")
        try:
            found = Dictionary(
                *(arrays[n].astype(np.float32, copy=False) for n in ("decoder", "encoder", "threshold"))
            )
        except DataError as error:
            raise DataError(f"{file}: {error}") from error
        if len(found.decoder) != self.n_features:
            raise DataError(
                f"{file}: holds {len(found.decoder)} features; samples.json says {self.n_features}"
            )
        return found

    @cached_property
    def vocabulary(self) -> pl.DataFrame | None:
        """Frame of ``token_id`` int32 and ``text``, or None when the directory has none."""
        file = self.path / "vocabulary.parquet"
        if not file.exists():
            return None
        try:
            return pl.read_parquet(file).select(
                pl.col("token_id").cast(pl.Int32), pl.col("text").cast(pl.String)
            )
        except (pl.exceptions.PolarsError, OSError) as error:
            raise DataError(f"{file}: cannot be read as a table of token_id and text ({error})") from error

    def unreadable(self, count: int) -> list[str]:
        """Return the names of the first `count` replicates whose file is missing, cut off or no such file."""
        return [entry.file for entry in self.replicates[:count] if not _opens(self.path / entry.file)]

    def digests(self, count: int, advance: Callable[[float], None] = lambda _: None) -> dict[str, str]:
        """Hash the site, the first `count` replicates and their companions; an entry a file.

        `advance` is told of each replicate.
        """
        identity = json.dumps({"site": self.site.to_json(), "n_features": self.n_features}, sort_keys=True)
        found = {COMPANIONS[0]: hashlib.blake2b(identity.encode(), digest_size=16).hexdigest()}
        for name in [r.file for r in self.replicates[:count]] + [
            "dictionary.safetensors",
            "vocabulary.parquet",
        ]:
            file = self.path / name
            if file.exists():
                found[name] = _digest(file)
            else:
                found[name] = "absent"
            if name not in COMPANIONS:
                advance(1)
        return found


def _opens(file: Path) -> bool:
    """Whether a file is as long as its header says; the library checks that when it opens one."""
    try:
        with safe_open(file, framework="numpy"):
            return True
    except (SafetensorError, OSError, ValueError):
        return False


def _digest(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, _hasher).hexdigest()
    except OSError as error:
        raise DataError(
            f"{file}: cannot be read ({error.strerror}); mend it and repeat the command"
        ) from error


def _hasher() -> "hashlib.blake2b":
    return hashlib.blake2b(digest_size=16)


def open_samples(path: Path) -> SamplesDirectory:
    """Open a samples directory and check its manifest.

    Raises
    ------
    MisuseError
        `path` is no samples directory.
    DataError
        ``samples.json`` is of another format or version, or incomplete.
    """
    file = path / "samples.json"
    if not file.is_file():
        raise MisuseError(f"{path} is not a samples directory: it has no samples.json; make one with sample")
    try:
        manifest = json.loads(file.read_text())
    except (ValueError, OSError) as error:
        raise DataError(f"{file}: not readable as JSON ({error})") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        found = manifest.get("format") if isinstance(manifest, dict) else manifest
        raise DataError(f"{file}: format is {found!r}; expected {FORMAT!r}")
    if manifest.get("version") != VERSION:
        raise DataError(
            f"{file}: version is {manifest.get('version')!r}; this program reads version {VERSION}, "
            "sample again or use the program that wrote it"
        )
    n_features = _positive(manifest.get("n_features"), f"{file}: n_features")
    entries = manifest.get("replicates")
    if not isinstance(entries, list):
        raise DataError(f"{file}: replicates is {entries!r}; expected a list of files with their tokens")
    replicates = tuple(_replicate(entry, f"{file}: replicates[{k}]") for k, entry in enumerate(entries))
    names = [replicate.file for replicate in replicates]
    twice = next((name for k, name in enumerate(names) if name in names[:k]), None)
    if twice is not None:
        raise DataError(f"{file}: lists {twice} twice; expected another file for each replicate")
    return SamplesDirectory(
        path, Site.from_json(manifest.get("site"), str(file)), n_features, replicates, manifest
    )


def _positive(value: object, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise DataError(f"{where} is {value!r}; expected a whole number above 0")
    return value


def _replicate(entry: object, where: str) -> Replicate:
    if not isinstance(entry, dict) or not isinstance(entry.get("file"), str):
        raise DataError(f'{where} is {entry!r}; expected {{"file": name, "tokens": number}}')
    name = entry["file"]
    if Path(name).name != name:
        raise DataError(f"{where}.file is {name!r}; expected a name inside the directory")
    return Replicate(name, _positive(entry.get("tokens"), f"{where}.tokens"))


def _read_arrays(file: Path) -> dict[str, NDArray[Any]]:
    """Read every tensor of a safetensors file.

    The header's own bounds are checked by the library, so a truncated file fails here.
    """
    if not file.is_file():
        raise DataError(f"{file} is missing; samples.json lists it, sample that replicate again")
    try:
        with safe_open(file, framework="numpy") as stream:
            return {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118  not a mapping
    except (SafetensorError, OSError, ValueError) as error:
        raise DataError(f"{file}: truncated or not a safetensors file ({error}); sample it again") from error


def _activations(arrays: Mapping[str, NDArray[Any]], prefix: str, n_features: int) -> Activations:
    kinds = {"start": ("int64",), "feature": ("int32",), "value": ("float32", "float16")}
    for name, allowed in kinds.items():
        array = arrays.get(prefix + name)
        if array is None:
            raise DataError(f"has no {prefix + name!r}; expected start, feature and value")
        if array.dtype.name not in allowed:
            raise DataError(f"{prefix + name} is {array.dtype.name}; expected {' or '.join(allowed)}")
    value = arrays[prefix + "value"].astype(np.float32, copy=False)
    try:
        return Activations(arrays[prefix + "start"], arrays[prefix + "feature"], value, n_features)
    except DataError as error:
        raise DataError(f"{prefix}activations: {error}" if prefix else str(error)) from error


def _int32(arrays: Mapping[str, NDArray[Any]], name: str) -> Int32 | None:
    array = arrays.get(name)
    if array is None:
        return None
    if array.dtype != np.int32:
        raise DataError(f"{name} is {array.dtype.name}; expected int32")
    return array
