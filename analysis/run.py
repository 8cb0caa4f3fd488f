"""A run: which configuration, inputs and code made a result.

The id is a hash of exactly those three, so the same job anywhere has the same id, and a job with another
number of threads, memory budget, device or path is still the same job.
"""

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

CODE_VERSION = "1"
"""Raised whenever the same inputs and configuration would give another result."""

_RECORDED = (
    *("numpy", "numba", "polars", "torch", "sae-lens", "transformer-lens", "leidenalg", "igraph"),
    "stratigraph",
)


@dataclass(frozen=True)
class Run:
    """Provenance of one result.

    Parameters
    ----------
    id
        First 12 hexadecimal digits of a hash over kind, config, inputs and code version.
    kind
        ``layer``, ``links`` or ``communities``.
    procedure
        ``published`` or ``calibrated``.
    fdr
        Level at which edges are kept.
    seed
        Seed of every random draw of the run.
    config
        The resolved configuration, JSON values only.
    inputs
        Digest of what was read.
    versions
        Library versions at the time; recorded, no part of the id.
    created
        UTC time, ISO 8601; recorded, no part of the id.
    """

    id: str
    kind: str
    procedure: str
    fdr: float
    seed: int
    config: Mapping[str, Any]
    inputs: str
    versions: Mapping[str, str]
    created: str

    def to_json(self) -> dict[str, Any]:
        """Return the run as the ``run`` object of ``graph.json``."""
        return {
            "id": self.id,
            "kind": self.kind,
            "procedure": self.procedure,
            "fdr": self.fdr,
            "seed": self.seed,
            "config": dict(self.config),
            "inputs": self.inputs,
            "versions": dict(self.versions),
            "created": self.created,
        }


def digest_of(digests: Mapping[str, str]) -> str:
    """Hash the digests of several files into one of 32 hexadecimal digits."""
    return hashlib.sha256(json.dumps(list(digests.items())).encode()).hexdigest()[:32]


def run_id(kind: str, config: Mapping[str, Any], inputs: str) -> str:
    """Hash kind, configuration, inputs and code version into a run id of 12 hexadecimal digits."""
    payload = {"kind": kind, "config": dict(config), "inputs": inputs, "code": CODE_VERSION}
    return hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()[:12]


def library_versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that touch a result."""
    found = {"python": platform.python_version()}
    for name in _RECORDED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
