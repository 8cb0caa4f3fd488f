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
from graphdb.graph_directory import read_graph
from graphdb.load import load_graph
from graphdb.store import connect
from ingest.demo.reading import Reading, feature_classes, read_components
from ingest.demo.report import agreement_table, component_tables, cosine_table, replicate_tables
from ingest.inference import InferConfig, infer
from ingest.progress import progress
from ingest.samples_directory import SamplesDirectory, open_samples
from ingest.sampling import SampleConfig, sample

_ASKED = ("possessive_pronoun", "negation", "weekday")
"""Planted classes whose best feature is asked for its neighbours."""

_STEPS = 4


def demo(work: Path, database: str, replicates: int, seed: int = 0) -> None:
    """Sample, infer and load every layer of the small model, then read and ask the graphs.

    Parameters
    ----------
    work
        Directory for samples and graphs; an interrupted demo goes on from what is there.
    database
        Directory or URL of the database.
    replicates
        Replicates, and as many nulls.
    seed
        Seed of the corpus, the draws and the shuffles.
    """
    began = time.monotonic()
    console = Console(width=min(100, Console().width))
    _step(console, 1, "sample the activations of every layer, one forward pass a batch")
    config = SampleConfig(
        model="organism",
        sae="organism",
        corpus="organism",
        out=work / "samples",
        replicates=replicates,
        seed=seed,
    )
    with _naming_work():
        places = sample(config)
    _step(console, 2, "infer a dependence graph for each layer, against matched shuffles")
    samples = {found.site.layer: found for found in map(open_samples, places)}
    with _naming_work():
        for layer, directory in samples.items():
            infer(directory.path, work / "graphs" / str(layer), InferConfig(procedure="published", seed=seed))
    graphs = {layer: read_graph(work / "graphs" / str(layer)) for layer in samples}
    _step(console, 3, f"load the graphs into {database}")
    with connect(database, write=True, create=True) as store:
        with progress("load", len(graphs), unit="layers") as advance:
            for graph in graphs.values():
                load_graph(store, graph)
                advance(1)
        _step(console, 4, "read them, against what the generator planted")
        _read(graphs, samples, seed, console)
        asked = _ask(graphs, samples, seed, database, console)
    _what_next(database, asked, console)
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


def _read(
    graphs: dict[int, LayerGraph], samples: dict[int, SamplesDirectory], seed: int, console: Console
) -> None:
    replicate_tables(graphs, console)
    readings: dict[int, Reading] = {}
    with progress("read", len(graphs), unit="layers") as advance:
        for layer, graph in graphs.items():
            readings[layer] = read_components(graph, samples[layer], seed)
            advance(1)
    component_tables(readings, console)
    agreement_table(readings, console)
    cosine_table(readings, console)


def _ask(
    graphs: dict[int, LayerGraph],
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


def _what_next(database: str, asked: list[str], console: Console) -> None:
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
        f"query strongest{flag}",
        "query --list",
    ):
        console.print(f"  {shown} {line}", highlight=False, soft_wrap=True)
