"""The demo: every layer of the small model from text to a database that answers, and links between them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from analysis.errors import MisuseError
from analysis.layer_graph import LayerGraph
from graphdb.commands.fetching import fetch_for
from graphdb.graph_directory import read_graph
from graphdb.load import load_graph
from graphdb.load_links import load_links
from graphdb.store import connect
from ingest.demo.across import follow, link_layers
from ingest.demo.across_report import links_table
from ingest.demo.asking import ask_neighbors, run_command, what_next
from ingest.demo.comparison import compare
from ingest.demo.grouping import divide
from ingest.demo.reading import Reading, read_components
from ingest.demo.report import agreement_table, component_tables, cosine_table, replicate_tables
from ingest.demo.side_by_side import examples, procedure_table
from ingest.inference import InferConfig, infer
from ingest.progress import progress
from ingest.samples_directory import SamplesDirectory, open_samples
from ingest.sampling import SampleConfig, sample

_STEPS = 7

_FRESH = 4
"""Replicates that are kept back from both procedures, to judge them by."""

_PROCEDURES = ("published", "calibrated")
"""In this order: a database answers from the newest run of a site, which is then the calibrated one."""

Graphs = dict[int, LayerGraph]
"""A graph for each layer."""


def demo(work: Path, database: str, replicates: int, seed: int = 0, layers: tuple[int, ...] = ()) -> None:
    """Sample layers of the small model, infer it by both procedures, link it, load, read and ask the graphs.

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
    _step(console, 3, "link each layer to the next")
    with _naming_work():
        links = link_layers(list(samples.values()), work, replicates, seed)
    links_table(links, console)
    _step(console, 4, f"load graphs and links into {database}")
    fetch_for(database)
    with connect(database, write=True, create=True) as store:
        with progress("load", len(published) + len(calibrated) + len(links), unit="graphs") as advance:
            for graph in (*published.values(), *calibrated.values()):
                load_graph(store, graph)
                advance(1)
            for found in links:
                load_links(store, found)
                advance(1)
        _step(console, 5, "read the graphs, against fresh tokens and what the generator planted")
        _set_side_by_side(published, calibrated, samples, seed, console)
        _read(calibrated, samples, seed, console)
        asked = ask_neighbors(calibrated, samples, seed, database, console)
        _step(console, 6, "take features out of the stream, and follow one across the layers")
        line = follow(store, links, list(samples.values()), config, database, console)
        _step(console, 7, "divide the features into communities")
        clustering = divide(store, calibrated, samples, seed, any(of.links.height for of in links), console)
        run_command(["communities", "--run", clustering, "--limit", "6", "--top", "4"], database, console)
    layer = max(calibrated, key=lambda k: calibrated[k].kept)
    what_next(database, asked, published[layer].run.id, calibrated[layer].run.id, line, console)
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
