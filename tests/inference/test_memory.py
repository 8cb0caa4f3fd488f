import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.errors import MisuseError
from ingest.inference import InferConfig, Resources, infer, job
from ingest.inference.memory import GB, Plan, least_bytes, peak_bytes, plan_within
from ingest.inference.size import JobSize, size_of
from ingest.samples_directory import open_samples
from tests.inference.test_infer import same
from tests.support.foreign_samples import write_samples

LARGE = JobSize(
    n_features=131_072,
    tokens=200_000,
    nonzero=26_000_000,
    file_bytes=210_000_000,
    dictionary_bytes=0,
    words=True,
    replicates=30,
    nulls=1,
    candidates=64,
)


def test_a_job_without_a_budget_uses_what_it_is_given() -> None:
    assert plan_within(LARGE, 16, None) == Plan(16)


def test_threads_and_blocks_give_way_to_a_budget_and_the_plan_fits_it() -> None:
    free = peak_bytes(LARGE, Plan(16))
    assert plan_within(LARGE, 16, 1.01 * free) == Plan(16)
    for part in (0.9, 0.7, 0.5, 0.2, 0.0):
        budget = least_bytes(LARGE) + part * (free - least_bytes(LARGE))
        plan = plan_within(LARGE, 16, budget)
        assert peak_bytes(LARGE, plan) <= budget
        assert plan != Plan(16)
    wordless = replace(LARGE, words=False, replicates=1)
    assert plan_within(wordless, 16, 1.001 * least_bytes(wordless)).threads == 1


@pytest.mark.parametrize("field", ["n_features", "tokens", "nonzero", "replicates", "file_bytes"])
def test_a_larger_job_never_needs_less(field: str) -> None:
    larger = replace(LARGE, **{field: 2 * getattr(LARGE, field)})
    assert peak_bytes(larger, Plan(4)) >= peak_bytes(LARGE, Plan(4))


def test_the_refusal_names_a_budget_that_is_accepted() -> None:
    with pytest.raises(MisuseError, match=r"--memory is 0.5 GB; this job needs at least \S+ GB") as refused:
        plan_within(LARGE, 2, 0.5 * GB)
    needed = float(str(refused.value).split("at least ")[1].split(" GB")[0])
    assert peak_bytes(LARGE, plan_within(LARGE, 2, needed * GB)) <= needed * GB


def test_what_the_process_holds_already_counts() -> None:
    budget = 1.2 * least_bytes(LARGE)
    assert plan_within(LARGE, 16, budget, 0.3 * GB) != plan_within(LARGE, 16, budget, 0.5 * GB)
    with pytest.raises(MisuseError, match="at least"):
        plan_within(LARGE, 16, budget, budget)


def test_the_size_of_a_job_is_read_from_headers(tmp_path: Path) -> None:
    samples = open_samples(write_samples(tmp_path / "s"))
    size = size_of(samples, InferConfig(replicates=3, nulls=2))
    firings = [len(samples.read(k).activations.feature) for k in range(3)]
    assert (size.nonzero, size.tokens, size.trials) == (max(firings), 600, 9)
    assert size.words
    assert size.file_bytes == max(f.stat().st_size for f in samples.path.glob("replicate-00[012]*"))


def test_small_blocks_change_no_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = write_samples(tmp_path / "s")
    infer(samples, tmp_path / "whole", InferConfig(nulls=2))
    monkeypatch.setattr(job, "plan_within", lambda *_: Plan(1, edges_at_once=7, word_blocks=4))
    infer(samples, tmp_path / "blocks", InferConfig(nulls=2), Resources(threads=1))
    same(tmp_path / "whole", tmp_path / "blocks")


def test_a_real_job_stays_within_the_least_budget_that_is_accepted(tmp_path: Path) -> None:
    samples = write_samples(tmp_path / "s", replicates=3, n=20_000, n_features=200)
    budget = least_bytes(size_of(open_samples(samples), InferConfig())) * 1.001 / GB
    # A process of its own prints its own high-water mark: that of a child counts its parent's memory in.
    code = (
        "import re, sys, stratigraph; code = stratigraph.main(sys.argv[1:])\n"
        "from pathlib import Path\n"
        "print(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1]); sys.exit(code)"
    )
    command = [sys.executable, "-c", code, "infer", samples, "--out", tmp_path / "g", "--memory", str(budget)]
    # The first job on a machine compiles the kernels, and holds what the compiler left to its end.
    infer(samples, tmp_path / "compiled", InferConfig())
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    peak = int(done.stdout.split()[-1]) * 1024 / GB
    assert peak <= budget
