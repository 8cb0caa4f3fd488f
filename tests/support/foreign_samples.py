"""A samples directory as somebody else would write it: plain json and safetensors, nothing of ours."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from safetensors.numpy import save_file

WORDS = ["the", "cat", "sat", "on", "mat", "dog", "ran"]


def modules(rng: np.random.Generator, n: int, n_features: int) -> NDArray[np.float32]:
    """Tokens x features: modules of three features that fire together, the last feature dead."""
    x = np.zeros((n, n_features), np.float32)
    for i in range(n_features):
        if i % 3 == 0:
            cause = rng.random(n) < 0.06
        fires = np.where(rng.random(n) < 0.8, cause, rng.random(n) < 0.03)
        x[:, i] = fires * (0.5 + rng.exponential(1.0, n))
    x[:, -1] = 0
    return x


def replicate(rng: np.random.Generator, n: int, n_features: int, first_sequence: int) -> dict[str, Any]:
    """Arrays of one replicate with words, 20 tokens a sequence."""
    x = modules(rng, n, n_features)
    token, feature = np.nonzero(x)
    return {
        "start": np.searchsorted(token, np.arange(n + 1)).astype(np.int64),
        "feature": feature.astype(np.int32),
        "value": x[token, feature],
        "token_id": rng.integers(0, len(WORDS), n).astype(np.int32),
        "sequence": (first_sequence + np.arange(n) // 20).astype(np.int32),
        "position": (np.arange(n) % 20 + 1).astype(np.int32),
    }


def write_samples(
    path: Path,
    replicates: int = 4,
    n: int = 600,
    n_features: int = 31,
    seed: int = 0,
    words: bool = True,
    d_model: int | None = 8,
) -> Path:
    """Write a directory of the documented format."""
    rng = np.random.default_rng(seed)
    path.mkdir(parents=True)
    entries = []
    for k in range(replicates):
        arrays = replicate(rng, n, n_features, k * n)
        if not words:
            arrays = {name: arrays[name] for name in ("start", "feature", "value")}
        save_file(arrays, path / f"replicate-{k:03d}.safetensors")
        entries.append({"file": f"replicate-{k:03d}.safetensors", "tokens": n})
    if words:
        table = {"token_id": np.arange(len(WORDS), dtype=np.int32), "text": [f" {w}" for w in WORDS]}
        pl.DataFrame(table).write_parquet(path / "vocabulary.parquet")
    if d_model:
        directions = rng.normal(size=(2, n_features, d_model)).astype(np.float32)
        save_file(
            {
                "decoder": directions[0],
                "encoder": directions[1],
                "threshold": np.zeros(n_features, np.float32),
            },
            path / "dictionary.safetensors",
        )
    write_manifest(path, n_features, entries)
    return path


def write_manifest(path: Path, n_features: int, replicates: list[dict[str, Any]]) -> None:
    """Write what a directory says of its replicates, each a file and its tokens."""
    manifest = {
        "format": "stratigraph-samples",
        "version": 1,
        "site": {"model": "toy", "source": "3-res", "layer": 3},
        "n_features": n_features,
        "replicates": replicates,
    }
    (path / "samples.json").write_text(json.dumps(manifest))
