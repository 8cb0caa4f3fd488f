"""The job: links read, features found firing, taken out and read again, what was found written."""

import math
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import polars as pl

from analysis.ablation import effect_of
from analysis.errors import MisuseError
from analysis.hit_rule import LEAST, LEVEL, SHARE
from analysis.run import library_versions
from graphdb.store import Store
from graphdb.verified import read_links, write_verified
from ingest.progress import progress
from ingest.sampling.quiet import quiet
from ingest.verification.ablation import Bench, run_trials
from ingest.verification.config import VerifyConfig
from ingest.verification.directions import Directions
from ingest.verification.firing import Firing, read
from ingest.verification.preparation import Prepared, prepare
from ingest.verification.report import Result, Row, rows_of
from ingest.verification.trials import Pairing, draw_links, named_links, trials_of


def verify(store: Store, config: VerifyConfig) -> list[Row]:
    """Check links of a run by intervention; write what was found beside them, and return it as rows.

    Parameters
    ----------
    store
        Open for writing.
    config
        What is asked for.

    Raises
    ------
    MisuseError
        There are no such links, the model or the SAEs are not theirs, the corpus is too small, or no link
        fires on it often enough.
    StratigraphError
        Something could not be fetched or read.
    """
    run = read_links(store, config.run)
    drawn = draw_links(run.links, config.links, config.reading.seed)
    # the random ones first: what is named beside them changes nothing of them
    tried = pl.concat([drawn, named_links(run, config.named, drawn)])
    with quiet():
        job = prepare(run, config)
        firing = _read(job, tried)
        directions = Directions.of(job.lower, job.upper)
        cosine = directions.cosines(tried["target"].to_numpy())
        pairings = trials_of(firing, tried, run.links, cosine, config.most, config.reading.seed)
        results = _intervene(job, firing, pairings, directions, config)
    stored = dict(Counter(run.links["kind"]))
    rows = rows_of(run.id, results[: drawn.height], stored, results[drawn.height :])
    write_verified(store, run, _changes(results), {"rows": rows, **_said(config)})
    return rows


def _read(job: Prepared, tried: pl.DataFrame) -> Firing:
    near = tried.filter(pl.col("weight") <= 0)["target"].unique().sort().to_list()
    total = int(sum(len(row.tokens) - job.reader.model.special[row.tokens].sum() for row in job.rows))
    with progress("reading", total, unit="tokens") as advance:
        return read(job.reader, job.rows, near, advance)


def _intervene(
    job: Prepared,
    firing: Firing,
    pairings: Sequence[Pairing],
    directions: Directions,
    config: VerifyConfig,
) -> list[Result]:
    """Run the trials and sum each up."""
    trials = [trial for pairing in pairings for trial in pairing.trials if trial is not None]
    if not trials:
        raise MisuseError(
            f"of {len(pairings)} links drawn of run {job.run.id} none has {LEAST} rows of text at which both "
            f"ends fire among {config.tokens:,} tokens of --corpus {config.reading.corpus}; raise --tokens, "
            "or name the corpus that the links were found on"
        )
    bench = Bench.of(job.reader, firing, job.rows)
    with progress("taking out", sum(len(t.tokens) for t in trials), unit="passes") as advance:
        changes = iter(run_trials(bench, trials, advance))
    return [
        Result(
            pairing,
            tuple(
                None if trial is None else effect_of(next(changes), trial.foretold, trial.level)
                for trial in pairing.trials
            ),
            tuple(math.nan if t is None else directions.by_chance(t, firing) for t in pairing.trials),
        )
        for pairing in pairings
    ]


def _changes(results: Sequence[Result]) -> dict[tuple[int, int], float]:
    """Return the mean change of each link tested, by its ends."""
    links = ((result.pairing.trials[0], result.effects[0]) for result in results)
    return {(t.source, t.target): e.change for t, e in links if t is not None and e is not None}


def _said(config: VerifyConfig) -> dict[str, Any]:
    """Return what decides a verification, for the run's record."""
    identity = config.reading.identity()
    return {
        "hit": {"share": SHARE, "p": LEVEL, "least_rows": LEAST},
        "links": config.links,
        "named": [list(ends) for ends in config.named],
        "tokens": config.tokens,
        "most_tokens_a_pair": config.most,
        **{name: identity[name] for name in ("model", "sae", "corpus", "seed")},
        "versions": library_versions(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
