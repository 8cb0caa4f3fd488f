"""What the demo prints of the graphs it made."""

import math
from collections.abc import Mapping

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from analysis.components import TINY, Components
from analysis.layer_graph import LayerGraph
from ingest.demo.reading import Reading

_SHOWN_REPLICATES = (1, 2, 3, 4, 6, 8, 10, 20, 30)
_SHOWN_MODULES = 6


def replicate_tables(graphs: Mapping[int, LayerGraph], console: Console) -> None:
    """Print the replicate table of every published graph, as the post does."""
    shown = [r for r in _SHOWN_REPLICATES if r <= min(g.n_replicates for g in graphs.values())]
    # Not the title of the table, which would be broken at its width.
    console.print("\n[italic]Published: edges seen in at least r replicates[/]")
    table = Table(box=SIMPLE_HEAD)
    table.add_column("layer")
    for r in shown:
        table.add_column(f"r={r}", justify="right")
    for layer, graph in graphs.items():
        rows = {row["replicates"]: row for row in graph.replicate_table.to_dicts()}
        table.add_row(f"{layer} observed", *(f"{rows[r]['observed']:,}" for r in shown))
        table.add_row("  shuffled", *(f"{rows[r]['null']:,.0f}" for r in shown))
        table.add_row("  FDR", *(f"{rows[r]['fdr']:.2g}" for r in shown), end_section=True)
    console.print(table)
    for layer, graph in graphs.items():
        star = "no r has a small enough FDR" if graph.r_star is None else f"r* = {graph.r_star}"
        console.print(f"  layer {layer}: {star}, {graph.kept:,} edges kept at an FDR of {graph.run.fdr}")


def component_tables(readings: Mapping[int, Reading], console: Console) -> None:
    """Print the components of every layer and the planted classes that they coincide with."""
    for layer, reading in readings.items():
        size = reading.strong.size
        console.print(
            f"\n[bold]Layer {layer}[/]: the kept graph falls into {_sizes(reading.kept)}, "
            f"its core into {_sizes(reading.core)}, and the core's edges of weight {reading.strong_weight} "
            f"or more into {_sizes(reading.strong)}, {int((size <= TINY).sum())} of them tiny "
            f"(up to {TINY} features)"
        )
        table = Table(box=None, pad_edge=False)
        table.add_column("size", justify="right", min_width=4)
        table.add_column("planted class", no_wrap=True, min_width=22)
        table.add_column("phi", justify="right", min_width=4)
        table.add_column("fires on", overflow="ellipsis", no_wrap=True, max_width=44)
        best = sorted(reading.modules, key=lambda m: (-(len(m.features) > TINY), -m.phi))
        for module in best[:_SHOWN_MODULES]:
            words = "; ".join(module.words)
            table.add_row(str(len(module.features)), module.planted, f"{module.phi:.2f}", words)
        if reading.modules:
            console.print(table)


def _sizes(components: Components) -> str:
    """Say how many components there are and how large the largest is."""
    size = components.size
    if not len(size):
        return "no component"
    plural = "component" if len(size) == 1 else "components"
    return f"{len(size)} {plural} (largest {size[0]} features)"


def agreement_table(readings: Mapping[int, Reading], console: Console) -> None:
    """Print how well the modules agree with the classes."""
    names = ("layer", "modules", "AMI", "strong edges", "kept edges", "all pairs")
    table = _figures("Do modules and edges respect the planted classes?", names)
    for layer, reading in readings.items():
        cells = (reading.ami, *reading.same_class)
        table.add_row(str(layer), str(len(reading.modules)), *(_number(c) for c in cells))
    console.print(table)
    console.print(
        "AMI: adjusted mutual information of module and class over the features in modules, 0 by chance. "
        "Then the share that joins two features of one class: of the strong edges, of the kept edges, and of "
        "all pairs of connected features, which is chance."
    )


def cosine_table(readings: Mapping[int, Reading], console: Console) -> None:
    """Print how decoder cosines go with weights."""
    names = ("layer", "Pearson r", "rank r", "mean, strong edges", "mean, tiny modules")
    table = _figures("Decoder cosine against the weight of the kept edges", names)
    for layer, reading in readings.items():
        cells = (reading.cosine, reading.cosine_rank, reading.cosine_inside, reading.cosine_tiny)
        table.add_row(str(layer), *(_number(c) for c in cells))
    console.print(table)


def _figures(title: str, names: tuple[str, ...]) -> Table:
    table = Table(title=f"\n{title}", title_justify="left", box=SIMPLE_HEAD)
    for name in names:
        table.add_column(name, justify="right")
    return table


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.2f}"
