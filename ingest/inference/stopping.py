"""How many replicates are enough: looks at the kept edges after more and more of them.

With ``E_k`` the edges that the run would keep if it ended after the replicates of look ``k``::

    looks after R_k = 5, 7, 10, 14, 20, 28, 40, ... replicates, each about 1.4 times the last, and after all
    share_k = |E_k and E_(k-1)| / |E_k or E_(k-1)|     Jaccard; 1 where both are empty
    the run ends at the first look with share_k >= SHARE

What is seen of a look stays in the graph directory, so that a job that was killed goes on after it::

    OUT/looks/007.parquet   source, target: the edges kept after 7 replicates
    OUT/looks/007/          what was pooled there (``ingest.inference.dependence``), until the job has stopped
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from analysis.activations import Int64
from analysis.errors import DataError
from analysis.stability import edge_keys
from ingest.inference.workspace import as_os_error

FIRST = 5
"""Replicates before the first look."""
FEWEST = FIRST + 1
"""Replicates below which there are no two looks."""

_GROWTH = 2**0.5


@dataclass(frozen=True)
class Look:
    """What was kept after some of the replicates.

    Parameters
    ----------
    replicates
        How many they were.
    kept
        Edges kept.
    in_common
        Share of these and those of the look before that are in both, 0 to 1; None for the first look.
    """

    replicates: int
    kept: int
    in_common: float | None


def schedule(replicates: int) -> tuple[int, ...]:
    """Say after how many of all `replicates` to look, ascending; the last is all of them."""
    looks, due = [], float(FIRST)
    while round(due) < replicates:
        looks.append(round(due))
        due *= _GROWTH
    return (*looks, replicates)


def share_in_common(one: Int64, other: Int64) -> float:
    """Return the share of two sets of edges, by their keys, that is in both; 1 where both are empty."""
    both = len(np.intersect1d(one, other, assume_unique=True))
    either = len(one) + len(other) - both
    return both / either if either else 1.0


def look_until_stable(
    out: Path,
    n_features: int,
    replicates: int,
    share: float,
    kept_after: Callable[[int], pl.DataFrame],
    looked: Callable[[Look], None],
) -> tuple[Look, ...]:
    """Look at the kept edges until two looks in a row share enough, or all replicates are used.

    Parameters
    ----------
    out
        The graph directory; looks that it holds are not made again.
    n_features, replicates
        ``F``, and the most replicates to use.
    share
        The share in common that is enough, in (0, 1].
    kept_after
        Returns ``source`` and ``target`` of the edges kept after so many replicates.
    looked
        Is told of each look.

    Returns
    -------
    The looks, at least one; the run ends after the replicates of the last.
    """
    looks: list[Look] = []
    before: Int64 | None = None
    for count in schedule(replicates):
        if not look_file(out, count).exists():
            _write(out, count, kept_after(count))
        edges = _read(out, count)
        kept = edge_keys(edges["source"].to_numpy(), edges["target"].to_numpy(), n_features)
        in_common = None if before is None else share_in_common(kept, before)
        looks.append(Look(count, len(kept), in_common))
        looked(looks[-1])
        if in_common is not None and in_common >= share:
            break
        before = kept
    return tuple(looks)


def look_file(out: Path, replicates: int) -> Path:
    """Name the file with what is kept after so many replicates."""
    return out / "looks" / f"{replicates:03d}.parquet"


def pooled_place(out: Path, replicates: int) -> Path:
    """Name the directory of what is pooled for a look."""
    return look_file(out, replicates).with_suffix("")


def recorded(looks: Sequence[Look], replicates: int) -> dict[str, Any]:
    """Return what ``graph.json`` says of the looks, among what took no part; nothing where there were none.

    Parameters
    ----------
    looks
        In order.
    replicates
        The most that could have been used.
    """
    if not looks:
        return {}
    return {
        "replicates_spared": replicates - looks[-1].replicates,
        "looks": [asdict(look) for look in looks],
    }


def _read(out: Path, replicates: int) -> pl.DataFrame:
    file = look_file(out, replicates)
    try:
        return pl.read_parquet(file, columns=["source", "target"])
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"{file}: not readable ({error}); delete it and run infer again") from error


def _write(out: Path, replicates: int, kept: pl.DataFrame) -> None:
    file = look_file(out, replicates)
    file.parent.mkdir(exist_ok=True)
    part = file.with_suffix(".part")
    with as_os_error():
        kept.select("source", "target").write_parquet(part)
    part.replace(file)
