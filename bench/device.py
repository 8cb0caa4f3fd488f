"""Time one trial of the published procedure on a device, stage by stage, against what its memory could do.

    python -m bench.device --features 131072 --tokens 196608 --l0 133.7 --device cuda
    python -m bench.device --device cpu                                  small, the torch form of every step
    python -m bench.device --device cuda --features 16384 --tokens 24576 --l0 128 --compare

Features fire independently with log-normal rates (sigma 1.5, at most 0.3): pure noise, the worst case for the
published screen, which lets most pairs through. An addition is one product of two values at a token; the sums
take ``sum_t m_t^2`` of them in the screen and as many for the second moments. Beside the additions every sum
is set to 0, added to and ranked, 32 bytes of traffic each where a block is larger than the cache: the dense
bytes, set against the bandwidth of a copy measured here. ``--compare`` runs the CPU's kernels on the columns.

Without a GPU's profiler this is the whole measurement; ``bench/device.sh`` runs the tests and this.
"""

import argparse
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch

from analysis.activations import Columns
from analysis.columns import moments_of
from analysis.cuda.edges import mutual_edges_on
from analysis.cuda.entries import Entries, entries_of
from analysis.cuda.gram import grams_of
from analysis.cuda.lasso import kkt_residuals, problems_of, solve
from analysis.cuda.products import empty_sums, sums_of_block
from analysis.cuda.screen import screen_on
from analysis.cuda.trial import trial_on, trials_on
from analysis.cuda.workspace import Workspace, workspace_on
from analysis.kernel import use_threads
from analysis.nodewise import PathSettings
from analysis.published import PublishedSettings, published_trial
from analysis.screen import Candidates, screen
from analysis.shuffle import shuffled
from analysis.trial import Trial

T = TypeVar("T")

SETTINGS = PublishedSettings(PathSettings())


def noise(n_features: int, n: int, l0: float, seed: int, sigma: float = 1.5) -> Columns:
    """Independent features of log-normal rates, about `l0` of them at a token."""
    rng = np.random.default_rng(seed)
    rate = np.exp(rng.normal(0, sigma, n_features))
    rate = np.minimum(rate / rate.sum() * l0, 0.3)
    # Draws with replacement, as many as leave the wanted number of distinct tokens.
    draws = rng.poisson(-np.log1p(-rate) * n)
    where = np.sort(np.repeat(np.arange(n_features), draws) * n + rng.integers(0, n, draws.sum()))
    where = where[np.diff(where, prepend=-1) > 0]
    start = np.searchsorted(where, np.arange(n_features + 1) * n).astype(np.int64)
    value = (0.5 + rng.exponential(1.0, len(where))).astype(np.float32)
    return Columns(start, (where % n).astype(np.int32), value, n)


def timed(name: str, device: torch.device, work: Callable[[], T]) -> tuple[T, float]:
    """Run `work` twice, first to compile and to warm up; print and return the seconds of the second."""
    work()
    _wait(device)
    began = time.perf_counter()
    result = work()
    _wait(device)
    seconds = time.perf_counter() - began
    print(f"{name:42} {seconds:9.3f} s", flush=True)
    return result, seconds


def copy_bandwidth(device: torch.device) -> float:
    """Bytes per second of a copy within the device's memory, reads and writes counted."""
    source = torch.ones(1 << (28 if device.type == "cuda" else 24), dtype=torch.float32, device=device)
    target = torch.empty_like(source)
    target.copy_(source)
    _wait(device)
    began = time.perf_counter()
    for _ in range(10):
        target.copy_(source)
    _wait(device)
    return 10 * 2 * 4 * source.numel() / (time.perf_counter() - began)


def all_sums(entries: Entries, workspace: Workspace, k: int) -> None:
    """Make every block of sums, and nothing with them."""
    out = empty_sums(entries, k, workspace)
    for first in range(0, entries.n_features, len(out)):
        sums_of_block(entries, first, min(first + len(out), entries.n_features), out, workspace)


def stages(columns: Columns, device: torch.device, memory: int | None) -> Candidates:
    """Time each stage of a trial on its own."""
    moments, _ = timed("moments (host)", device, lambda: moments_of(columns))
    part = (moments.count >= 5) & (moments.deviation > 0)
    entries, _ = timed(
        "to the device, lists by token", device, lambda: entries_of(columns, moments, part, device)
    )
    workspace = workspace_on(device, memory)
    bandwidth = copy_bandwidth(device)
    at_token = torch.diff(entries.row_start).double()
    additions = float((at_token * at_token).sum())
    print(
        f"  {len(columns.token):,} entries, {additions:,.0f} additions, "
        f"{workspace.rows(entries.n_features, 64)} rows of sums at once, triton: {workspace.triton}, "
        f"copy {bandwidth / 1e9:,.0f} GB/s"
    )
    _, sums = timed("sums of products, all blocks", device, lambda: all_sums(entries, workspace, 64))
    print(f"  {additions / sums:.2e} additions/s; lists read at {12 * additions / sums / 1e9:,.0f} GB/s")
    candidates, screened = timed("screen (with those sums)", device, lambda: screen_on(entries, workspace))
    dense = 32.0 * entries.n_features**2
    print(
        f"  dense traffic at most {dense / screened / 1e9:,.0f} GB/s, "
        f"{dense / screened / bandwidth:.0%} of a copy"
    )
    regressions(entries, candidates, workspace)
    return candidates


def regressions(entries: Entries, candidates: Candidates, workspace: Workspace) -> None:
    """Time second moments and paths of as many nodes as fit the workspace."""
    nodes = np.flatnonzero(candidates.feature[:, 0] >= 0)[: workspace.nodes(64)]
    if not len(nodes):
        print("no pair passes the screen: no regressions")
        return
    device, n_features = workspace.device, len(candidates.feature)
    number = torch.full((n_features + 1,), -1, dtype=torch.int32)
    number[entries.name] = torch.arange(entries.n_features, dtype=torch.int32)
    node = number[nodes].long().to(device)
    candidate = number[candidates.feature[nodes].astype(np.int64)].to(device)
    moments, _ = timed(
        f"second moments, {len(nodes):,} nodes", device, lambda: grams_of(entries, node, candidate, workspace)
    )
    problems = problems_of(*moments, entries.n_tokens, float(np.log(n_features - 1)), PathSettings())
    solutions, seconds = timed("LASSO paths", device, lambda: solve(problems, workspace))
    steps = float(solutions.steps.sum())
    print(
        f"  {steps / len(nodes):,.0f} coordinate steps a node, {steps / seconds:.2e} steps/s, "
        f"KKT residual {float(kkt_residuals(problems, solutions).max()):.1e}"
    )
    coefficient = np.zeros(candidates.feature.shape)
    coefficient[nodes] = solutions.beta.cpu().numpy()
    timed(
        "edges",
        device,
        lambda: mutual_edges_on(device, candidates.feature, candidates.correlation, coefficient),
    )


def compare(columns: Columns, trial: Trial, candidates: Candidates) -> None:
    """Print how the CPU's kernels take and find on the same columns."""
    moments = moments_of(columns)
    twin = screen(columns, moments, (moments.count >= 5) & (moments.deviation > 0))
    cpu, _ = timed(
        "the same by the CPU's kernels", torch.device("cpu"), lambda: published_trial(columns, SETTINGS)
    )
    ours, theirs = weights(trial), weights(cpu)
    gap = max((abs(ours[pair] - theirs[pair]) for pair in ours.keys() & theirs.keys()), default=0.0)
    print(
        f"candidates that differ {int((twin.feature != candidates.feature).sum()):,} of "
        f"{int((twin.feature >= 0).sum()):,}; edges {len(ours):,} and {len(theirs):,}, "
        f"{len(ours.keys() ^ theirs.keys())} in one only; weights within {gap:.1e}"
    )


def weights(trial: Trial) -> dict[tuple[int, int], float]:
    """Weight of each edge."""
    pairs = zip(trial.edges.source.tolist(), trial.edges.target.tolist(), strict=True)
    return dict(zip(pairs, trial.edges.weight.tolist(), strict=True))


def main() -> None:
    """Time the stages, whole trials, and what they need."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--features", type=int, default=1024)
    parser.add_argument("--tokens", type=int, default=4000)
    parser.add_argument("--l0", type=float, default=20.0, help="features firing at a token")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--memory", type=float, help="GB for the work on the device")
    parser.add_argument("--nulls", type=int, default=4, help="shuffled trials, made while others run")
    parser.add_argument("--threads", type=int, help="of the host")
    parser.add_argument("--compare", action="store_true", help="run the CPU's kernels too")
    options = parser.parse_args()
    use_threads(options.threads)
    device = torch.device(options.device)
    memory = int(options.memory * 1e9) if options.memory else None
    columns = noise(options.features, options.tokens, options.l0, 0)
    print(f"{options.features:,} features x {options.tokens:,} tokens on {device}")
    candidates = stages(columns, device, memory)
    trial, _ = timed("one trial", device, lambda: trial_on(device, columns, SETTINGS, memory))
    print(f"  {len(trial.edges.source):,} edges; {trial.certificate}")
    timed("one shuffle (host)", device, lambda: shuffled(columns, 0, 0, 0))
    began = time.perf_counter()
    sources = [lambda stream=stream: shuffled(columns, 0, 0, stream) for stream in range(options.nulls)]
    for null in trials_on(device, sources, SETTINGS, memory):
        print(f"  null: {len(null.edges.source):,} edges")
    each = (time.perf_counter() - began) / max(1, options.nulls)
    print(f"{'a null trial, shuffled meanwhile':42} {each:9.3f} s")
    if device.type == "cuda":
        print(f"peak memory of the device {torch.cuda.max_memory_allocated(device) / 1e9:.1f} GB")
    if options.compare:
        compare(columns, trial, candidates)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


if __name__ == "__main__":
    main()
