"""The words of all features, gathered from the replicates for one block of features after another."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl

from analysis.activations import Columns
from analysis.columns import columns_of
from ingest.inference.words import Words
from ingest.progress import Advance, progress
from ingest.samples_directory import SamplesDirectory


@dataclass(frozen=True)
class FeatureText:
    """What the features fire on, as text.

    Parameters
    ----------
    contexts
        Columns of ``CONTEXT_COLUMNS``.
    top_tokens
        ``feature``, ``top_tokens`` and ``label``.
    """

    contexts: pl.DataFrame
    top_tokens: pl.DataFrame


def gather(samples: SamplesDirectory, replicates: int, blocks: int) -> FeatureText | None:
    """Gather the words of all features, each replicate read once a block; None where there are none."""
    if samples.vocabulary is None:
        return None
    with progress("words", blocks * replicates, unit="files") as advance:
        return _gather(samples, samples.vocabulary, replicates, blocks, advance)


def _gather(
    samples: SamplesDirectory, vocabulary: pl.DataFrame, replicates: int, blocks: int, advance: Advance
) -> FeatureText | None:
    contexts, top_tokens = [], []
    bounds = np.linspace(0, samples.n_features, blocks + 1).astype(int).tolist()
    for first, last in pairwise(bounds):
        words = Words.none(last - first)
        for k in range(replicates):
            replicate = samples.read(k)
            if replicate.token_id is None:
                return None
            words = words.plus(replicate, part_of(columns_of(replicate.activations), first, last))
            advance(1)
        number = (pl.col("feature") + first).cast(pl.Int32)
        contexts.append(words.contexts(vocabulary).with_columns(number))
        top_tokens.append(words.top_tokens(vocabulary).with_columns(number))
    return FeatureText(pl.concat(contexts, rechunk=True), pl.concat(top_tokens, rechunk=True))


def part_of(columns: Columns, first: int, last: int) -> Columns:
    """Return the columns ``first .. last - 1``."""
    start = columns.start[first : last + 1]
    entries = slice(start[0], start[-1])
    return Columns(start - start[0], columns.token[entries], columns.value[entries], columns.n_tokens)
