"""Put the trials together: counts over replicates, the table, what is kept, and the features."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from analysis.activations import Int64
from analysis.coactivation import coactivation
from analysis.columns import columns_of
from analysis.dictionary import Dictionary, decoder_cosines
from analysis.feature_table import FeatureSums
from analysis.layer_graph import EDGE_COLUMNS, FEATURE_COLUMNS, LayerGraph
from analysis.run import Run
from analysis.stability import least_stable
from ingest.inference.counting import Trials
from ingest.inference.dependence import read_counts
from ingest.inference.gathering import FeatureText, gather
from ingest.inference.keeping import calibrated_keep, published_keep
from ingest.inference.memory import Plan
from ingest.inference.stopping import Look, recorded
from ingest.inference.workspace import read_about, trial_name
from ingest.progress import Advance, progress
from ingest.samples_directory import SamplesDirectory


def assemble(
    samples: SamplesDirectory, out: Path, run: Run, plan: Plan, looks: Sequence[Look] = (), most: int = 0
) -> LayerGraph:
    """Make the graph from the finished trials in `out`.

    Parameters
    ----------
    samples, out, run, plan
        What was read, where the trials are, what was computed, and how to go about it.
    looks, most
        Looks after which the run ended, and the replicates it could have used; none where all were asked for.
    """
    replicates, nulls = run.config["replicates"], run.config["nulls"]
    trials = Trials.of(out, samples.n_features, replicates, nulls, plan.edges_at_once)
    # Each stream of each block is counted twice: for the table, and for the edges that are stored.
    with progress("counting edges", 2 * len(trials.blocks) * (1 + nulls), unit="parts") as advance:
        table = trials.table(advance)
        r_star = least_stable(table, run.fdr)
        keep = published_keep(r_star) if run.procedure == "published" else calibrated_keep(out, run)
        edges = trials.stored(table, keep, advance)
    with progress("counting firings", replicates, unit="files") as advance:
        sums, both = _read_again(samples, edges, run, advance)
    edges = _completed(edges, sums, both, run, samples.dictionary)
    words = gather(samples, replicates, plan.word_blocks)
    real = [read_about(out, trial_name(k, None)) for k in range(replicates)]
    null = [read_about(out, trial_name(k, m)) for m in range(nulls) for k in range(replicates)]
    seen_once = int(table["observed"][0]) - int((edges["replicates"] > 0).sum())
    features = _features(sums, edges, words, samples.n_features)
    return LayerGraph(
        site=samples.site,
        run=run,
        n_features=samples.n_features,
        n_tokens=sums.tokens,
        n_replicates=replicates,
        features=features,
        edges=edges,
        replicate_table=table,
        contexts=None if words is None else words.contexts,
        r_star=r_star,
        certificate=_certificate([*real, *null]),
        left_out={
            **_left_out(real, seen_once, sums),
            **({} if run.procedure == "published" else {"all_replicates": read_counts(out)}),
            **recorded(looks, most),
        },
    )


def _read_again(
    samples: SamplesDirectory, edges: pl.DataFrame, run: Run, advance: Advance
) -> tuple[FeatureSums, Int64]:
    """Read the replicates once more for what needs the final edge list."""
    source, target = edges["source"].to_numpy(), edges["target"].to_numpy()
    both = np.zeros(len(source), np.int64)
    sums = FeatureSums.none(samples.n_features)
    for k in range(run.config["replicates"]):
        columns = columns_of(samples.read(k).activations)
        sums = sums.plus(columns, run.config["min_activations"])
        both += coactivation(columns, source, target)
        advance(1)
    return sums, both


def _completed(
    edges: pl.DataFrame, sums: FeatureSums, both: Int64, run: Run, dictionary: Dictionary | None
) -> pl.DataFrame:
    """Add what is known once all replicates are read again."""
    source, target = edges["source"].to_numpy(), edges["target"].to_numpy()
    cosine = pl.lit(None, pl.Float64)
    if dictionary is not None:
        cosines = decoder_cosines(dictionary.decoder, source, target).astype(np.float64)
        cosine = pl.Series(cosines, nan_to_null=True)  # type: ignore[assignment]
    edges = edges.with_columns(coactivation=pl.Series(both, dtype=pl.Int64), decoder_cosine=cosine)
    if run.procedure != "published":
        rate = sums.count / max(sums.tokens, 1)
        spread = np.sqrt(rate * (1 - rate))
        covariance = both / max(sums.tokens, 1) - rate[source] * rate[target]
        correlation = covariance / np.maximum(spread[source] * spread[target], 1e-300)
        edges = edges.with_columns(correlation=pl.Series(correlation, dtype=pl.Float64))
    return edges.select(list(EDGE_COLUMNS))


def _features(
    sums: FeatureSums, edges: pl.DataFrame, words: FeatureText | None, n_features: int
) -> pl.DataFrame:
    kept = edges.filter("kept")
    ends = np.concatenate([kept["source"].to_numpy(), kept["target"].to_numpy()])
    fires = np.maximum(sums.count, 1)
    features = pl.DataFrame(
        {
            "index": np.arange(n_features, dtype=np.int32),
            "frequency": sums.count / max(sums.tokens, 1),
            "mean_activation": sums.total / fires,
            "max_activation": sums.largest,
            "activations": sums.count,
            "degree": np.bincount(ends, minlength=n_features).astype(np.int32),
            "replicates": sums.replicates,
        }
    )
    if words is None:
        named = features.with_columns(
            label=pl.lit(None, pl.String), top_tokens=pl.lit(None, FEATURE_COLUMNS["top_tokens"])
        )
    else:
        named = features.join(words.top_tokens, left_on="index", right_on="feature", how="left")
    return named.sort("index").select(list(FEATURE_COLUMNS))


def _certificate(trials: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Worst of each figure over all trials, and totals of what can be added."""
    of = [trial["certificate"] for trial in trials]
    return {
        "trials": len(trials),
        "nodes": sum(c["nodes"] for c in of),
        "not_converged": sum(c["not_converged"] for c in of),
        "kkt_residual": max(c["kkt_residual"] for c in of),
        "most_sweeps": max(c["most_sweeps"] for c in of),
    }


def _left_out(real: Sequence[Mapping[str, Any]], seen_once: int, sums: FeatureSums) -> dict[str, Any]:
    """Count what took no part, and why, per replicate and over the whole run."""
    totals: Counter[str] = Counter()
    for trial in real:
        totals.update(trial["counts"])
    return {
        "features_never_firing": int((sums.count == 0).sum()),
        "features_in_no_replicate": int((sums.replicates == 0).sum()),
        "edges_seen_once": seen_once,
        "mean_per_replicate": {name: total / len(real) for name, total in sorted(totals.items())},
    }
