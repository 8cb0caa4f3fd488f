"""What the calibrated procedure makes of all replicates together, kept in the graph directory.

::

    OUT/background.safetensors   loading float64[F], lasting float32[F, LAGS]
    OUT/dependence.parquet       the pairs tested; counts as file metadata
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import polars as pl
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from analysis.activations import Columns
from analysis.calibrated import Background, Dependence, background_of, dependence_of
from analysis.columns import columns_of
from analysis.errors import DataError
from analysis.firings import lay_out
from ingest.inference.config import InferConfig
from ingest.inference.workspace import as_os_error
from ingest.progress import progress
from ingest.samples_directory import SamplesDirectory

_BACKGROUND, _DEPENDENCE = "background.safetensors", "dependence.parquet"


def pool(samples: SamplesDirectory, out: Path, config: InferConfig, replicates: int) -> Background:
    """Test all pairs on all replicates together, unless that is done; returns the background."""
    if (out / _DEPENDENCE).exists():
        return _read_background(out)
    with progress("pooling", 2 * replicates, unit="files") as advance:

        def read(k: int) -> Columns:
            columns = columns_of(samples.read(k).activations)
            advance(1)
            return columns

        firings = lay_out(read, replicates)
    with progress("testing", 2, unit="steps") as advance:
        background = background_of(firings)
        advance(1)
        found = dependence_of(firings, background, config.calibrated())
        advance(1)
    with as_os_error():
        _write(out, background, found)
    return background


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
        return Background(arrays["loading"], arrays["lasting"])
    except (SafetensorError, OSError, KeyError) as error:
        raise DataError(
            f"{file}: not readable ({error}); delete it and {_DEPENDENCE}, and run infer again"
        ) from error


def _write(out: Path, background: Background, found: Dependence) -> None:
    """Write both files, the one that says that all is done last."""
    out.mkdir(parents=True, exist_ok=True)
    part = out / f"{_BACKGROUND}.part"
    save_file({"loading": background.loading, "lasting": background.lasting}, part)
    part.replace(out / _BACKGROUND)
    candidates = found.candidates
    counts = {
        "pairs_passing_screen": candidates.passed,
        "features_with_full_list": int((candidates.feature[:, -1] >= 0).sum()),
        "pairs_tested": len(found.source),
        "pairs_tested_twice": found.joint,
        "tests_not_converged": found.not_converged,
        "features_following_activity": int(np.count_nonzero(background.loading)),
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
