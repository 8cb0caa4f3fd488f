"""What the demo prints of links between layers, and of trying them by intervention."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from analysis.hit_rule import SHARE
from analysis.layer_links import LayerLinks

_PARTS = ("CARRIES", "DRIVES", "weight < 0")


def links_table(links: Sequence[LayerLinks], console: Console) -> None:
    """Print how many links there are between two layers, and what becomes of features."""
    if not links:
        console.print("  one layer alone has no other to be linked to", style="dim")
        return
    table = _table("links", "CARRIES", "DRIVES", "weight < 0", "carried", "made", "gone")
    for found in links:
        kinds, weight = found.links["kind"], found.links["weight"]
        counts = (
            found.links.height,
            *(int((kinds == kind).sum()) for kind in _PARTS[:2]),
            int((weight < 0).sum()),
            *(found.carried, found.made, found.gone),
        )
        table.add_row(f"{found.lower.layer} to {found.upper.layer}", *(f"{count:,}" for count in counts))
    console.print(table)
    console.print(
        "[bold]Links[/]: on which features of the layer before a feature depends, given the others. "
        "CARRIES: of positive weight, half of it or more passed on by the residual stream; DRIVES: others.\n"
        "[bold]Carried, made[/]: features of the later layer with a link that CARRIES into them, and the "
        "others that fire; gone: those of the earlier one that fire and that none CARRIES on."
    )


def tried_table(tried: Mapping[str, Sequence[Mapping[str, Any]]], console: Console) -> None:
    """Print the share of links that taking the earlier feature out bears out, and of pairs that are none."""
    table = _table(
        *("\ntried", "links\n(95 %)", "like\ncosine", "any\ncosine"),
        *("links:\nCARRIES", "links:\nDRIVES", "weight\n< 0"),
    )
    for layers, rows in tried.items():
        known = {(row["kind"], row["pairs"]): row for row in rows}
        whole = known["all", "links"]
        within = "" if whole["hit_rate"] is None else f" ({whole['low']:.2f}-{whole['high']:.2f})"
        table.add_row(
            layers,
            str(whole["tested"]),
            _rate(whole) + within,
            *(_rate(known["all", group]) for group in ("controls", "any_cosine")),
            *(_rate(known.get((part, "links"))) for part in _PARTS),
        )
    console.print(table)
    console.print(
        "Share of the links of which taking the earlier feature out of the stream changes the later one as "
        f"the weight foretells, by {SHARE:g} of its level or more and beyond chance. Beside them pairs that "
        "are no links, of like decoder cosine and of any: directions that overlap change each other by "
        "geometry alone, most of all in a stream of 128 dimensions. A negative weight says that the two "
        "exclude each other given the rest, as features of different words do, too; fewer of those are "
        "borne out."
    )


def _table(*names: str) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("\nlayers" if any("\n" in name for name in names) else "layers", no_wrap=True)
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _rate(row: Mapping[str, Any] | None) -> str:
    return "-" if row is None or row["hit_rate"] is None else f"{row['hit_rate']:.2f}"
