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

Row = dict[str, Any]


@dataclass(frozen=True)
class Result:
    """Of a drawn link what was measured, and of its control; None where it could not be."""

    kind: str
    foretold: int
    link: Effect | None
    control: Effect | None


def rows_of(run: str, results: Sequence[Result], stored: dict[str, int]) -> list[Row]:
    """Return a row for each kind, one for what keeps down the later feature, and one for all.

    Parameters
    ----------
    run
        Id of the run of the links.
    results
        One a drawn link.
    stored
        Links of each kind in the run.
    """
    rows = [_row(run, kind, [r for r in results if r.kind == kind], stored[kind]) for kind in sorted(stored)]
    negative = [r for r in results if r.foretold > 0]
    if negative:
        rows.append(_row(run, "weight < 0", negative, None))
    return [*rows, _row(run, "all", results, sum(stored.values()))]


def _row(run: str, kind: str, results: Sequence[Result], stored: int | None) -> Row:
    links = [r.link for r in results if r.link is not None]
    controls = [r.control for r in results if r.control is not None]
    pairs = [(r.link, r.control) for r in results if r.link is not None and r.control is not None]
    above = sum(link.share > control.share for link, control in pairs)
    return {
        "run": run,
        "kind": kind,
        "links": stored,
        "drawn": len(results),
        **_rates("", links),
        **_rates("control_", controls),
        "above_control": above / len(pairs) if pairs else None,
        **dict(zip(("above_low", "above_high"), _interval(above, len(pairs)), strict=True)),
    }


def _rates(prefix: str, effects: Sequence[Effect]) -> Row:
    hits = sum(effect.hits() for effect in effects)
    low, high = _interval(hits, len(effects))
    return {
        f"{prefix}tested": len(effects),
        f"{prefix}hits": hits,
        f"{prefix}hit_rate": hits / len(effects) if effects else None,
        f"{prefix}low": low,
        f"{prefix}high": high,
        f"{prefix}median_share": float(np.median([e.share for e in effects])) if effects else None,
        f"{prefix}hits_at": {f"{share:g}": sum(e.hits(share) for e in effects) for share in OTHER_SHARES},
    }


def _interval(hits: int, of: int) -> tuple[float | None, float | None]:
    low, high = wilson(hits, of)
    return (None, None) if math.isnan(low) else (low, high)


def print_table(rows: Sequence[Row], console: Console) -> None:
    """Print the rows within 80 columns, and what they mean."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("\n\nlinks", no_wrap=True)
    for name in (
        "\n\ntested",
        "links:\nhit rate\n(95 %)",
        "controls:\nhit rate\n(95 %)",
        "links:\nmedian\nchange",
        "controls:\nmedian\nchange",
        "\nabove its\ncontrol",
    ):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            row["kind"],
            f"{row['tested']:,}",
            _rate(row, ""),
            _rate(row, "control_"),
            _share(row["median_share"]),
            _share(row["control_median_share"]),
            _share(row["above_control"]),
            end_section=row is rows[-2],
        )
    console.print(table)
    whole = rows[-1]
    at = "; ".join(
        f"{share}: {_of(whole, '', share)} and {_of(whole, 'control_', share)}" for share in whole["hits_at"]
    )
    console.print(
        f"[bold]Hit[/]: {WHAT_A_HIT_IS}. With another share than {SHARE:g}, links and controls: {at}.\n"
        "[bold]Median change[/]: in the direction foretold, as a share of the level. "
        "[bold]Above its control[/]: share of the links whose change is larger than their control's.\n"
        f"{whole['drawn'] - whole['tested']:,} of {whole['drawn']:,} links drawn were not tested: fewer than "
        f"{LEAST} rows to read them at. {whole['tested'] - whole['control_tested']:,} had no control."
    )


def _rate(row: Row, prefix: str) -> str:
    if row[f"{prefix}hit_rate"] is None:
        return "-"
    return f"{row[f'{prefix}hit_rate']:.2f} ({row[f'{prefix}low']:.2f}-{row[f'{prefix}high']:.2f})"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _of(row: Row, prefix: str, share: str) -> str:
    tested = row[f"{prefix}tested"]
    return _share(row[f"{prefix}hits_at"][share] / tested if tested else None)
