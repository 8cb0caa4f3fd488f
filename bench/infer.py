"""Time one inference job on synthetic samples, and one node against scikit-learn.

    python -m bench.infer                  small: 4,096 features x 12 replicates x 16,000 tokens
    python -m bench.infer --like gpt2      24,576 features x 30 replicates x 81,920 tokens, L0 60
    python -m bench.infer --like post      131,072 features x 1 replicate x 196,608 tokens, L0 133.7
    python -m bench.infer --features 16384 --tokens 24576 --l0 128 --replicates 2
    python -m bench.infer --procedure calibrated --planted

Features fire independently with log-normal rates (sigma 1.5, at most 0.3): pure noise, the worst case for
the published screen, which lets most pairs through. With `--planted` each feature takes a third of its
tokens from one of a like rate: a tree, with as many edges as features for the calibrated tests.

Prints seconds and peak memory of the job; then, for the published procedure, of one trial on one thread the
seconds of each stage and what bounds it (``bench.stages``), and the ratio to scikit-learn's ``lasso_path`` on
the same candidates of the same nodes.
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
from numpy.typing import NDArray
from safetensors.numpy import save_file
from sklearn.linear_model import lasso_path
from threadpoolctl import threadpool_limits

from analysis.activations import Activations
from analysis.columns import columns_of
from analysis.screen import Candidates
from bench.stages import compile_all, measure, report

SIZES: dict[str, dict[str, float]] = {
    "small": {"features": 4096, "tokens": 16_000, "l0": 38.4, "replicates": 12},
    "gpt2": {"features": 24_576, "tokens": 81_920, "l0": 60.0, "replicates": 30},
    "post": {"features": 131_072, "tokens": 196_608, "l0": 133.7, "replicates": 1},
}
"""Sizes by name: a small site, a layer of GPT-2's SAEs, the post's."""


def noise(
    n_features: int, n: int, l0: float, seed: int, sigma: float = 1.5, planted: bool = False
) -> Activations:
    """Features of log-normal rates, `l0` of them at a token on average; independent unless `planted`."""
    rng = np.random.default_rng(seed)
    # A feature's rate is its own: the same in all replicates.
    rate = np.exp(np.random.default_rng(n_features).normal(0, sigma, n_features))
    rate = np.minimum(rate / rate.sum() * l0, 0.3)
    tokens = [rng.choice(n, rng.binomial(n, p), replace=False) for p in rate]
    if planted:
        join(tokens, np.argsort(-rate), rng)
    feature = np.repeat(np.arange(n_features), [len(t) for t in tokens])
    order = np.lexsort((feature, np.concatenate(tokens)))
    start = np.searchsorted(np.sort(np.concatenate(tokens)), np.arange(n + 1)).astype(np.int64)
    value = (0.5 + rng.exponential(1.0, len(feature))).astype(np.float32)
    return Activations(start, feature[order].astype(np.int32), value, n_features)


def join(
    tokens: list[NDArray[np.int64]], order: NDArray[np.int64], rng: np.random.Generator, among: int = 50
) -> None:
    """Let each feature fire at a third of its tokens with one of the `among` before it in `order`."""
    place = np.arange(1, len(order))
    # Each feature has one parent, the same in all replicates.
    parents = order[np.random.default_rng(len(order)).integers(np.maximum(0, place - among), place)]
    for i, parent in zip(order[1:], parents, strict=True):
        shared = rng.choice(tokens[parent], min(len(tokens[i]) // 3, len(tokens[parent])), replace=False)
        tokens[i] = np.unique(np.concatenate([shared, tokens[i][len(shared) :]]))


def write(path: Path, options: argparse.Namespace) -> None:
    """Write a samples directory of noise."""
    path.mkdir(parents=True)
    entries = []
    for k in range(options.replicates):
        a = noise(options.features, options.tokens, options.l0, k, planted=options.planted)
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


def sklearn_seconds(a: Activations, candidates: Candidates, nodes: int = 20) -> float:
    """Seconds of scikit-learn's path of a node on one thread, a mean over `nodes` with full lists if any."""
    columns = columns_of(a)
    full = np.flatnonzero(candidates.feature[:, -1] >= 0)
    chosen = np.random.default_rng(0).choice(
        full if len(full) else np.flatnonzero(candidates.feature[:, 0] >= 0), nodes
    )
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
            began = time.process_time()
            lasso_path(x[:, :-1], x[:, -1], alphas=penalty)
            theirs += time.process_time() - began
    return theirs / nodes


def main() -> None:
    """Run the job as a user would, in a process of its own, and print what it took."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--like", choices=SIZES, default="small", help="sizes to start from")
    parser.add_argument("--features", type=int)
    parser.add_argument("--tokens", type=int)
    parser.add_argument("--l0", type=float, help="features firing at a token")
    parser.add_argument("--replicates", type=int)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--procedure", choices=("published", "calibrated"), default="published")
    parser.add_argument("--planted", action="store_true", help="let features fire together")
    options = parser.parse_args()
    for name, size in SIZES[options.like].items():
        if getattr(options, name) is None:
            setattr(options, name, size)
    with tempfile.TemporaryDirectory() as scratch:
        samples, out = Path(scratch) / "samples", Path(scratch) / "graph"
        write(samples, options)
        began = time.perf_counter()
        command = [sys.executable, "-m", "stratigraph", "infer", str(samples), "--out", str(out)]
        subprocess.run(
            [*command, "--procedure", options.procedure, "--threads", str(options.threads)], check=True
        )
        seconds = time.perf_counter() - began
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    peak, busy = usage.ru_maxrss / 1e6, usage.ru_utime + usage.ru_stime
    trials = 2 * options.replicates
    print(
        f"{options.features:,} features x {options.replicates} replicates x {options.tokens:,} tokens, "
        "as many nulls"
    )
    print(
        f"{seconds:.1f} s on {options.threads} threads, {seconds / trials:.2f} s a trial "
        f"({busy / trials:.2f} s of CPU), peak {peak:.2f} GB"
    )
    if options.procedure != "published":
        return
    compile_all(noise(300, 2000, 10.0, 0))
    a = noise(options.features, options.tokens, options.l0, 0)
    stages = measure(a)
    print(f"one trial on one thread, {stages.trial:.2f} s:", *report(stages), sep="\n")
    ours = stages.nodewise / (stages.fits.penalty > 0).sum()
    theirs = sklearn_seconds(a, stages.candidates)
    print(f"scikit-learn {1e3 * theirs:.0f} ms a path, {theirs / ours:.0f} times as long")


if __name__ == "__main__":
    main()
