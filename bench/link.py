"""Time linking two layers, beside an inference of the later one.

    python -m bench.link                       16,384 features x 12 replicates x 54,613 tokens, L0 60
    python -m bench.link --features 4096 --tokens 13653 --replicates 6

The shape of one pair of layers of a model of 26, of which there are 25. The earlier layer is that of
``bench.infer --planted``: each feature takes a third of its tokens from another. Three later features in four
take six tenths of the tokens of one earlier feature, the others three tenths of each of two; half of all are
carried, their directions those of the earlier features. All other directions are random.

Prints seconds and peak memory of ``stratigraph link`` and of ``stratigraph infer``, and of the links how many
are planted.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from analysis.activations import Activations
from analysis.columns import columns_of
from bench.infer import noise
from graphdb.links_directory import read_links

_WIDTH = 2304
"""Dimensions of the stream, as of gemma-2-2b."""
_PAIRS = 25

Pairs = NDArray[np.int64]


def parents_of(n_features: int) -> Pairs:
    """Return the earlier features of each later one, shape (F, 2); the same twice for one."""
    rng = np.random.default_rng(n_features)
    first = rng.permutation(n_features)
    other = np.where(np.arange(n_features) % 4 == 3, rng.permutation(n_features), first)
    return np.stack([first, other], axis=1)


def carried(n_features: int) -> NDArray[np.bool_]:
    """Say which later features are carried."""
    return np.arange(n_features) % 4 < 2


def later(lower: Activations, parents: Pairs, seed: int) -> tuple[Activations, Activations]:
    """Make the later layer at the tokens of the earlier one, and what of it is carried."""
    rng = np.random.default_rng([seed, 1])
    columns = columns_of(lower)
    fires, passing = np.diff(columns.start), carried(len(parents))
    whole: list[NDArray[np.int64]] = []
    passed: list[NDArray[np.int64]] = []
    for j, ends in enumerate(parents):
        taken = []
        for i in np.unique(ends):
            tokens = columns.token[columns.start[i] : columns.start[i + 1]]
            share = 0.6 / len(np.unique(ends))
            taken.append(tokens[rng.random(len(tokens)) < share])
        shared = np.unique(np.concatenate(taken))
        alone = rng.integers(0, lower.n_tokens, rng.poisson(0.4 * fires[ends[0]]))
        whole.append(np.union1d(shared, alone).astype(np.int64))
        passed.append(shared.astype(np.int64) if passing[j] else np.empty(0, np.int64))
    return _rows(whole, lower.n_tokens), _rows(passed, lower.n_tokens)


def _rows(tokens: list[NDArray[np.int64]], n_tokens: int) -> Activations:
    """Make features, each of which fires as strongly as the number of the token says, at these tokens."""
    feature = np.repeat(np.arange(len(tokens)), [len(some) for some in tokens])
    token = np.concatenate(tokens)
    order = np.lexsort((feature, token))
    start = np.searchsorted(token[order], np.arange(n_tokens + 1)).astype(np.int64)
    value = (1 + (token[order] * 7 + feature[order]) % 100 / 50).astype(np.float32)
    return Activations(start, feature[order].astype(np.int32), value, len(tokens))


def write(path: Path, options: argparse.Namespace) -> Pairs:
    """Write both layers as samples directories; returns the earlier features of each later one."""
    parents = parents_of(options.features)
    entries = []
    for side in ("0", "1"):
        (path / side).mkdir(parents=True)
    for k in range(options.replicates):
        lower = noise(options.features, options.tokens, options.l0, k, planted=True)
        upper, passed = later(lower, parents, k)
        name = f"replicate-{k:03d}.safetensors"
        save_file(dict(_arrays(lower)), path / "0" / name)
        save_file({**dict(_arrays(upper)), **dict(_arrays(passed, "carried_"))}, path / "1" / name)
        entries.append({"file": name, "tokens": lower.n_tokens})
    rng = np.random.default_rng(2)
    below, above = (rng.normal(size=(options.features, _WIDTH)).astype(np.float32) for _ in range(2))
    passing = carried(options.features)
    above[passing] = below[parents[passing, 0]]
    for layer, random in enumerate((below, above)):
        directions = random / np.linalg.norm(random, axis=1, keepdims=True)
        threshold = np.zeros(options.features, np.float32)
        arrays = {"decoder": directions, "encoder": directions, "threshold": threshold}
        save_file(arrays, path / str(layer) / "dictionary.safetensors")
        manifest = {
            "format": "stratigraph-samples",
            "version": 1,
            "site": {"model": "noise", "source": f"{layer}-noise", "layer": layer},
            "n_features": options.features,
            "replicates": entries,
            "tokens_hash": "the same",
            **({"carried_from": "0"} if layer else {}),
        }
        (path / str(layer) / "samples.json").write_text(json.dumps(manifest))
    return parents


def _arrays(a: Activations, prefix: str = "") -> Iterator[tuple[str, NDArray[np.generic]]]:
    for name in ("start", "feature", "value"):
        yield f"{prefix}{name}", getattr(a, name)


def took(*words: object) -> tuple[float, float, float]:
    """Run a command; returns seconds, seconds of CPU, and peak memory of the largest so far in GB."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "stratigraph", *map(str, words)], check=True)
    seconds = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, busy, after.ru_maxrss / 1e6


def main() -> None:
    """Run both jobs as a user would and print what they took."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.link",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--features", type=int, default=16_384)
    parser.add_argument("--tokens", type=int, default=54_613)
    parser.add_argument("--l0", type=float, default=60.0, help="features firing at a token")
    parser.add_argument("--replicates", type=int, default=12)
    options = parser.parse_args()
    print(
        f"2 layers x {options.features:,} features x {options.replicates} replicates x "
        f"{options.tokens:,} tokens"
    )
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch)
        parents = write(path, options)
        infer = took("infer", path / "1", "--out", path / "graph")
        print(
            f"infer, calibrated  {infer[0]:8.1f} s  {infer[1]:8.1f} s of CPU  peak {infer[2]:.2f} GB",
            flush=True,
        )
        link = took("link", path / "0", path / "1", "--db", path / "graph.db", "--work", path / "work")
        print(f"link               {link[0]:8.1f} s  {link[1]:8.1f} s of CPU  peak {link[2]:.2f} GB at most")
        print(
            f"  {link[1] / infer[1]:.2f} of an inference by CPU; "
            f"{_PAIRS} pairs {_PAIRS * link[1] / 3600:.1f} h of CPU"
        )
        (place,) = (path / "work").glob("links-*")
        links = read_links(place)
    planted = {(int(i), j) for j, ends in enumerate(parents) for i in ends}
    found = set(links.links.select("source", "target").iter_rows())
    print(f"  {len(found):,} links, {len(found & planted):,} of {len(planted):,} planted")


if __name__ == "__main__":
    main()
