"""What is asked of the sampler, and which part of it decides the result."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.errors import MisuseError
from ingest.sampling.paths import files_beside, files_of

BUILT_IN = "organism"
"""Name of the built-in model, SAEs and corpus."""

DEVICES = ("auto", "cpu", "cuda")
_HASHED = 1 << 30
"""Bytes that are hashed whole, all files of a name together, in a second or two."""
_ENDS = 1 << 20
"""Bytes at either end of a file that stand for it beyond that, beside its size and time of change."""


@dataclass(frozen=True)
class SampleConfig:
    """One sampling job.

    Parameters
    ----------
    model
        Name of a model on the hub, directory of one, or ``organism``.
    sae
        ``RELEASE``, ``RELEASE/SAE_ID`` (``*`` stands for anything), a hub repository, a directory, or
        ``organism``.
    corpus
        Name of a dataset on the hub, a local file, directory or glob, or ``organism``.
    out
        Directory that gets one samples directory per layer.
    layers
        Layers to sample, ascending; empty means every layer the SAEs cover.
    activations
        Activations per feature and replicate, on average, that fix the number of tokens.
    replicates
        Number of independent draws.
    seed
        Seed of the draw.
    device
        ``auto`` takes a GPU where there is one; ``cpu`` and ``cuda`` insist.
    batch
        Rows in one forward pass; 0 chooses by the context size.
    dataset_config
        Configuration of a hub dataset, such as ``sample-10BT``; None takes its default.
    split
        Split of a hub dataset; None means ``train``.
    text_column
        Column of a hub dataset, json or parquet file that holds the text; None means ``text``.

    Raises
    ------
    MisuseError
        A value is out of range or two values contradict each other.
    """

    model: str
    sae: str
    corpus: str
    out: Path
    layers: tuple[int, ...] = ()
    activations: int = 200
    replicates: int = 30
    seed: int = 0
    device: str = "auto"
    batch: int = 0
    dataset_config: str | None = None
    split: str | None = None
    text_column: str | None = None

    def __post_init__(self) -> None:
        for name in ("model", "sae", "corpus"):
            if not getattr(self, name):
                raise MisuseError(f"--{name} is empty; name one")
        for name, least in (("activations", 1), ("replicates", 1), ("seed", 0), ("batch", 0)):
            if getattr(self, name) < least:
                raise MisuseError(f"--{name} is {getattr(self, name)}; expected {least} or more")
        if self.device not in DEVICES:
            raise MisuseError(f"--device is {self.device!r}; expected one of {', '.join(DEVICES)}")
        if list(self.layers) != sorted(set(self.layers)) or min(self.layers, default=0) < 0:
            raise MisuseError(f"layers are {self.layers}; expected ascending numbers from 0, each once")
        if self.corpus == BUILT_IN:
            for name in ("dataset_config", "split", "text_column"):
                if getattr(self, name) is not None:
                    raise MisuseError(
                        f"--{name.replace('_', '-')} {getattr(self, name)!r} says how to read a dataset, "
                        f"and the built-in corpus {BUILT_IN!r} has no such thing; leave it out"
                    )

    @property
    def model_source(self) -> str:
        """Name or directory the model is loaded from."""
        from ingest.organism import MODEL_DIRECTORY  # noqa: PLC0415  its grammar is not needed to parse a flag

        return str(MODEL_DIRECTORY) if self.model == BUILT_IN else self.model

    @property
    def sae_source(self) -> str:
        """Release, repository or directory the SAEs are loaded from."""
        from ingest.organism import SAE_DIRECTORY  # noqa: PLC0415  its grammar is not needed to parse a flag

        return str(SAE_DIRECTORY) if self.sae == BUILT_IN else self.sae

    def identity(self) -> dict[str, Any]:
        """Return what decides the result: everything but device, batch and place; local files by content."""
        return {
            "model": _named(self.model, files_of(self.model_source)),
            "sae": _named(self.sae, files_of(self.sae_source)),
            "corpus": self._corpus(),
            "layers": list(self.layers),
            "activations": self.activations,
            "replicates": self.replicates,
            "seed": self.seed,
            "dataset_config": self.dataset_config,
            "split": self.split,
            "text_column": self.text_column,
        }

    def _corpus(self) -> str:
        return (
            _generator()
            if self.corpus == BUILT_IN
            else _named(self.corpus, files_beside(self.corpus, self.out))
        )


def _generator() -> str:
    """Return the built-in corpus with a digest of its first documents: another grammar is another corpus."""
    from ingest.organism import document  # noqa: PLC0415  only this corpus needs the grammar

    text = "\n".join(document(0, number).text for number in range(20))
    return f"{BUILT_IN} (sha256 {hashlib.sha256(text.encode()).hexdigest()[:16]})"


def _named(name: str, files: list[Path]) -> str:
    """Return a name as it is, and something local as its own name and a digest of its files.

    Files are digested whole, unless all of them together are larger than ``_HASHED``: then by their ends,
    size and time of change, so that an edit is still noticed, and a copy counts as another.
    """
    if not files:
        return name
    digest = hashlib.sha256()
    whole = sum(file.stat().st_size for file in files) <= _HASHED
    for file in files:
        stat = file.stat()
        digest.update(f"{file.name}\0{stat.st_size}\0".encode())
        with file.open("rb") as stream:
            if whole:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
                continue
            digest.update(f"{stat.st_mtime_ns}\0".encode())
            digest.update(stream.read(_ENDS))
            if stat.st_size > _ENDS:
                stream.seek(max(_ENDS, stat.st_size - _ENDS))
                digest.update(stream.read(_ENDS))
    return f"{Path(name).name} ({len(files)} files, sha256 {digest.hexdigest()[:16]})"
