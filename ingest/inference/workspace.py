"""The graph directory while it is being made: its lock, its claim, and the trials already finished.

::

    OUT/lock                     held by the process that works here; dies with it
    OUT/job.json                 which run this directory belongs to
    OUT/trials/real-000.parquet  edges of one finished trial, and its certificate as file metadata
    OUT/trials/null-0-000.parquet
"""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from analysis.edges import Edges
from analysis.errors import DataError, MisuseError, StratigraphError
from analysis.published import Trial
from analysis.run import Run


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
    if foreign and {p.name for p in out.iterdir()} != {"lock"}:
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


def claim(out: Path, run: Run) -> Run:
    """Claim `out` for `run`, or find that it was begun by the same; returns the run as first recorded.

    Raises
    ------
    MisuseError
        The directory belongs to another configuration or other samples.
    """
    file = out / "job.json"
    if not file.exists():
        temporary = out / "job.json.part"
        temporary.write_text(json.dumps(run.to_json(), indent=1) + "\n")
        temporary.replace(file)
        return run
    try:
        found = Run(**json.loads(file.read_text()))
    except (ValueError, TypeError) as error:
        raise DataError(f"{file}: not readable ({error}); empty {out} and run infer again") from error
    if found.id != run.id:
        raise MisuseError(
            f"{out} belongs to run {found.id}, {_difference(found, run)}; "
            "repeat that command to resume it, or name another --out"
        )
    return found


def _difference(found: Run, run: Run) -> str:
    """Say in what two runs differ."""
    for key, value in run.config.items():
        if found.config.get(key) != value:
            return f"made with {key} = {found.config.get(key)!r} where this command says {value!r}"
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
    table.write_parquet(temporary, metadata={"trial": json.dumps(about)})
    temporary.replace(directory / f"{name}.parquet")


def has_trial(out: Path, name: str) -> bool:
    """Say whether trial `name` is finished."""
    return (out / "trials" / f"{name}.parquet").exists()


def read_trial(out: Path, name: str) -> Trial:
    """Read a finished trial."""
    file = out / "trials" / f"{name}.parquet"
    try:
        table = pl.read_parquet(file)
        about: dict[str, Any] = json.loads(pl.read_parquet_metadata(file)["trial"])
        edges = Edges(
            table["source"].to_numpy().astype(np.int32),
            table["target"].to_numpy().astype(np.int32),
            table["weight"].to_numpy(),
            table["correlation"].to_numpy(),
            about["counts"]["opposite_signs"],
        )
    except (pl.exceptions.PolarsError, OSError, ValueError, KeyError) as error:
        raise DataError(f"{file}: not readable ({error}); delete it and run infer again") from error
    return Trial(edges, about["certificate"], about["counts"])
