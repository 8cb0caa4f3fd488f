"""The linking job: the firings of two layers at the same tokens become the links between their features.

::

    OUT/job.json, OUT/lock       as of a graph directory (``ingest.inference.workspace``)
    OUT/tests/                   parts of the tests, while they last
    OUT/tested.parquet           the pairs tested; counts as file metadata
    OUT/links.json ...           the finished links (``graphdb.links_directory``)

A killed job goes on at the first part that is not finished.
"""

import json
import shutil
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import polars as pl

from analysis.activations import Columns, Float64, Int32
from analysis.background import background_of
from analysis.columns import columns_of
from analysis.errors import DataError, StratigraphError
from analysis.firings import lay_out
from analysis.interference import Interference, interference_of
from analysis.kernel import use_threads
from analysis.layer_links import LayerLinks
from analysis.links import LinkTests, link_tests_of, side_by_side
from analysis.run import Run, digest_of, library_versions, run_id
from graphdb.links_directory import has_links, read_links, write_links
from ingest.inference.config import Resources
from ingest.inference.dependence import Kept
from ingest.inference.memory import GB, Allowance, held_bytes, plan_within
from ingest.inference.regressions import tested_within
from ingest.inference.workspace import PARTS, as_os_error, claim, hold
from ingest.linking.assemble import assemble
from ingest.linking.config import LinkConfig
from ingest.linking.pair import Pair
from ingest.linking.size import size_of_pair
from ingest.progress import progress
from ingest.unwritable import remedy

_TESTED = "tested.parquet"


def link(pair: Pair, out: Path, config: LinkConfig, resources: Resources | None = None) -> LayerLinks:
    """Find the links between two layers, or read them if that is done.

    Parameters
    ----------
    pair
        The two layers.
    out
        Links directory to make, or to resume.
    config, resources
        What is computed, and with what.

    Raises
    ------
    MisuseError
        Fewer replicates than asked, `out` belongs to another run, or too little memory.
    DataError
        A file of the samples breaks the format; what was finished stays.
    """
    resources = resources or Resources()
    replicates = pair.replicates(config.replicates)
    budget = None if resources.memory is None else resources.memory * GB
    libraries = held_bytes()
    plan = plan_within(
        size_of_pair(pair, replicates, config), use_threads(resources.threads), budget, libraries
    )
    allowance = Allowance(use_threads(plan.threads), budget, libraries)
    run, digests = _run_of(pair, replicates, config)
    try:
        with hold(out):
            run = claim(out, run, digests)
            if has_links(out):
                return read_links(out)
            tests, counts = _tests(pair, out, config, replicates, allowance)
            links = assemble(pair, run, tests, counts)
            with as_os_error():
                write_links(out, links)
            return links
    except OSError as error:
        raise StratigraphError(
            f"{out}: could not be written ({error.strerror or error}); "
            f"{remedy(error, 'finished tests are kept')}"
        ) from error


def _run_of(pair: Pair, replicates: int, config: LinkConfig) -> tuple[Run, dict[str, str]]:
    """Name the run after what is read and how."""
    digests: dict[str, str] = {}
    with progress("reading", 2 * replicates, unit="files") as advance:
        for side, samples in (("lower", pair.lower), ("upper", pair.upper)):
            found = samples.digests(replicates, advance)
            digests |= {f"{side}/{name}": digest for name, digest in found.items()}
    resolved, inputs = config.resolved(replicates), digest_of(digests)
    return (
        Run(
            id=run_id("links", resolved, inputs),
            kind="links",
            procedure="calibrated",
            fdr=config.fdr,
            seed=config.seed,
            config=resolved,
            inputs=inputs,
            versions=library_versions(),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
        ),
        digests,
    )


def _tests(
    pair: Pair, out: Path, config: LinkConfig, replicates: int, allowance: Allowance
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Test all pairs across, unless that is done; returns the pairs, and how many went which way."""
    if not (out / _TESTED).exists():
        tests = _test(pair, out, config, replicates, allowance)
        with as_os_error():
            _write(out / _TESTED, tests)
    shutil.rmtree(out / PARTS, ignore_errors=True)
    return _read(out / _TESTED)


def _test(pair: Pair, out: Path, config: LinkConfig, replicates: int, allowance: Allowance) -> LinkTests:
    with progress("pooling", 4 * replicates, unit="files") as advance:

        def read(k: int) -> Columns:
            both = []
            for samples in (pair.lower, pair.upper):
                both.append(columns_of(samples.read(k).activations))
                advance(1)
            return side_by_side(*both)

        firings = lay_out(read, replicates)
    settings = config.settings()

    def overlap(source: Int32, target: Int32) -> Float64:
        owed = interference_of(source, target, *pair.dictionaries)
        for add in (Interference.seen, Interference.plus):
            for k in range(replicates):
                owed = add(owed, pair.lower.read(k).activations, pair.upper.read(k).activations)
        return owed.firings

    with Kept(out / PARTS) as kept:
        background = background_of(firings)
        test = partial(link_tests_of, firings, pair.lower.n_features, background, settings, overlap=overlap)
        return tested_within(firings, settings, kept.part, allowance, test)


def _write(file: Path, tests: LinkTests) -> None:
    counts = {
        "pairs_passing_screen": tests.passed,
        "features_with_full_list": tests.full,
        "pairs_tested": len(tests.source),
        "pairs_tested_twice": tests.joint,
        "tests_not_converged": tests.not_converged,
    }
    table = pl.DataFrame(
        {
            "source": tests.source,
            "target": tests.target,
            "partial_correlation": tests.partial_correlation,
            "standard_error": tests.standard_error,
            "q_value": tests.q_value,
        },
        nan_to_null=True,
    )
    part = file.with_suffix(".part")
    table.write_parquet(part, metadata={"counts": json.dumps(counts)})
    part.replace(file)


def _read(file: Path) -> tuple[pl.DataFrame, dict[str, int]]:
    try:
        return pl.read_parquet(file), json.loads(pl.read_parquet_metadata(file)["counts"])
    except (pl.exceptions.PolarsError, OSError, ValueError, KeyError) as error:
        raise DataError(f"{file}: not readable ({error}); delete it and run link again") from error
