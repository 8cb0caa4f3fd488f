"""What a verification found, as rows, and as a table for a person."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from analysis.ablation import Effect
from analysis.hit_rule import LEAST, OTHER_SHARES, SHARE, WHAT_A_HIT_IS
from analysis.wilson import wilson
from ingest.verification.trials import GROUPS, Pairing

Row = dict[str, Any]

_NAMES = dict(zip(GROUPS, ("links", "controls", "controls, any cosine"), strict=True))


@dataclass(frozen=True)
class Result:
    """Of a drawn link, and of its controls, what was measured.

    Parameters
    ----------
    pairing
        The link and its controls.
    effects
        As ``GROUPS``; None where nothing could be measured.
    chances
        As ``GROUPS``: the standard deviation of what directions that lie by chance would do, as a share of
        the level; nan where it is not known.
    """

    pairing: Pairing
    effects: tuple[Effect | None, ...]
    chances: tuple[float, ...]


def rows_of(
    run: str, results: Sequence[Result], stored: dict[str, int], named: Sequence[Result] = ()
) -> list[Row]:
    """Return rows for each kind, for some parts of all, and for all; one for each group of pairs.

    Parameters
    ----------
    run
        Id of the run of the links.
    results
        One a drawn link.
    stored
        Links of each kind in the run.
    named
        One a link that was named; they are a part of their own, and of no other.
    """
    parts: list[tuple[str, int | None, list[Result]]] = [
        (kind, stored[kind], [r for r in results if r.pairing.kind == kind]) for kind in sorted(stored)
    ]
    negative = [r for r in results if r.pairing.weight <= 0]
    if negative:
        parts.append(("weight < 0", None, negative))
    middle = float(np.median([abs(r.pairing.weight) for r in results]))
    parts.append(("stronger half", None, [r for r in results if abs(r.pairing.weight) >= middle]))
    if named:
        parts.append(("named", None, list(named)))
    parts.append(("all", sum(stored.values()), list(results)))
    return [
        {"run": run, "kind": kind, "pairs": name, "stored": count, "drawn": len(part), **_row(part, group)}
        for kind, count, part in parts
        for group, name in enumerate(GROUPS)
    ]


def _row(results: Sequence[Result], group: int) -> Row:
    """Return what is said of one group of pairs."""
    effects = [e for r in results if (e := r.effects[group]) is not None]
    cosines = [t.cosine for r in results if (t := r.pairing.trials[group]) is not None]
    both = [(r.effects[0], e) for r in results if (e := r.effects[group]) is not None]
    above = sum(link.share > other.share for link, other in both if link is not None)
    hits = sum(effect.hits() for effect in effects)
    low, high = _interval(hits, len(effects))
    return {
        "tested": len(effects),
        "hits": hits,
        "hit_rate": hits / len(effects) if effects else None,
        "low": low,
        "high": high,
        "hits_at": {f"{share:g}": sum(e.hits(share) for e in effects) for share in OTHER_SHARES},
        "median_change": _median([e.share for e in effects]),
        "median_cosine": _median(cosines),
        "median_by_chance": _median([r.chances[group] for r in results]),
        "links_above": above / len(both) if both and group else None,
    }


def _median(values: Sequence[float]) -> float | None:
    known = [value for value in values if not math.isnan(value)]
    return float(np.median(known)) if known else None


def _interval(hits: int, of: int) -> tuple[float | None, float | None]:
    low, high = wilson(hits, of)
    return (None, None) if math.isnan(low) else (low, high)


def print_table(rows: Sequence[Row], console: Console) -> None:
    """Print the rows within 80 columns, and what they mean."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    for name in ("\ntested", "\nhit rate (95 %)", "median\nchange", "median\ncosine", "links\nabove"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        if row["pairs"] == GROUPS[0]:
            table.add_row(f"[bold]{row['kind']}[/]")
        figures = (row["median_change"], row["median_cosine"], row["links_above"])
        name = f"  {_NAMES[row['pairs']]}"
        ends = row["pairs"] == GROUPS[-1]
        table.add_row(name, f"{row['tested']:,}", _rate(row), *map(_share, figures), end_section=ends)
    console.print(table)
    whole = {row["pairs"]: row for row in rows if row["kind"] == "all"}
    links, controls = whole[GROUPS[0]], whole[GROUPS[1]]
    at = "; ".join(f"at {share} {_at(links, share)} and {_at(controls, share)}" for share in links["hits_at"])
    console.print(
        f"[bold]Hit[/]: {WHAT_A_HIT_IS}. With another share than {SHARE:g}, links and controls: {at}.\n"
        "[bold]Controls[/]: pairs that are no links, of the link's later feature and an earlier one that "
        "fires about as often, its decoder cosine as near as there is; or any cosine.\n"
        "[bold]Change[/]: in the direction foretold, as a share of the level. [bold]Links above[/]: share of "
        "the links that change more than their controls.\n"
        f"{_by_chance(controls)}"
        f"{links['drawn'] - links['tested']:,} of {links['drawn']:,} links drawn were not tested: fewer than "
        f"{LEAST} rows to read them at."
    )


def _by_chance(row: Row) -> str:
    if row["median_by_chance"] is None:
        return ""
    return (
        "[bold]By chance[/]: a direction that lies anyhow in this stream, as long as what is taken out, "
        f"changes the later feature by {row['median_by_chance']:.2f} of its level (one standard deviation, "
        "median).\n"
    )


def _rate(row: Row) -> str:
    if row["hit_rate"] is None:
        return "-"
    return f"{row['hit_rate']:.2f} ({row['low']:.2f}-{row['high']:.2f})"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _at(row: Row, share: str) -> str:
    return f"{row['hits_at'][share] / row['tested']:.2f}" if row["tested"] else "-"
