"""The edges of all trials, counted over replicates: the replicate table, and the edges that are stored.

Counted for one block of source features after another, so that memory does not grow with the number of
trials: once for the table, which needs only totals, and once more for the edges that are stored.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from analysis.activations import Int32, Int64
from analysis.stability import EdgeCounts, at_least, count_edges, edge_keys, replicate_table
from ingest.inference.workspace import read_edges, read_sources, trial_name
from ingest.progress import Advance

Block = tuple[int, int]
"""First source feature, and the one behind the last."""


Keep = Callable[[EdgeCounts, Block], pl.DataFrame]
"""Makes of the counted edges of a block a frame with what the procedure says of each, ``kept`` among it."""


@dataclass(frozen=True)
class Trials:
    """The finished trials of a job.

    Parameters
    ----------
    out
        The graph directory.
    n_features, replicates, nulls
        ``F``, ``R`` and ``M``.
    blocks
        Blocks of source features that are counted one after another.
    """

    out: Path
    n_features: int
    replicates: int
    nulls: int
    blocks: tuple[Block, ...]

    @classmethod
    def of(cls, out: Path, n_features: int, replicates: int, nulls: int, at_once: int) -> "Trials":
        """Divide the sources so that no stream has many more than `at_once` edges in a block."""
        most = np.zeros(n_features, np.int64)
        for stream in (None, *range(nulls)):
            edges = np.zeros(n_features, np.int64)
            for k in range(replicates):
                edges += np.bincount(read_sources(out, trial_name(k, stream)), minlength=n_features)
            most = np.maximum(most, edges)
        number = np.cumsum(most) // max(1, at_once)
        bounds = [0, *(np.flatnonzero(np.diff(number)) + 1).tolist(), n_features]
        return cls(out, n_features, replicates, nulls, tuple(pairwise(bounds)))

    def counted(self, stream: int | None, block: Block, advance: Advance) -> EdgeCounts:
        """Count the edges of one stream of trials (None: the real ones) whose source is in `block`."""
        trials = [read_edges(self.out, trial_name(k, stream), *block) for k in range(self.replicates)]
        counts = count_edges(trials, self.n_features)
        advance(1)
        return counts

    def table(self, advance: Advance) -> pl.DataFrame:
        """Tabulate observed and null edges by the number of replicates."""
        observed = np.zeros(self.replicates, np.int64)
        null = np.zeros((self.nulls, self.replicates), np.int64)
        for block in self.blocks:
            observed += at_least(self.counted(None, block, advance).count, self.replicates)
            for stream in range(self.nulls):
                null[stream] += at_least(self.counted(stream, block, advance).count, self.replicates)
        return replicate_table(observed, np.mean(null, axis=0))

    def kept(self, keep: Keep, advance: Advance) -> pl.DataFrame:
        """Return ``source`` and ``target`` of the edges of the real trials that `keep` keeps."""
        counted = ((block, self.counted(None, block, advance)) for block in self.blocks)
        return pl.concat(
            [keep(found, block).filter("kept").select("source", "target") for block, found in counted]
        )

    def stored(self, table: pl.DataFrame, keep: Keep, advance: Advance) -> pl.DataFrame:
        """Return the edges that are stored, seen at least twice or kept; without cosines and coactivation."""
        return pl.concat([self._stored(block, table, keep, advance) for block in self.blocks], rechunk=True)

    def _stored(self, block: Block, table: pl.DataFrame, keep: Keep, advance: Advance) -> pl.DataFrame:
        """Return the edges of one block that are stored."""
        found = keep(self.counted(None, block, advance), block)
        stored = found.filter(pl.col("kept") | (pl.col("replicates") >= 2)).sort("source", "target")
        keys = edge_keys(stored["source"].to_numpy(), stored["target"].to_numpy(), self.n_features)
        null_count = np.zeros(len(keys), np.int32)
        for stream in range(self.nulls):
            chance = self.counted(stream, block, advance)
            null_count += _lookup(
                keys, edge_keys(chance.source, chance.target, self.n_features), chance.count
            )
        fdr = np.concatenate([[1.0], table["fdr"].to_numpy()])
        return stored.with_columns(
            null_replicates=pl.Series(null_count, dtype=pl.Int32),
            q_shuffle=pl.Series(fdr[stored["replicates"].to_numpy()], dtype=pl.Float64),
        )


def _lookup(keys: Int64, known: Int64, value: Int32) -> Any:  # noqa: ANN401
    """`value` of each of `keys` among the ascending `known`, 0 where it is not there."""
    if not len(known):
        return 0
    place = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    return np.where(known[place] == keys, value[place], 0)
