"""The demo: every layer of the small model from text to a database that answers."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from rich.console import Console

from analysis.errors import MisuseError
from analysis.layer_graph import LayerGraph
from graphdb.commands.fetching import fetch_for
from graphdb.graph_directory import read_graph
from graphdb.load import load_graph
from graphdb.store import connect
from ingest.demo.comparison import compare
from ingest.demo.reading import Reading, feature_classes, read_components
from ingest.demo.report import agreement_table, component_tables, cosine_table, replicate_tables
from ingest.demo.side_by_side import examples, procedure_table
from ingest.inference import InferConfig, infer
from ingest.progress import progress
from ingest.samples_directory import SamplesDirectory, open_samples
from ingest.sampling import SampleConfig, sample

_ASKED = ("possessive_pronoun", "negation", "weekday")
"""Planted classes whose best feature is asked for its neighbours."""

_STEPS = 4

_FRESH = 4
"""Replicates that are kept back from both procedures, to judge them by."""

_PROCEDURES = ("published", "calibrated")
"""In this order: a database answers from the newest run of a site, which is then the calibrated one."""

Graphs = dict[int, LayerGraph]
"""A graph for each layer."""


def demo(work: Path, database: str, replicates: int, seed: int = 0, layers: tuple[int, ...] = ()) -> None:
    """Sample layers of the small model, infer it by both procedures, load, read and ask the graphs.

    Parameters
    ----------
    work
        Directory for samples and graphs; an interrupted demo goes on from what is there.
    database
        Directory or URL of the database.
    replicates
        Replicates that are inferred, and as many nulls.
    seed
        Seed of the corpus, the draws and the shuffles.
    layers
        Layers, ascending; empty means all four.
    """
    began = time.monotonic()
    console = Console(width=min(100, Console().width))
    _step(console, 1, "sample the activations of every layer, one forward pass a batch")
    config = SampleConfig(
        model="organism",
        sae="organism",
        corpus="organism",
        out=work / "samples",
        layers=layers,
        replicates=replicates + _FRESH,
        seed=seed,
    )
    with _naming_work():
        places = sample(config)
    samples = {found.site.layer: found for found in map(open_samples, places)}
    console.print(
        f"  {_FRESH} of the {replicates + _FRESH} replicates are kept back, to judge by them", style="dim"
    )
    _step(console, 2, "infer a dependence graph for each layer, by either procedure")
    published, calibrated = (_infer(procedure, samples, work, replicates, seed) for procedure in _PROCEDURES)
    _step(console, 3, f"load the graphs into {database}")
    fetch_for(database)
    with connect(database, write=True, create=True) as store:
        with progress("load", len(published) + len(calibrated), unit="graphs") as advance:
            for graph in (*published.values(), *calibrated.values()):
                load_graph(store, graph)
                advance(1)
        _step(console, 4, "read them, against fresh tokens and what the generator planted")
        _set_side_by_side(published, calibrated, samples, seed, console)
        _read(calibrated, samples, seed, console)
        asked = _ask(calibrated, samples, seed, database, console)
    layer = max(calibrated, key=lambda k: calibrated[k].kept)
    _what_next(database, asked, published[layer].run.id, calibrated[layer].run.id, console)
    console.print(f"done in {time.monotonic() - began:.0f} s")


@contextmanager
def _naming_work() -> Iterator[None]:
    """Let a refusal of a directory name the option that a person can change: here that is ``--work``."""
    try:
        yield
    except MisuseError as error:
        raise MisuseError(str(error).replace("--out", "--work")) from error


def _step(console: Console, number: int, what: str) -> None:
    console.rule(f"[bold]{number} of {_STEPS}[/] {what}", align="left")


def _infer(
    procedure: str, samples: dict[int, SamplesDirectory], work: Path, replicates: int, seed: int
) -> Graphs:
    """Infer every layer by one procedure."""
    config = InferConfig(procedure=procedure, replicates=replicates, seed=seed)
    graphs = {}
    for layer, directory in samples.items():
        out = work / "graphs" / procedure / str(layer)
        with _naming_work():
            infer(directory.path, out, config)
        graphs[layer] = read_graph(out)
    return graphs


def _set_side_by_side(
    published: Graphs, calibrated: Graphs, samples: dict[int, SamplesDirectory], seed: int, console: Console
) -> None:
    replicate_tables(published, console)
    comparisons = {}
    with progress("compare", len(samples), unit="layers") as advance:
        for layer, directory in samples.items():
            comparisons[layer] = compare(published[layer], calibrated[layer], directory, seed)
            advance(1)
    kept_back = next(iter(samples.values())).replicates[-_FRESH:]
    procedure_table(comparisons, sum(replicate.tokens for replicate in kept_back), console)
    examples(comparisons, calibrated, console)


def _read(graphs: Graphs, samples: dict[int, SamplesDirectory], seed: int, console: Console) -> None:
    readings: dict[int, Reading] = {}
    with progress("read", len(graphs), unit="layers") as advance:
        for layer, graph in graphs.items():
            readings[layer] = read_components(graph, samples[layer], seed)
            advance(1)
    console.print("\n[bold]The calibrated graphs, against the classes of words that the generator planted[/]")
    component_tables(readings, console)
    agreement_table(readings, console)
    cosine_table(readings, console)


def _ask(
    graphs: Graphs,
    samples: dict[int, SamplesDirectory],
    seed: int,
    database: str,
    console: Console,
) -> list[str]:
    """Ask the database for the neighbours of a few features, with the commands a person would type."""
    layer = max(graphs, key=lambda k: graphs[k].kept)
    graph = graphs[layer]
    names, score = feature_classes(samples[layer], graph.n_features, seed)
    connected = graph.features["degree"].to_numpy() > 0
    asked = []
    for planted in _ASKED:
        of_class = (names == planted) & connected
        if of_class.any():
            asked.append(graph.site.feature_id(int(np.argmax(np.where(of_class, score, -1)))))
    for feature in asked:
        command = ["neighbors", feature, "--limit", "5", "--db", database]
        console.print(f"\n[bold]$ stratigraph {' '.join(command)}[/]", highlight=False, soft_wrap=True)
        subprocess.run([sys.executable, "-m", "stratigraph", *command], check=False)  # noqa: S603  our own words
    return asked


def _what_next(database: str, asked: list[str], published: str, calibrated: str, console: Console) -> None:
    feature = asked[0] if asked else "FEATURE"
    program = Path(sys.argv[0]).with_name("stratigraph")
    here = Path.cwd()
    shown = program.relative_to(here) if program.is_relative_to(here) else program
    flag = "" if database == "graph.db" else f" --db {database}"
    console.print(f"\n[bold]The database stays in {database}. What to ask next:[/]")
    for line in (
        f"runs{flag}",
        f"feature {feature}{flag}",
        f"neighbors {feature} --hops 2{flag}",
        f"neighbors {feature} --run {published}{flag}",
        f"query only_in --param run={published} --param other={calibrated}{flag}",
        f"query strongest{flag}",
        "query --list",
    ):
        console.print(f"  {shown} {line}", highlight=False, soft_wrap=True)
    console.print("Answers are those of the calibrated runs, the newest, unless --run names another.")
