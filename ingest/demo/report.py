"""What the demo prints of the graphs it made."""

import math
from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from analysis.components import TINY
from analysis.layer_graph import LayerGraph
from ingest.demo.reading import Reading

_SHOWN_REPLICATES = (1, 2, 3, 5, 10, 20, 30)
_SHOWN_MODULES = 6


def replicate_tables(graphs: Mapping[int, LayerGraph], console: Console) -> None:
    """Print the replicate table of every layer, as the post does."""
    table = Table(title="Edges seen in at least r replicates: observed, shuffled, FDR", title_justify="left")
    table.add_column("layer", justify="right")
    table.add_column("")
    shown = [r for r in _SHOWN_REPLICATES if r <= min(g.n_replicates for g in graphs.values())]
    for r in shown:
        table.add_column(f"r={r}", justify="right")
    table.add_column("r*", justify="right")
    table.add_column("kept", justify="right")
    for layer, graph in graphs.items():
        rows = {row["replicates"]: row for row in graph.replicate_table.to_dicts()}
        star = "none" if graph.r_star is None else str(graph.r_star)
        table.add_row(
            str(layer), "observed", *(f"{rows[r]['observed']:,}" for r in shown), star, f"{graph.kept:,}"
        )
        table.add_row("", "null", *(f"{rows[r]['null']:,.0f}" for r in shown), "", "")
        table.add_row("", "FDR", *(f"{rows[r]['fdr']:.2g}" for r in shown), "", "", end_section=True)
    console.print(table)


def component_tables(readings: Mapping[int, Reading], console: Console) -> None:
    """Print the components of every layer and the planted classes that they coincide with."""
    for layer, reading in readings.items():
        size = reading.components.size
        if not len(size):
            console.print(f"layer {layer}: no edge is kept, so there is no component")
            continue
        tiny = int((size[1:] <= TINY).sum())
        console.print(
            f"\n[bold]Layer {layer}[/]: one large component of {size[0]} features, "
            f"{len(size) - 1 - tiny} modules, {tiny} tiny components of up to {TINY} features"
        )
        table = Table(box=None, pad_edge=False)
        table.add_column("size", justify="right")
        table.add_column("planted class", no_wrap=True)
        table.add_column("phi", justify="right")
        table.add_column("fires on", overflow="ellipsis", no_wrap=True, max_width=44)
        best = sorted(reading.modules, key=lambda m: (-(len(m.features) > TINY), -m.phi))
        for module in best[:_SHOWN_MODULES]:
            words = "; ".join(module.words)
            table.add_row(str(len(module.features)), module.planted, f"{module.phi:.2f}", words)
        if reading.modules:
            console.print(table)


def agreement_table(readings: Mapping[int, Reading], console: Console) -> None:
    """Print how well the components agree with the classes, and cosine with strength."""
    table = Table(title="Components against planted classes; cosine against weight", title_justify="left")
    for name in ("layer", "components", "mean phi", "by chance", "cosine r", "rank r", "cosine in tiny"):
        table.add_column(name, justify="right")
    for layer, reading in readings.items():
        scores = [m.phi for m in reading.modules]
        mean = sum(scores) / len(scores) if scores else math.nan
        cells = (mean, reading.chance, reading.cosine, reading.cosine_rank, reading.tiny_cosine)
        table.add_row(str(layer), str(len(reading.components.size)), *(_number(c) for c in cells))
    console.print(table)


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.2f}"
