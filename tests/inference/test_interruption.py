"""A job that dies at any moment, or finds a full disk or a broken file, goes on to the same graph."""

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from analysis import conditional
from analysis.activations import Float64
from analysis.background import Background
from analysis.errors import DataError
from analysis.firings import Firings
from ingest.inference import InferConfig, Resources, dependence, infer
from tests.support.foreign_samples import write_samples

REPLICATES, NULLS = 3, 2
TRIALS = REPLICATES * (1 + NULLS)
CONFIG = InferConfig(nulls=NULLS)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_samples(tmp_path_factory.mktemp("samples") / "3", replicates=REPLICATES, n=3000)


@pytest.fixture(scope="module")
def whole(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole") / "3"
    infer(samples, out, CONFIG, Resources(threads=1))
    return out


def command(samples: Path, out: Path) -> list[str]:
    options = ["--out", str(out), "--nulls", str(NULLS), "--threads", "1"]
    return [sys.executable, "-m", "stratigraph", "infer", str(samples), *options]


def run(
    samples: Path, out: Path, before: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(samples, out), capture_output=True, text=True, check=False, preexec_fn=before
    )


def identical(a: Path, b: Path) -> None:
    """Assert that two directories hold the same files of the same bytes, but for the recorded time."""
    names = [sorted(str(f.relative_to(d)) for f in d.rglob("*") if f.is_file()) for d in (a, b)]
    assert names[0] == names[1]
    for name in names[0]:
        one, other = ((d / name).read_bytes() for d in (a, b))
        if name.endswith(".json"):
            one, other = (json.dumps(_timeless(json.loads(text))).encode() for text in (one, other))
        assert one == other, name


def _timeless(manifest: dict[str, dict[str, object]]) -> dict[str, dict[str, object]]:
    manifest["run"].pop("created")
    return manifest


DIES = """
import os, signal, sys
last, out, seen = int(sys.argv.pop(1)), sys.argv.pop(1), 0
def watch(event, arguments):
    global seen
    writes = event == "os.rename" or (event == "open" and "w" in str(arguments[1]))
    if writes and str(arguments[0]).startswith(out):
        seen += 1
        if seen == last:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(watch)
import stratigraph
sys.exit(stratigraph.main(sys.argv[1:]))
"""
"""The command, killed right before the Nth time that it opens a file in `out` to write, or renames one."""


def test_killed_at_many_steps_it_resumes_to_the_same_bytes(
    samples: Path, whole: Path, tmp_path: Path
) -> None:
    rng = random.Random(0)
    out = tmp_path / "g"
    stamps: dict[str, int] = {}
    # The lock, the claim (a file, then its name) and the first trials; then wherever it has got to.
    for kill in range(16):
        finished = len(stamps) == TRIALS
        step = kill + 1 if kill < 4 else rng.randint(2, 6 if finished else 5)
        child = [sys.executable, "-c", DIES, str(step), str(out), *command(samples, out)[3:]]
        done = subprocess.run(child, check=False, capture_output=True)
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert not (out / "graph.json").exists()
        now = {f.name: f.stat().st_mtime_ns for f in (out / "trials").glob("*.parquet")}
        assert {name: now[name] for name in stamps} == stamps, "a finished trial was computed again"
        stamps = now
    assert len(stamps) == TRIALS
    done_at_last = run(samples, out)
    assert done_at_last.returncode == 0, done_at_last.stderr
    identical(whole, out)


def test_what_was_tested_before_a_job_died_is_not_tested_again(
    samples: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    test_part = conditional._test_part

    def dies_at_the_third(
        firings: Firings, background: Background, tasks: conditional.Tasks, number: int
    ) -> Float64:
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(number)
        return test_part(firings, background, tasks, number)

    monkeypatch.setattr(conditional, "_AT_ONCE", 8)
    monkeypatch.setattr(conditional, "_test_part", dies_at_the_third)
    out = tmp_path / "3"
    with pytest.raises(KeyboardInterrupt):
        infer(samples, out, CONFIG, Resources(threads=1))
    assert made == [0, 1]
    made = [-1, -1, -1]
    infer(samples, out, CONFIG, Resources(threads=1))
    # The rest of both ends, each part once, and whatever was tested jointly after it.
    assert made[3:].index(2) == 0
    assert 1 not in made[3 : 3 + made[3:].index(max(made)) + 1]
    identical(whole, out)


def test_every_stage_of_the_tests_ends_at_its_end(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stages: list[list[float]] = []

    @contextmanager
    def counted(_name: str, total: float, unit: str) -> Iterator[Callable[[float], None]]:
        stages.append([total, 0.0])

        def advance(units: float) -> None:
            stages[-1][1] += units

        yield advance

    monkeypatch.setattr(conditional, "_AT_ONCE", 8)
    monkeypatch.setattr(dependence, "progress", counted)
    infer(samples, tmp_path / "3", CONFIG, Resources(threads=1))
    # Pooling, screening, both ends, and what is tested jointly if anything is.
    assert len(stages) >= 3
    assert all(total == done for total, done in stages)


def test_killed_by_the_clock_it_resumes_to_the_same_bytes(samples: Path, whole: Path, tmp_path: Path) -> None:
    rng = random.Random(1)
    number, kills = 0, 0
    while kills < 8:
        out = tmp_path / str(number)
        process = subprocess.Popen(
            command(samples, out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + 60
        while not (out / "lock").exists() and process.poll() is None and time.monotonic() < until:
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.4))
        process.kill()
        kills += process.wait() != 0
        if (out / "graph.json").exists():
            identical(whole, out)
            number += 1
    assert run(samples, out).returncode == 0
    identical(whole, out)


def test_a_second_process_is_refused_while_the_first_works(
    samples: Path, whole: Path, tmp_path: Path
) -> None:
    out = tmp_path / "g"
    first = subprocess.Popen(command(samples, out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (out / "job.json").exists() and first.poll() is None:
        time.sleep(0.001)
    first.send_signal(signal.SIGSTOP)
    second = run(samples, out)
    first.send_signal(signal.SIGCONT)
    assert second.returncode == 1
    assert one_sentence(second.stderr, "is being worked on by another process; wait for it")
    assert first.wait(60) == 0
    identical(whole, out)


def one_sentence(stderr: str, says: str) -> bool:
    """Whether the error is one line, without a traceback, that says `says`."""
    errors = [line for line in stderr.splitlines() if line.startswith("stratigraph: ")]
    return len(errors) == 1 and says in errors[0] and "Traceback" not in stderr and "None" not in errors[0]


@pytest.mark.parametrize("limit", [0, 600, 2500, 6000])
def test_a_full_disk_is_one_sentence_and_the_job_goes_on_when_there_is_room(
    limit: int, samples: Path, whole: Path, tmp_path: Path
) -> None:
    """A file that may not grow past `limit` bytes fails as one on a full disk does: claim, trial or table."""
    out = tmp_path / "g"

    def no_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = run(samples, out, no_room)
    assert done.returncode == 1
    assert one_sentence(done.stderr, "make room and repeat the command, finished trials are kept")
    assert not (out / "graph.json").exists()
    again = run(samples, out)
    assert again.returncode == 0, again.stderr
    identical(whole, out)


def _truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def _forbid(file: Path) -> None:
    file.chmod(0)


def _replace_by_a_directory(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize("spoil", [_truncate, _forbid, _replace_by_a_directory])
@pytest.mark.parametrize(
    "name", ["replicate-001.safetensors", "vocabulary.parquet", "dictionary.safetensors"]
)
def test_an_unreadable_file_is_one_sentence_and_mended_the_job_goes_on(
    spoil: Callable[[Path], None], name: str, samples: Path, whole: Path, tmp_path: Path
) -> None:
    if spoil is _forbid and os.getuid() == 0:
        pytest.skip("the superuser may read everything")
    copy, out = tmp_path / "s", tmp_path / "g"
    shutil.copytree(samples, copy)
    file = copy / name
    spoil(file)
    with pytest.raises(DataError, match=name) as refused:
        infer(copy, out, CONFIG, Resources(threads=1))
    assert "\n" not in str(refused.value)
    finished = {f.name: f.stat().st_mtime_ns for f in (out / "trials").glob("*.parquet")}
    if file.is_dir():
        file.rmdir()
    file.unlink(missing_ok=True)
    shutil.copy(samples / name, file)
    assert infer(copy, out, CONFIG, Resources(threads=1))
    assert all((out / "trials" / f).stat().st_mtime_ns == stamp for f, stamp in finished.items())
    identical(whole, out)


def test_neither_threads_nor_the_order_in_which_files_were_made_change_a_byte(
    samples: Path, whole: Path, tmp_path: Path
) -> None:
    (tmp_path / "s").mkdir()
    for file in sorted(samples.iterdir(), reverse=True):
        shutil.copy(file, tmp_path / "s" / file.name)
    infer(tmp_path / "s", tmp_path / "g", CONFIG, Resources(threads=2))
    identical(whole, tmp_path / "g")
