"""``stratigraph ingest``: one layer, from text to the graph in the database, in one line."""

import argparse
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.commands import infer as infer_verb
from ingest.commands import sample as sample_verb
from ingest.commands.database import add_database, can_be_made
from ingest.commands.work import add_work, key_of

if TYPE_CHECKING:
    from graphdb.store import Store
    from ingest.inference import InferConfig, Resources
    from ingest.sampling import Plan


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb to the command line."""
    parser = commands.add_parser(
        "ingest",
        help="one layer, from text to the database",
        description="Sample one layer, infer its graph and load it. Says first what it will read and how "
        "long that should take, and again from the samples when they are there; finished work stays in "
        "--work, so the same command resumes a killed job.",
        epilog="example: stratigraph ingest --model organism --sae organism --corpus organism --layer 2",
        conflict_handler="resolve",
    )
    sample_verb.add_options(parser)
    infer_verb.add_options(parser)
    parser.add_argument("--replicates", type=int, default=30, metavar="R", help="independent draws (30)")
    parser.add_argument("--layer", type=int, required=True, metavar="N", help="the layer to ingest")
    add_work(parser, "what is sampled and inferred")
    add_database(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from graphdb.commands.fetching import fetch_for  # noqa: PLC0415
    from graphdb.graph_directory import read_graph  # noqa: PLC0415
    from graphdb.load import is_much, load_graph, row_count  # noqa: PLC0415
    from graphdb.store import connect  # noqa: PLC0415
    from ingest.inference import Resources, infer  # noqa: PLC0415  numba and torch only when they are needed
    from ingest.sampling import sample  # noqa: PLC0415
    from ingest.summary import graph_summary  # noqa: PLC0415

    config = infer_verb.config_from(arguments)
    resources = Resources(threads=arguments.threads, memory=infer_verb.memory_from(arguments.memory))
    sampling = sample_verb.config_from(arguments, (arguments.layer,), arguments.work)
    place = arguments.work / key_of(sampling.identity())
    with ExitStack() as held:
        # A database that cannot be used is better known before the work than after it; one that is not there
        # yet is made when there is a graph to load, so that a failure leaves no empty one.
        there = None
        if not can_be_made(arguments.db):
            there = held.enter_context(connect(arguments.db, write=True, create=True))
        (samples,) = sample(
            replace(sampling, out=place / "samples"), lambda plan: _announce(plan, config, resources, there)
        )
        _announce_inference(samples, config, resources, there)
        graph = place / f"graph-{key_of(config.asked())}"
        infer(samples, graph, config, resources, infer_verb.announce_look, infer_verb.announce_mending)
        made = read_graph(graph)
        fetch_for(arguments.db)
        with connect(arguments.db, write=True, create=True, much=is_much(row_count(made))) as store:
            load_graph(store, made)
    sys.stdout.write(f"{graph_summary(graph)}\n  loaded into {arguments.db}\n")
    return 0


def _announce(plan: "Plan", config: "InferConfig", resources: "Resources", there: "Store | None") -> None:
    """Say before sampling what will be read and how long all of it should take."""
    from graphdb.pace import load_seconds  # noqa: PLC0415
    from ingest.inference.estimate import estimate_unseen, foretold_size  # noqa: PLC0415
    from ingest.sampling.plan import duration  # noqa: PLC0415

    replicates = config.replicates or plan.replicates
    width = max(plan.n_features)
    size = foretold_size(plan.tokens_per_replicate, max(plan.l0), width, replicates, config)
    inferring = estimate_unseen(size, config, resources.threads).seconds_once_started
    loading = load_seconds(there, plan.sites[0].id, width)
    # What the calibrated procedure tests is known when the samples are there.
    more = "" if config.procedure == "published" else ", if features depended on nothing; more where they do"
    sys.stderr.write(
        f"{plan.sentence()}; inferring and loading included, about "
        f"{duration(plan.seconds + inferring + loading)}{more}\n"
    )


def _announce_inference(
    samples: Path, config: "InferConfig", resources: "Resources", there: "Store | None"
) -> None:
    """Say, when the samples are there, what is left and how long that should take."""
    from graphdb.pace import load_seconds  # noqa: PLC0415
    from ingest.inference.estimate import estimate  # noqa: PLC0415
    from ingest.samples_directory import open_samples  # noqa: PLC0415
    from ingest.sampling.plan import duration  # noqa: PLC0415

    found = open_samples(samples)
    replicates = config.replicates or len(found.replicates)
    tokens = sum(r.tokens for r in found.replicates[:replicates])
    sys.stderr.write(
        f"{tokens:,} tokens sampled; {replicates} x {1 + config.nulls} trials, about "
        f"{duration(estimate(found, config, resources.threads).seconds_once_started)}; loading, about "
        f"{duration(load_seconds(there, found.site.id, found.n_features))}\n"
    )
