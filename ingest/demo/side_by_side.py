"""What the demo prints of the two procedures, side by side."""

import math
from collections.abc import Mapping

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from analysis.layer_graph import LayerGraph
from ingest.demo.comparison import Comparison, Kept
from ingest.demo.explanation import Explained

_EXAMPLES = 3
_LABEL = 20


def procedure_table(comparisons: Mapping[int, Comparison], tokens: int, console: Console) -> None:
    """Print what each procedure keeps, what it states of it, and what `tokens` fresh tokens say of it."""
    table = Table(
        title="\nThe two procedures on the same samples",
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 2, 0, 0),
    )
    table.add_column("\nlayer")
    table.add_column("\nkept by", no_wrap=True)
    for name in ("\nedges", "FDR\nstated", "false:\nfiring", "false:\nstrength", "one\nclass"):
        table.add_column(name, justify="right")
    for layer, found in comparisons.items():
        stated = map(_number, found.stated)
        _add_row(table, str(layer), "published", found.published, next(stated))
        _add_row(table, "", "calibrated", found.calibrated, next(stated))
        _add_row(table, "", "  both", found.both)
        _add_row(table, "", "  published only", found.published_only)
        _add_row(table, "", "  calibrated only", found.calibrated_only)
        table.add_section()
    console.print(table)
    chance = max(found.chance for found in comparisons.values())
    console.print(
        "[bold]FDR stated[/]: published counts marginal dependence, against shuffles; calibrated, the "
        "default of infer, tests each pair given its other neighbours: the largest q it keeps.\n"
        f"[bold]False[/]: an estimate from {tokens:,} tokens that neither has read. There each pair has a "
        "linear partial correlation given all other features, of whether they fire (firing) or of how "
        "strongly (strength). A pair that depends through others alone gets either sign, so twice the share "
        "of edges whose sign turns is false. Calibrated tests firing, and vouches for nothing else. A check "
        "by another road: no exact truth is planted between learned features.\n"
        "[bold]One class[/]: both ends stand for one planted class of words, as do "
        f"{chance:.2f} of all pairs. It shows that edges mean something, not which procedure is right: "
        "features of one class depend on each other through third ones, too."
    )


def _add_row(table: Table, layer: str, by: str, kept: Kept, stated: str = "") -> None:
    figures = (_number(f) for f in (kept.false_firing, kept.false_activation, kept.same_class))
    table.add_row(layer, by, f"{kept.edges:,}", stated, *figures)


def examples(
    comparisons: Mapping[int, Comparison], graphs: Mapping[int, LayerGraph], console: Console
) -> None:
    """Print why some edges are kept by the published procedure alone."""
    only = sum(found.published_only.edges for found in comparisons.values())
    accounted = sum(len(found.explained) for found in comparisons.values())
    console.print(
        f"\nOf {only:,} edges that only published keeps, {accounted:,} are accounted for by a single third "
        "feature that calibrated links to both ends." + (" For example:" if accounted else "")
    )
    chosen = [(layer, found.explained[0]) for layer, found in comparisons.items() if found.explained]
    for layer, pair in chosen[:_EXAMPLES]:
        console.print(_said(layer, pair, graphs[layer]), highlight=False)
    busy = sum(found.busy for found in comparisons.values())
    if not busy:
        console.print("Busy tokens explain none: no feature here follows how busy the token is.")
    else:
        console.print(f"{busy:,} features also follow how busy the token is, which calibrated allows for.")


def _said(layer: int, pair: Explained, graph: LayerGraph) -> str:
    """Say of one edge what it is and what accounts for it."""
    labels = dict(zip(graph.features["index"], graph.features["label"], strict=True))

    def named(feature: int) -> str:
        label = labels[feature] or "no words"
        return f"{feature} ({label if len(label) <= _LABEL else label[: _LABEL - 1] + '…'})"

    return (
        f"  layer {layer}, weight {pair.weight:.2f}: {named(pair.source)} and {named(pair.target)}\n"
        f"    fire together {pair.beyond_chance:.0f} times as often as by chance, but "
        f"{pair.beyond_third:.1f} times\n"
        f"    given whether {named(pair.third)} fires"
    )


def _number(value: float | None) -> str:
    return "-" if value is None or math.isnan(value) else f"{value:.2f}"
