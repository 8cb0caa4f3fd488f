"""How large a job is, from ``samples.json``, the headers of its files, and the features of one replicate."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from analysis.activations import Int64
from ingest.inference.config import InferConfig
from ingest.samples_directory import SamplesDirectory

NEIGHBOURS = 10
"""Members allowed for in a neighbourhood before it is known: those of the largest of dense planted sites."""
_AT_ONCE = 1_000_000
"""Firings that are counted at a time."""


@dataclass(frozen=True)
class JobSize:
    """Size of an inference.

    Parameters
    ----------
    n_features
        ``F``.
    tokens, nonzero
        Tokens and firings of the largest replicate.
    file_bytes
        Size of the largest replicate file; more than its activations where it holds token ids or what is
        carried.
    dictionary_bytes
        Size of the dictionary file, 0 without one.
    words
        Whether there is a vocabulary, so that contexts and top tokens are gathered.
    replicates, nulls
        ``R`` and ``M``.
    candidates
        ``K``.
    procedure
        ``published`` or ``calibrated``.
    count : shape (F,) or None
        Firings of each feature in a replicate, the most active first; None where they are not known, and then
        any feature may fire at every token.
    """

    n_features: int
    tokens: int
    nonzero: int
    file_bytes: int
    dictionary_bytes: int
    words: bool
    replicates: int
    nulls: int
    candidates: int
    procedure: str = "published"
    count: tuple[int, ...] | None = None

    def busiest(self, features: int) -> int:
        """Return the firings in a replicate of so many features, those that fire most."""
        if self.count is None:
            return min(self.nonzero, features * self.tokens)
        return sum(self.count[:features])

    @property
    def trials(self) -> int:
        """Real and null trials, ``R (1 + M)``."""
        return self.replicates * (1 + self.nulls)

    @property
    def l0(self) -> float:
        """Features firing at a token, in the largest replicate."""
        return self.nonzero / max(1, self.tokens)


def size_of(samples: SamplesDirectory, config: InferConfig) -> JobSize:
    """Measure the job that `config` would make of `samples`."""
    replicates = config.replicates or len(samples.replicates)
    entries = samples.replicates[:replicates]
    files = [samples.path / entry.file for entry in entries]
    tokens = max((entry.tokens for entry in entries), default=0)
    firings = [_firings(file) for file in files]
    return JobSize(
        n_features=samples.n_features,
        tokens=tokens,
        nonzero=max(firings, default=0) or _from_manifest(samples, tokens),
        file_bytes=max(map(_bytes, files), default=0),
        dictionary_bytes=_bytes(samples.path / "dictionary.safetensors"),
        words=samples.vocabulary is not None,
        replicates=replicates,
        nulls=config.nulls,
        candidates=config.settings().candidates,
        procedure=config.procedure,
        count=_count(files[int(np.argmax(firings))], samples.n_features, config) if files else None,
    )


def _count(file: Path, n_features: int, config: InferConfig) -> tuple[int, ...] | None:
    """Count the firings of the features that fire most; None where the file breaks the format."""
    count: Int64 = np.zeros(n_features, np.int64)
    try:
        with safe_open(file, framework="numpy") as stream:
            feature = stream.get_slice("feature")
            firings = int(feature.get_shape()[0])
            for first in range(0, firings, _AT_ONCE):
                some = feature[first : min(first + _AT_ONCE, firings)]
                if some.min() < 0 or some.max() >= n_features:
                    return None
                count += np.bincount(some, minlength=n_features)
    except (SafetensorError, OSError, ValueError, TypeError, IndexError, MemoryError):
        # The job refuses it later, by its name and for its reason.
        return None
    most = max(NEIGHBOURS, config.settings().candidates + 1)
    return tuple(np.sort(count)[::-1][:most].tolist())


def _bytes(file: Path) -> int:
    return file.stat().st_size if file.is_file() else 0


def _firings(file: Path) -> int:
    """Read the number of firings from a header; 0 where it cannot be read, which the job refuses later."""
    try:
        with safe_open(file, framework="numpy") as stream:
            return int(stream.get_slice("feature").get_shape()[0])
    except (SafetensorError, OSError, ValueError, IndexError):
        return 0


def _from_manifest(samples: SamplesDirectory, tokens: int) -> int:
    l0 = samples.manifest.get("l0")
    return int(tokens * l0) if isinstance(l0, int | float) else 0
