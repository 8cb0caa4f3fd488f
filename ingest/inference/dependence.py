"""What the calibrated procedure makes of all replicates together, kept in the graph directory.

::

    OUT/background.safetensors   loading float64[F], lasting float32[F, LAGS + SPANS], crowd float64[1]
    OUT/dependence.parquet       the pairs tested; counts as file metadata
    OUT/tests/                   parts of the tests, while they last
"""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import polars as pl
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from analysis.activations import Columns, Float64
from analysis.background import Background, background_of
from analysis.calibrated import Dependence
from analysis.columns import columns_of
from analysis.errors import DataError
from analysis.firings import lay_out
from ingest.inference.config import InferConfig
from ingest.inference.memory import Allowance
from ingest.inference.regressions import dependence_within
from ingest.inference.workspace import PARTS, as_os_error
from ingest.progress import progress
from ingest.samples_directory import SamplesDirectory

_BACKGROUND, _DEPENDENCE = "background.safetensors", "dependence.parquet"


def pool(
    samples: SamplesDirectory, out: Path, config: InferConfig, replicates: int, allowance: Allowance
) -> Background:
    """Test all pairs on all replicates together, unless that is done; returns the background."""
    if (out / _DEPENDENCE).exists():
        shutil.rmtree(out / PARTS, ignore_errors=True)
        return _read_background(out)
    with progress("pooling", 2 * replicates, unit="files") as advance:

        def read(k: int) -> Columns:
            columns = columns_of(samples.read(k).activations)
            advance(1)
            return columns

        firings = lay_out(read, replicates)
    with Kept(out / PARTS) as kept:
        background = background_of(firings)
        found = dependence_within(firings, background, config.calibrated(), kept.part, allowance)
    with as_os_error():
        _write(out, background, found)
        shutil.rmtree(out / PARTS, ignore_errors=True)
    return background


class Kept:
    """The parts of the tests, each kept in a file, so that a killed job makes none of them twice."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shown = ExitStack()
        self._screened = False

    def __enter__(self) -> "Kept":
        self._advance = self._shown.enter_context(progress("screening", 1, unit="steps"))
        return self

    def __exit__(self, *_: object) -> None:
        self._shown.close()

    def part(self, name: str, number: int, count: int, make: Callable[[], Float64]) -> Float64:
        """Make a part, or read what was made of it."""
        if number == 0:
            if not self._screened:
                self._advance(1)
                self._screened = True
            self._shown.close()
            self._advance = self._shown.enter_context(progress(name, count, unit="parts"))
        file = self._folder / f"{name.replace(' ', '-')}-{number:05d}.npy"
        try:
            figures: Float64 = np.load(file)
        except (OSError, ValueError, EOFError):
            figures = make()
            with as_os_error():
                self._folder.mkdir(parents=True, exist_ok=True)
                part = file.with_suffix(".part")
                with part.open("wb") as written:
                    np.save(written, figures)
                part.replace(file)
        self._advance(1)
        return figures


def adopt(places: Sequence[Path], out: Path) -> None:
    """Make what was pooled in the last of `places` that of the job, unless it has its own; remove all."""
    if not (out / _DEPENDENCE).exists():
        # The one that says that all is done comes last.
        for name in (_BACKGROUND, _DEPENDENCE):
            if (places[-1] / name).exists():
                (places[-1] / name).replace(out / name)
    for place in places:
        if place.exists():
            shutil.rmtree(place)


def kept_by_test(out: Path, fdr: float) -> pl.DataFrame:
    """Return ``source`` and ``target`` of the pairs whose q is at most `fdr`."""
    return read_dependence(out).filter(pl.col("q_value") <= fdr).select("source", "target")


def read_dependence(out: Path) -> pl.DataFrame:
    """Read the pairs tested."""
    with _readable(out / _DEPENDENCE) as file:
        return pl.read_parquet(file)


def read_counts(out: Path) -> dict[str, int]:
    """Read how many features and pairs went which way."""
    with _readable(out / _DEPENDENCE) as file:
        counts: dict[str, int] = json.loads(pl.read_parquet_metadata(file)["counts"])
        return counts


@contextmanager
def _readable(file: Path) -> Iterator[Path]:
    try:
        yield file
    except (pl.exceptions.PolarsError, OSError, ValueError, KeyError) as error:
        raise DataError(f"{file}: not readable ({error}); delete it and run infer again") from error


def _read_background(out: Path) -> Background:
    file = out / _BACKGROUND
    try:
        arrays = load_file(file)
        return Background(arrays["loading"], arrays["lasting"], float(arrays["crowd"][0]))
    except (SafetensorError, OSError, KeyError) as error:
        raise DataError(
            f"{file}: not readable ({error}); delete it and {_DEPENDENCE}, and run infer again"
        ) from error


def _write(out: Path, background: Background, found: Dependence) -> None:
    """Write both files, the one that says that all is done last."""
    out.mkdir(parents=True, exist_ok=True)
    part = out / f"{_BACKGROUND}.part"
    crowd: Float64 = np.array([background.crowd])
    part.write_bytes(save({"loading": background.loading, "lasting": background.lasting, "crowd": crowd}))
    part.replace(out / _BACKGROUND)
    candidates = found.candidates
    counts = {
        "pairs_passing_screen": candidates.passed,
        "features_with_full_list": int((candidates.feature[:, -1] >= 0).sum()),
        "pairs_tested": len(found.source),
        "pairs_tested_twice": found.joint,
        "tests_not_converged": found.not_converged,
        "features_following_activity": int(np.count_nonzero(background.loading)),
        "crowded_tokens_share": background.crowd,
    }
    table = pl.DataFrame(
        {
            "source": found.source,
            "target": found.target,
            "partial_correlation": found.partial_correlation,
            "standard_error": found.standard_error,
            "q_value": found.q_value,
        },
        nan_to_null=True,
    )
    part = out / f"{_DEPENDENCE}.part"
    table.write_parquet(part, metadata={"counts": json.dumps(counts)})
    part.replace(out / _DEPENDENCE)
