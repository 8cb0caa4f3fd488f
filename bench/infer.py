"""Time one inference job on synthetic samples, and one node against scikit-learn.

    python -m bench.infer                          4,096 features x 12 replicates x 16,000 tokens
    python -m bench.infer --features 16384 --tokens 24576 --l0 128 --replicates 2

Features fire independently with log-normal rates (sigma 1.5, at most 0.3): pure noise, the worst case for the
published screen, which lets most pairs through. Prints seconds, peak memory and the ratio to scikit-learn's
``lasso_path`` on the same candidates of the same nodes.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from sklearn.linear_model import lasso_path
from threadpoolctl import threadpool_limits

from analysis.activations import Activations
from analysis.columns import columns_of, moments_of
from analysis.kernel import use_threads
from analysis.nodewise import PathSettings, nodewise
from analysis.screen import screen


def noise(n_features: int, n: int, l0: float, seed: int, sigma: float = 1.5) -> Activations:
    """Independent features of log-normal rates, `l0` of them at a token on average."""
    rng = np.random.default_rng(seed)
    rate = np.exp(rng.normal(0, sigma, n_features))
    rate = np.minimum(rate / rate.sum() * l0, 0.3)
    tokens = [rng.choice(n, rng.binomial(n, p), replace=False) for p in rate]
    feature = np.repeat(np.arange(n_features), [len(t) for t in tokens])
    order = np.lexsort((feature, np.concatenate(tokens)))
    start = np.searchsorted(np.sort(np.concatenate(tokens)), np.arange(n + 1)).astype(np.int64)
    value = (0.5 + rng.exponential(1.0, len(feature))).astype(np.float32)
    return Activations(start, feature[order].astype(np.int32), value, n_features)


def write(path: Path, options: argparse.Namespace) -> None:
    """Write a samples directory of noise."""
    path.mkdir(parents=True)
    entries = []
    for k in range(options.replicates):
        a = noise(options.features, options.tokens, options.l0, k)
        name = f"replicate-{k:03d}.safetensors"
        save_file({"start": a.start, "feature": a.feature, "value": a.value}, path / name)
        entries.append({"file": name, "tokens": a.n_tokens})
    manifest = {
        "format": "stratigraph-samples",
        "version": 1,
        "site": {"model": "noise", "source": "0-noise", "layer": 0},
        "n_features": options.features,
        "replicates": entries,
    }
    (path / "samples.json").write_text(json.dumps(manifest))


def stage_seconds(options: argparse.Namespace, nodes: int = 20) -> tuple[float, float, float]:
    """Seconds on one thread: a co-firing in the screen, a node's path, scikit-learn's path."""
    use_threads(1)
    a = noise(options.features, options.tokens, options.l0, 0)
    columns = columns_of(a)
    moments = moments_of(columns)
    part = (moments.count >= 5) & (moments.deviation > 0)
    candidates = screen(columns, moments, part)
    began = time.perf_counter()
    screen(columns, moments, part)
    visit = (time.perf_counter() - began) / (np.diff(a.start) ** 2).sum()
    settings = PathSettings()
    nodewise(columns, moments, candidates, settings)
    began = time.perf_counter()
    fits = nodewise(columns, moments, candidates, settings)
    ours = (time.perf_counter() - began) / (fits.penalty > 0).sum()
    full = np.flatnonzero(candidates.feature[:, -1] >= 0)
    chosen = np.random.default_rng(0).choice(full if len(full) else np.flatnonzero(fits.penalty > 0), nodes)
    theirs = 0.0
    for i in chosen:
        members = candidates.feature[i][candidates.feature[i] >= 0]
        x = np.zeros((a.n_tokens, len(members) + 1))
        for place, j in enumerate([*members, i]):
            run = slice(columns.start[j], columns.start[j + 1])
            x[columns.token[run], place] = columns.value[run]
        x = np.asfortranarray((x - x.mean(axis=0)) / x.std(axis=0))
        penalty = np.abs(x[:, :-1].T @ x[:, -1]).max() / len(x) * 0.02 ** (np.arange(30) / 29)
        with threadpool_limits(1):
            began = time.perf_counter()
            lasso_path(x[:, :-1], x[:, -1], alphas=penalty)
            theirs += time.perf_counter() - began
    return float(visit), float(ours), theirs / nodes


def main() -> None:
    """Run the job as a user would, in a process of its own, and print what it took."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--features", type=int, default=4096)
    parser.add_argument("--tokens", type=int, default=16_000)
    parser.add_argument("--l0", type=float, default=38.4, help="features firing at a token")
    parser.add_argument("--replicates", type=int, default=12)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        samples, out = Path(scratch) / "samples", Path(scratch) / "graph"
        write(samples, options)
        began = time.perf_counter()
        command = [sys.executable, "-m", "stratigraph", "infer", str(samples), "--out", str(out)]
        subprocess.run([*command, "--threads", str(options.threads)], check=True)
        seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    trials = 2 * options.replicates
    print(
        f"{options.features:,} features x {options.replicates} replicates x {options.tokens:,} tokens, "
        "as many nulls"
    )
    print(
        f"{seconds:.1f} s on {options.threads} threads, {seconds / trials:.2f} s a trial, peak {peak:.2f} GB"
    )
    visit, ours, theirs = stage_seconds(options)
    print(
        f"one thread: {1e9 * visit:.1f} ns a co-firing in the screen, {1e3 * ours:.2f} ms a nodewise path; "
        f"scikit-learn {1e3 * theirs:.0f} ms a path, {theirs / ours:.0f} times as long"
    )


if __name__ == "__main__":
    main()
