import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numba
import numpy as np
import pytest
from safetensors.numpy import save_file

from analysis.activations import Activations, Float64
from analysis.background import background_of
from analysis.calibrated import dependence_of, neighbourhoods_of, screen_states
from analysis.cells import cells_of
from analysis.columns import columns_of, moments_of
from analysis.conditional import Neighbourhoods, keep_nothing
from analysis.design import design_of
from analysis.errors import MisuseError
from analysis.firings import Firings, firings_of, states_of
from analysis.kernel import use_threads
from analysis.nodewise import nodewise
from ingest.inference import InferConfig, Resources, infer, regressions
from ingest.inference.memory import GB, LIBRARIES, TESTED, TESTED_GRADED, Allowance, least_bytes, plan_within
from ingest.inference.regressions import (
    bytes_of_data,
    bytes_of_joint_tests,
    bytes_of_neighbourhood,
    bytes_of_tests,
    dependence_within,
    threads_within,
)
from ingest.inference.size import JobSize, size_of
from ingest.samples_directory import open_samples
from tests.inference.test_memory import LARGE
from tests.support.foreign_samples import write_manifest, write_samples

SETTINGS = InferConfig().calibrated()


def dense(seed: int, n: int, n_features: int, reach: int = 6, share: float = 0.4) -> Activations:
    """Features that fire where their own factor and those of the next are high."""
    latent = np.random.default_rng(seed).normal(size=(n, n_features))
    mixed = np.zeros_like(latent)
    for step in range(reach):
        mixed += np.roll(latent, step, axis=1) * (1 - step / reach)
    cut = np.quantile(mixed, 1 - share)
    token, feature = np.nonzero(mixed > cut)
    value = (mixed[token, feature] - cut + 0.1).astype(np.float32)
    start = np.searchsorted(token, np.arange(n + 1)).astype(np.int64)
    return Activations(start, feature.astype(np.int32), value, n_features)


def write_dense(path: Path, replicates: int, n: int, n_features: int) -> Path:
    path.mkdir()
    entries = []
    for k in range(replicates):
        a = dense(k, n, n_features)
        save_file({"start": a.start, "feature": a.feature, "value": a.value}, path / f"{k}.safetensors")
        entries.append({"file": f"{k}.safetensors", "tokens": n})
    write_manifest(path, n_features, entries)
    return path


@pytest.fixture(scope="module")
def firings() -> Firings:
    return firings_of([columns_of(dense(k, 2000, 14)) for k in range(2)])


def known_of(firings: Firings) -> Neighbourhoods:
    background = background_of(firings)
    _, candidates = screen_states(firings, background, SETTINGS)
    states = states_of(firings)
    fits = nodewise(states, moments_of(states), candidates, SETTINGS.path, background.loading, refit=True)
    return neighbourhoods_of(firings, candidates.feature, fits.coefficient)


@pytest.fixture
def eight_threads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let threads be asked for beyond those of the machine; returns the numbers asked for."""
    asked: list[int] = []

    def use(count: int | None) -> int:
        asked.append(count or 8)
        return asked[-1]

    monkeypatch.setattr(regressions, "use_threads", use)
    return asked


def test_what_is_found_does_not_depend_on_the_budget(firings: Firings) -> None:
    background, threads = background_of(firings), numba.get_num_threads()
    truth = dependence_of(firings, background, SETTINGS)
    for budget in (None, LIBRARIES + 0.1 * GB):
        found = dependence_within(firings, background, SETTINGS, keep_nothing, Allowance(threads, budget))
        assert len(truth.source)
        for name in ("source", "target", "q_value", "partial_correlation", "standard_error"):
            assert getattr(found, name).tobytes() == getattr(truth, name).tobytes()
        assert (found.joint, found.not_converged) == (truth.joint, truth.not_converged)
        assert numba.get_num_threads() == threads


def test_the_largest_regressions_may_come_side_by_side() -> None:
    need = np.array([1.0, 5.0, 3.0, 4.0])
    # Largest first, each with 1 beside it: 6, 11, 15, 17, and then 1 for each idle thread.
    for room, threads in ((5.9, 0), (6, 1), (10.9, 1), (11, 2), (15, 3), (17, 4), (18, 5), (1e9, 6)):
        assert threads_within(need, 1.0, room, 6) == threads


def test_a_test_is_allowed_what_its_rows_hold(firings: Firings) -> None:
    known = known_of(firings)
    allowed = bytes_of_tests(firings.count, known)
    for i in range(firings.n_features):
        of = slice(known.start[i], known.start[i + 1])
        members, graded = known.member[of], known.graded[of]
        row_of = np.zeros(firings.n_tokens, np.int32)
        fires = np.zeros(firings.n_tokens, np.int8)
        fires[firings.token[firings.start[i] : firings.start[i + 1]]] = 1
        lists = firings.start, firings.token, firings.level
        cell, step = cells_of(members, graded, *lists, fires)
        design = design_of(members, graded, cell, step, *lists, row_of)
        f = firings.count[members].sum()
        rows = len(design.tokens)
        of_each = 4 * 8 + 3 * 8 + 20  # beside the design: fires, p, fitted, met; the strata; the patterns
        branching = 25 * (f + 1) + 33 * rows
        testing = sum(array.nbytes for array in design) + of_each * rows
        assert max(branching, testing) <= allowed[i]
        assert allowed[i] <= 140 * f


def test_a_neighbourhood_is_sought_among_candidates_and_the_feature_itself() -> None:
    count = np.array([10, 200, 3000])
    candidate = np.array([[1, -1], [0, -1], [-1, -1]], np.int32)
    assert bytes_of_neighbourhood(count, 50, candidate) == 16 * 3000 + 4 * 50 + 16 * 3**2
    candidate[2] = [0, 1]
    assert bytes_of_neighbourhood(count, 50, candidate) == 16 * 3210 + 4 * 50 + 16 * 3**2


def test_what_both_ends_are_given_counts_once(firings: Firings) -> None:
    known = known_of(firings)
    source, target = known.pairs()
    need = []
    for i, j in zip(source, target, strict=True):
        by_level: dict[int, bool] = {}
        for end in (i, j):
            for place in range(known.start[end], known.start[end + 1]):
                k = int(known.member[place])
                by_level[k] = by_level.get(k, False) or bool(known.graded[place])
        others = {k: TESTED + TESTED_GRADED * g for k, g in by_level.items() if k not in (i, j)}
        need.append(sum(each * firings.count[k] for k, each in others.items()))
    for most in (1, 3, len(need) + 1):
        found = bytes_of_joint_tests(firings.count, known, source, target, most)
        assert found.tolist() == sorted(need, reverse=True)[:most]
    none = source[:0]
    assert not len(bytes_of_joint_tests(firings.count, known, none, none, 2))


def test_tests_run_on_fewer_threads_where_the_budget_is_small(
    firings: Firings, eight_threads: list[int]
) -> None:
    background, known = background_of(firings), known_of(firings)
    each = 5 * firings.n_tokens + 8 * firings.count.max()
    need = np.sort(bytes_of_tests(firings.count, known))[::-1]
    source, target = known.pairs()
    joint = bytes_of_joint_tests(firings.count, known, source, target, 1)[0]
    of_two = 2 * each + need[:2].sum()
    assert each + joint < of_two < 3 * each + need[:3].sum()
    budget = LIBRARIES + bytes_of_data(firings, 64, len(source)) + of_two
    made: list[tuple[str, int]] = []

    def keeping(name: str, _number: int, _count: int, make: Callable[[], Float64]) -> Float64:
        made.append((name, eight_threads[-1]))
        return make()

    found = dependence_within(firings, background, SETTINGS, keeping, Allowance(8, float(budget)))
    assert len(found.source)
    assert dict(made)["testing"] == 2
    # All that were asked for are there again for the trials.
    assert eight_threads[-1] == 8


def test_a_budget_that_one_regression_exceeds_is_refused_before_any_test(firings: Firings) -> None:
    background, known, threads = background_of(firings), known_of(firings), numba.get_num_threads()
    largest = bytes_of_tests(firings.count, known).max()
    begun: list[str] = []

    def keeping(name: str, _number: int, _count: int, make: Callable[[], Float64]) -> Float64:
        begun.append(name)
        return make()

    enough = bytes_of_data(firings, 64) + 16 * len(firings.token) + 4 * firings.n_tokens + 16 * 65**2
    assert largest > 16 * len(firings.token)
    for room, work in ((enough, "the largest test"), (0.5 * enough, "the search for neighbourhoods")):
        allowance = Allowance(1, LIBRARIES + room)
        with pytest.raises(MisuseError, match=rf"--memory is \S+ GB; {work} needs \S+ GB, repeat") as refused:
            dependence_within(firings, background, SETTINGS, keeping, allowance)
        assert not begun
        needed = float(str(refused.value).split(" needs ")[1].split(" GB")[0]) * GB
        assert LIBRARIES + room < needed < LIBRARIES + enough + 3 * largest + 0.01 * GB
    use_threads(threads)


def of_dense(features: int) -> JobSize:
    """A job whose busiest features, so many, fire at every other token."""
    count = sorted([100_000] * features + [1000] * (65 - features), reverse=True)
    return replace(LARGE, procedure="calibrated", words=False, count=tuple(count))


def test_a_plan_makes_room_for_a_regression_on_the_features_that_fire_most() -> None:
    few, many = of_dense(0), of_dense(65)
    assert least_bytes(many) > least_bytes(few)
    # Over all replicates: 65 features while neighbourhoods are sought, 10 while they are tested.
    assert least_bytes(many) >= LIBRARIES + 30 * max(16 * 65, 84 * 10) * 100_000
    with pytest.raises(MisuseError, match=r"--memory is \S+ GB; this job needs at least \S+ GB, allow"):
        plan_within(many, 16, least_bytes(few))
    assert plan_within(many, 16, 1.001 * least_bytes(many)).threads >= 1


def test_the_busiest_features_are_counted_in_the_largest_replicate(tmp_path: Path) -> None:
    samples = open_samples(write_samples(tmp_path / "s"))
    size = size_of(samples, InferConfig())
    counts = [np.bincount(samples.read(k).activations.feature, minlength=31) for k in range(4)]
    largest = np.sort(max(counts, key=lambda count: int(count.sum())))[::-1]
    assert [size.busiest(k) for k in (0, 1, 16, 65)] == [largest[:k].sum() for k in (0, 1, 16, 65)]
    assert replace(size, count=None).busiest(2) == min(size.nonzero, 2 * size.tokens)


def test_features_that_are_none_are_left_to_the_job_to_refuse(tmp_path: Path) -> None:
    path = write_samples(tmp_path / "s", replicates=1)
    feature = np.array([0, 2**31 - 1], np.int32)
    start = np.array([0, 2], np.int64)
    save_file(
        {"start": start, "feature": feature, "value": np.ones(2, np.float32)},
        path / "replicate-000.safetensors",
    )
    assert size_of(open_samples(path), InferConfig()).count is None


def test_a_real_job_on_a_dense_site_stays_within_its_budget(tmp_path: Path) -> None:
    samples = write_dense(tmp_path / "s", 2, 60_000, 10)
    least = least_bytes(size_of(open_samples(samples), InferConfig()))
    # The first job on a machine compiles the kernels, and holds what the compiler left to its end.
    infer(write_dense(tmp_path / "tiny", 2, 500, 10), tmp_path / "compiled", InferConfig(), Resources())
    code = (
        "import re, sys, stratigraph; code = stratigraph.main(sys.argv[1:])\n"
        "from pathlib import Path\n"
        "print(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1]); sys.exit(code)"
    )
    budget = 1.01 * least
    words = ["infer", samples, "--out", tmp_path / "out", "--memory", budget / GB, "--threads", 8]
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NUMBA_NUM_THREADS": "8"},
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-1]) * 1024 <= budget
