"""Put the trials together: counts over replicates, the table, what is kept, and the features."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from analysis.activations import Int64
from analysis.coactivation import coactivation
from analysis.columns import columns_of
from analysis.dictionary import decoder_cosines
from analysis.feature_table import FeatureSums
from analysis.layer_graph import EDGE_COLUMNS, FEATURE_COLUMNS, LayerGraph
from analysis.published import Trial
from analysis.run import Run
from analysis.stability import (
    EdgeCounts,
    at_least,
    count_edges,
    edge_keys,
    least_stable,
    replicate_table,
)
from ingest.inference.words import Words
from ingest.inference.workspace import read_trial, trial_name
from ingest.progress import Advance
from ingest.samples_directory import SamplesDirectory


def assemble(samples: SamplesDirectory, out: Path, run: Run, advance: Advance) -> LayerGraph:
    """Make the graph from the finished trials in `out`; `advance` is told of every replicate read again."""
    replicates, nulls = run.config["replicates"], run.config["nulls"]
    real = [read_trial(out, trial_name(k, None)) for k in range(replicates)]
    null = [[read_trial(out, trial_name(k, m)) for k in range(replicates)] for m in range(nulls)]
    found = count_edges([t.edges for t in real], samples.n_features)
    by_stream = [count_edges([t.edges for t in stream], samples.n_features) for stream in null]
    table = replicate_table(
        at_least(found.count, replicates),
        np.mean([at_least(s.count, replicates) for s in by_stream], axis=0),
    )
    r_star = least_stable(table, run.fdr)
    edges = _edges(found, by_stream, table, r_star, samples)
    sums, both, words = _read_again(samples, edges, run, advance)
    edges = edges.with_columns(coactivation=pl.Series(both, dtype=pl.Int64)).select(list(EDGE_COLUMNS))
    features = _features(sums, edges, words, samples)
    return LayerGraph(
        site=samples.site,
        run=run,
        n_features=samples.n_features,
        n_tokens=sums.tokens,
        n_replicates=replicates,
        features=features,
        edges=edges,
        replicate_table=table,
        contexts=None if words is None or samples.vocabulary is None else words.contexts(samples.vocabulary),
        r_star=r_star,
        certificate=_certificate(real, null),
        left_out=_left_out(real, found, edges, sums),
    )


def _edges(
    found: EdgeCounts,
    by_stream: Sequence[EdgeCounts],
    table: pl.DataFrame,
    r_star: int | None,
    samples: SamplesDirectory,
) -> pl.DataFrame:
    """Return the edges that are stored: seen at least twice, or kept."""
    kept = np.zeros(len(found.count), bool) if r_star is None else found.count >= r_star
    stored = (found.count >= 2) | kept
    source, target = found.source[stored], found.target[stored]
    keys = edge_keys(source, target, samples.n_features)
    null_count = np.zeros(len(keys), np.int32)
    for stream in by_stream:
        null_count += _lookup(keys, edge_keys(stream.source, stream.target, samples.n_features), stream.count)
    cosine = None
    if samples.dictionary is not None:
        cosine = decoder_cosines(samples.dictionary.decoder, source, target).astype(np.float64)
    return pl.DataFrame(
        {
            "source": source,
            "target": target,
            "weight": found.weight[stored],
            "replicates": found.count[stored],
            "null_replicates": null_count,
            "q_shuffle": table["fdr"].to_numpy()[found.count[stored] - 1],
            "partial_correlation": None,
            "standard_error": None,
            "q_value": None,
            "correlation": found.correlation[stored],
            "decoder_cosine": cosine,
            "kept": kept[stored],
        },
        schema={name: kind for name, kind in EDGE_COLUMNS.items() if name != "coactivation"},
        nan_to_null=True,
    )


def _lookup(keys: Int64, known: Int64, value: "np.ndarray[Any, np.dtype[np.int32]]") -> Any:  # noqa: ANN401
    """`value` of each of `keys` among the ascending `known`, 0 where it is not there."""
    if not len(known):
        return 0
    place = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    return np.where(known[place] == keys, value[place], 0)


def _read_again(
    samples: SamplesDirectory, edges: pl.DataFrame, run: Run, advance: Advance
) -> tuple[FeatureSums, Int64, Words | None]:
    """Read the replicates once more for what needs the final edge list or the words."""
    source, target = edges["source"].to_numpy(), edges["target"].to_numpy()
    both = np.zeros(len(source), np.int64)
    sums = FeatureSums.none(samples.n_features)
    words = None if samples.vocabulary is None else Words.none(samples.n_features)
    for k in range(run.config["replicates"]):
        replicate = samples.read(k)
        columns = columns_of(replicate.activations)
        sums = sums.plus(columns, run.config["min_activations"])
        both += coactivation(columns, source, target)
        if words is not None:
            words = None if replicate.token_id is None else words.plus(replicate, columns)
        advance(1)
    return sums, both, words


def _features(
    sums: FeatureSums, edges: pl.DataFrame, words: Words | None, samples: SamplesDirectory
) -> pl.DataFrame:
    kept = edges.filter("kept")
    ends = np.concatenate([kept["source"].to_numpy(), kept["target"].to_numpy()])
    fires = np.maximum(sums.count, 1)
    features = pl.DataFrame(
        {
            "index": np.arange(samples.n_features, dtype=np.int32),
            "frequency": sums.count / max(sums.tokens, 1),
            "mean_activation": sums.total / fires,
            "max_activation": sums.largest,
            "activations": sums.count,
            "degree": np.bincount(ends, minlength=samples.n_features).astype(np.int32),
            "replicates": sums.replicates,
        }
    )
    if words is None or samples.vocabulary is None:
        named = features.with_columns(
            label=pl.lit(None, pl.String), top_tokens=pl.lit(None, FEATURE_COLUMNS["top_tokens"])
        )
    else:
        named = features.join(
            words.top_tokens(samples.vocabulary), left_on="index", right_on="feature", how="left"
        )
    return named.sort("index").select(list(FEATURE_COLUMNS))


def _certificate(real: Sequence[Trial], null: Sequence[Sequence[Trial]]) -> dict[str, Any]:
    """Worst of each figure over all trials, and totals of what can be added."""
    trials = [*real, *(t for stream in null for t in stream)]
    return {
        "trials": len(trials),
        "nodes": sum(t.certificate["nodes"] for t in trials),
        "not_converged": sum(t.certificate["not_converged"] for t in trials),
        "kkt_residual": max(t.certificate["kkt_residual"] for t in trials),
        "most_sweeps": max(t.certificate["most_sweeps"] for t in trials),
    }


def _left_out(
    real: Sequence[Trial], found: EdgeCounts, edges: pl.DataFrame, sums: FeatureSums
) -> dict[str, Any]:
    """Count what took no part, and why, per replicate and over the whole run."""
    totals: Counter[str] = Counter()
    for trial in real:
        totals.update(trial.counts)
    return {
        "features_never_firing": int((sums.count == 0).sum()),
        "features_in_no_replicate": int((sums.replicates == 0).sum()),
        "edges_seen_once": len(found.count) - edges.height,
        "mean_per_replicate": {name: total / len(real) for name, total in sorted(totals.items())},
    }
