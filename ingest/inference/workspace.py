"""The graph directory while it is being made: its lock, its claim, and the trials already finished.

::

    OUT/lock                     held by the process that works here; dies with it
    OUT/job.json                 which run this directory belongs to
    OUT/trials/real-000.parquet  edges of one finished trial, and its certificate as file metadata
    OUT/trials/null-0-000.parquet
    OUT/dependence.parquet       of the calibrated procedure: see ``ingest.inference.dependence``
    OUT/looks/                   of a job that ends when it is stable: see ``ingest.inference.stopping``
"""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from safetensors import SafetensorError

from analysis.activations import Int32
from analysis.edges import Edges
from analysis.errors import DataError, MisuseError, StratigraphError
from analysis.run import Run
from analysis.trial import Trial
from ingest.samples_directory import COMPANIONS
from ingest.unwritable import number_of

PARTS = "tests"
"""Folder of what is kept of a job's tests, and of those of each look, while they last."""
_EDGE_COLUMNS = ("source", "target", "weight", "correlation")


@contextmanager
def hold(out: Path) -> Iterator[None]:
    """Hold the directory `out` for this process, making it if need be.

    Raises
    ------
    MisuseError
        `out` is a file, or a directory that holds something else.
    StratigraphError
        Another process works there.
    """
    if out.exists() and not out.is_dir():
        raise MisuseError(f"--out {out} is a file; expected a directory, name another")
    foreign = out.is_dir() and any(out.iterdir()) and not (out / "job.json").exists()
    if foreign and not {p.name for p in out.iterdir()} <= {"lock", "job.json.part"}:
        raise MisuseError(f"--out {out} is not empty and no graph directory; name another, or empty it")
    out.mkdir(parents=True, exist_ok=True)
    with (out / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StratigraphError(
                f"{out} is being worked on by another process; wait for it, or name another --out"
            ) from error
        yield


def claim(out: Path, run: Run, digests: Mapping[str, str]) -> Run:
    """Claim `out` for `run`, or find that it was begun by the same; returns the run as first recorded.

    A replicate that was mended since it stopped the job is taken as it is now, as long as no finished trial
    read it.

    Raises
    ------
    MisuseError
        The directory belongs to another configuration or other samples.
    """
    file = out / "job.json"
    if file.exists():
        try:
            record = json.loads(file.read_text())
            found, read = Run(**record["run"]), record["files"]
        except (ValueError, TypeError, KeyError) as error:
            raise DataError(f"{file}: not readable ({error}); empty {out} and run infer again") from error
        if found.id == run.id:
            return found
        used = {name for name in digests if name not in _unread(out, list(digests))}
        mended = found.config == run.config and all(read.get(name) == digests[name] for name in used)
        if not mended or (out / "graph.json").exists():
            raise MisuseError(
                f"{out} belongs to run {found.id}, {_difference(found, run)}; "
                "repeat that command to resume it, or name another --out"
            )
        # what was made of the replicates as they were
        for place in (out, *(out / "looks").glob("*")):
            shutil.rmtree(place / PARTS, ignore_errors=True)
    temporary = out / "job.json.part"
    temporary.write_text(json.dumps({"run": run.to_json(), "files": dict(digests)}, indent=1) + "\n")
    temporary.replace(file)
    return run


def _unread(out: Path, names: Sequence[str]) -> set[str]:
    """Names of the replicate files that no finished trial has read, nor all of them together."""
    replicates = [name for name in names if name not in COMPANIONS]
    pooled = _looked_at(out)
    if not pooled and (out / "dependence.parquet").exists():
        return set()
    return {
        name
        for number, name in enumerate(replicates)
        if number >= pooled and not any((out / "trials").glob(f"*-{number:03d}.parquet"))
    }


def _looked_at(out: Path) -> int:
    """Count the replicates, the first, that looks at what is kept have read."""
    looks = out / "looks"
    made = [*looks.glob("[0-9]*.parquet"), *(file.parent for file in looks.glob("[0-9]*/dependence.parquet"))]
    return max((int(look.stem) for look in made), default=0)


def _difference(found: Run, run: Run) -> str:
    """Say in what two runs differ."""
    for key in {**run.config, **found.config}:
        one, other = found.config.get(key), run.config.get(key)
        if one != other:
            return f"made with {key} = {one!r} where this command says {other!r}"
    if found.inputs != run.inputs:
        return "made from other samples"
    return "made by another version of the program"


def trial_name(replicate: int, stream: int | None) -> str:
    """Name a trial: real for `stream` None, else null trial of that stream."""
    return f"real-{replicate:03d}" if stream is None else f"null-{stream}-{replicate:03d}"


def save_trial(out: Path, name: str, trial: Trial) -> None:
    """Write one finished trial, whole or not at all."""
    directory = out / "trials"
    directory.mkdir(exist_ok=True)
    edges = trial.edges
    table = pl.DataFrame(
        {
            "source": edges.source,
            "target": edges.target,
            "weight": edges.weight,
            "correlation": edges.correlation,
        }
    )
    about = {"certificate": trial.certificate, "counts": trial.counts}
    temporary = directory / f"{name}.part"
    with as_os_error():
        table.write_parquet(temporary, metadata={"trial": json.dumps(about)})
    temporary.replace(directory / f"{name}.parquet")


@contextmanager
def as_os_error() -> Iterator[None]:
    """Let a file that its library cannot write fail as any other does; a full disk is not a broken table."""
    try:
        yield
    except (pl.exceptions.ComputeError, SafetensorError) as error:
        number = number_of(error)
        if number is None:
            raise
        raise OSError(number, os.strerror(number)) from error


def has_trial(out: Path, name: str) -> bool:
    """Say whether trial `name` is finished."""
    return (out / "trials" / f"{name}.parquet").exists()


def read_about(out: Path, name: str) -> dict[str, Any]:
    """Read ``certificate`` and ``counts`` of a finished trial."""
    file = out / "trials" / f"{name}.parquet"
    with _readable(file):
        about: dict[str, Any] = json.loads(pl.read_parquet_metadata(file)["trial"])
        return {"certificate": about["certificate"], "counts": about["counts"]}


def read_sources(out: Path, name: str) -> Int32:
    """Read the source of every edge of a finished trial, ascending."""
    file = out / "trials" / f"{name}.parquet"
    with _readable(file):
        return pl.read_parquet(file, columns=["source"])["source"].to_numpy().astype(np.int32)


def read_edges(out: Path, name: str, first: int, last: int) -> Edges:
    """Read the edges of a finished trial whose source is in ``first .. last - 1``."""
    file = out / "trials" / f"{name}.parquet"
    with _readable(file):
        table = pl.read_parquet(file)
        low, high = np.searchsorted(table["source"].to_numpy(), (first, last)).tolist()
        # Copied, so that the rest of the table is not kept alive.
        columns = {name: table[name].slice(low, high - low).to_numpy().copy() for name in _EDGE_COLUMNS}
        return Edges(**columns, opposed=0)


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    try:
        yield
    except (pl.exceptions.PolarsError, OSError, ValueError, KeyError) as error:
        raise DataError(f"{file}: not readable ({error}); delete it and run infer again") from error
