"""``stratigraph ingest``: one layer, from text to the graph in the database, in one line."""

import argparse
import hashlib
import json
import os
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.commands import infer as infer_verb
from ingest.commands import sample as sample_verb
from ingest.commands.database import add_database

if TYPE_CHECKING:
    from ingest.inference import InferConfig, Resources
    from ingest.sampling import Plan


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb to the command line."""
    parser = commands.add_parser(
        "ingest",
        help="one layer, from text to the database",
        description="Sample one layer, infer its graph and load it. Says first what it will read and how "
        "long that should take; finished work stays in --work, so the same command resumes a killed job.",
        epilog="example: stratigraph ingest --model organism --sae organism --corpus organism --layer 2",
        conflict_handler="resolve",
    )
    sample_verb.add_options(parser)
    infer_verb.add_options(parser)
    parser.add_argument("--replicates", type=int, default=30, metavar="R", help="independent draws (30)")
    parser.add_argument("--layer", type=int, required=True, metavar="N", help="the layer to ingest")
    parser.add_argument(
        "--work",
        type=Path,
        default=Path("stratigraph-work"),
        metavar="DIR",
        help="where samples and graphs are kept (./stratigraph-work)",
    )
    add_database(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from graphdb.graph_directory import read_graph  # noqa: PLC0415
    from graphdb.load import load_graph  # noqa: PLC0415
    from graphdb.store import connect  # noqa: PLC0415
    from ingest.inference import Resources, infer  # noqa: PLC0415  numba and torch only when they are needed
    from ingest.sampling import sample  # noqa: PLC0415
    from ingest.summary import graph_summary  # noqa: PLC0415

    config = infer_verb.config_from(arguments)
    resources = Resources(threads=arguments.threads, memory=arguments.memory)
    sampling = sample_verb.config_from(arguments, (arguments.layer,), arguments.work)
    place = arguments.work / _key(sampling.identity())
    with connect(arguments.db, write=True, create=True) as store:
        # Held open from here: a database that cannot be used is better known before the work than after it.
        (samples,) = sample(
            replace(sampling, out=place / "samples"), lambda plan: _announce(plan, config, resources)
        )
        graph = place / f"graph-{_key(asdict(config))}"
        infer(samples, graph, config, resources)
        load_graph(store, read_graph(graph))
    sys.stdout.write(f"{graph_summary(graph)}\n  loaded into {arguments.db}\n")
    return 0


def _announce(plan: "Plan", config: "InferConfig", resources: "Resources") -> None:
    """Say what will be read and how long sampling and inference are expected to take."""
    from ingest.inference.estimate import infer_seconds, load_seconds  # noqa: PLC0415
    from ingest.sampling.plan import duration  # noqa: PLC0415

    replicates = config.replicates or plan.replicates
    seconds = infer_seconds(
        plan.tokens_per_replicate,
        max(plan.l0),
        max(plan.n_features),
        replicates * (1 + config.nulls),
        resources.threads or os.cpu_count() or 1,
    )
    loading = load_seconds(max(plan.n_features))
    sys.stderr.write(
        f"{plan.sentence()}\n"
        f"then {replicates} x {1 + config.nulls} trials, about {duration(seconds)}, and loading, about "
        f"{duration(loading)}; in all about {duration(plan.seconds + seconds + loading)}\n"
    )


def _key(config: object) -> str:
    """Name a directory after the configuration of what it holds."""
    return hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()[:12]
