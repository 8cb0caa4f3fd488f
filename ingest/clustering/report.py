"""A run of communities as a person reads it, at 80 columns."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from analysis.component_reading import NEAR

Row = Mapping[str, Any]


def show(run: Row, console: Console) -> None:
    """Print what was divided, the components, and what the dials change."""
    config, parts = json.loads(run["config"]), json.loads(run["parts"])
    profile = json.loads(run["profile"])
    console.print(
        f"[bold]run {run['id']}[/]: {run['communities']:,} communities of {run['members']:,} features"
        f"\n  of {run['features']:,} with {_edges(config)}: {run['edges']:,} edges, {run['links']:,} links"
        f"\n  quality {run['quality']:.3f}; {config['restarts']} restarts, AMI {_figure(run.get('ami'))}"
        f"; resolution {config['resolution']:g}"
        + ("" if config["coupling"] is None else f", coupling {config['coupling']:g}"),
        highlight=False,
    )
    _print(
        console,
        "divided each by itself",
        ("layers", "features", "edges", "links", "communities", "largest", "alone", "quality", "AMI"),
        [
            [
                _layers(part["layers"]),
                *(f"{part[name]:,}" for name in _COUNTS),
                *map(_figure, (part["quality"], part["ami"])),
            ]
            for part in parts
        ],
    )
    _print(
        console,
        "components: features, with the mean decoder cosine of their edges",
        ("layers", "large", "cosine", "standalone", "cosine", "tiny", "cosine", "near-duplicates"),
        [_component_cells(part) for part in parts],
    )
    console.print(
        f"standalone: 4 or more; tiny: up to 3; near-duplicates: tiny, cosine {NEAR} or more", style="dim"
    )
    _show_profile(profile, console)


def _show_profile(profile: Sequence[Row], console: Console) -> None:
    """Print what other settings give; what is of links only where there is a coupling."""
    coupled = any(row["coupling"] for row in profile)
    names = [name for name in _PROFILE if coupled or name not in {"coupling", "spanning", "held"}]
    title = "other resolutions and couplings" if coupled else "other resolutions"
    rows = [[_PROFILE[name](row) for name in names] for row in profile]
    _print(console, f"{title}: number of communities", names, rows)
    said = "AMI: of restarts; like: with the division that is kept"
    if coupled:
        said = "spanning: several layers; held: share of the links, by weight, within one\n" + said
    console.print(said, style="dim")


_COUNTS = ("features", "edges", "links", "communities", "largest", "alone")


def _edges(config: Row) -> str:
    least, of = config["min_replicates"], "kept edges" if config["exclusions"] else "positive kept edges"
    return of if least is None else f"{of} that {least} replicates show"


def _component_cells(part: Row) -> list[str]:
    cells = [_layers(part["layers"]), f"{part['large_features']:,}", _figure(part["large_cosine"])]
    for kind in ("standalone", "tiny"):
        cells += [
            f"{part[f'{kind}_features']:,} in {part[f'{kind}_components']:,}",
            _figure(part[f"{kind}_cosine"]),
        ]
    return [*cells, f"{part['near_duplicates']:,}"]


def _layers(numbers: Sequence[int]) -> str:
    """Write layers as ``3`` or ``0-3`` or ``0, 2``."""
    if len(numbers) > 1 and numbers == list(range(numbers[0], numbers[-1] + 1)):
        return f"{numbers[0]}-{numbers[-1]}"
    return ", ".join(map(str, numbers))


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _print(console: Console, title: str, names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    console.print(Text(f"\n{title}", style="bold"))
    table = Table(box=None, pad_edge=False, header_style="dim")
    for at, name in enumerate(names):
        table.add_column(name, justify="right" if at else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    console.print(table)


_PROFILE: Mapping[str, Callable[[Row], str]] = {
    "resolution": lambda row: f"{row['resolution']:g}",
    "coupling": lambda row: f"{row['coupling']:g}",
    "number": lambda row: f"{row['communities']:,}",
    "largest": lambda row: f"{row['largest']:,}",
    "spanning": lambda row: f"{row['spanning']:,}",
    "held": lambda row: _figure(row["held"]),
    "quality": lambda row: _figure(row["quality"]),
    "AMI": lambda row: _figure(row["ami"]),
    "like": lambda row: _figure(row["like_asked"]),
}
"""The columns of other settings, and what stands in each."""
