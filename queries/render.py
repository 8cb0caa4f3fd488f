"""Answers as tables that a person reads, at 80 columns too."""

import re
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

Row = Mapping[str, Any]

_ID = re.compile(r".+/[^/]+/\d+")
"""The id of a feature: model/source/index."""

_SIDE = 30
"""Characters of context on either side of the firing token that fit a line."""

_ROOM = 10_000
"""Columns that any table fits."""

_SHORT = 32
"""Values up to this length, ids above all, are not broken over lines; labels are."""


class _Output(Console):
    """A console whose reader may leave, as ``head`` does: that is for the front door to end quietly."""

    def on_broken_pipe(self) -> None:
        """Raise what was raised; Console itself would exit with 1."""
        raise BrokenPipeError


def console() -> Console:
    """Return a console on stdout; off a terminal it is 80 columns wide, without colour."""
    return _Output(file=sys.stdout, highlight=False)


def table(rows: Sequence[Row], columns: Sequence[str], whole: Sequence[str] = ()) -> Table:
    """Return a table; where there is no room, long text but that of `whole` goes over several lines."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    numeric = {name for name in columns if any(isinstance(row.get(name), int | float) for row in rows)}
    short = {
        name
        for name in columns
        if not name.endswith("label") and all(len(str(row.get(name))) <= _SHORT for row in rows)
    }
    cells = {name: [cell(row.get(name), name) for row in rows] for name in columns}
    for name in columns:
        unbroken = name in numeric or name in short or name in whole
        header = "\n".join(map(visible, name.split("_"))) if unbroken else visible(name).replace("_", " ")
        widths = [text.cell_len for text in cells[name]] + [len(visible(word)) for word in name.split("_")]
        made.add_column(
            header,
            justify="right" if name in numeric else "left",
            overflow="fold",
            no_wrap=unbroken,
            min_width=max(widths) if unbroken else None,
        )
    for at in range(len(rows)):
        made.add_row(*(cells[name][at] for name in columns))
    return made


def fits(made: Table) -> bool:
    """Whether a table shows every column whole on the terminal."""
    out = console()
    # measured where there is room, or the answer is never more than the width
    return Measurement.get(out, out.options.update_width(_ROOM), made).minimum <= out.width


def fitting(rows: Sequence[Row], columns: Sequence[str]) -> RenderableType:
    """Return a table, or where the columns are too many for the terminal each row as lines of its own."""
    made = table(rows, columns)
    if fits(made):
        return made
    return Group(*(_record(row, columns, at) for at, row in enumerate(rows, start=1)))


def _record(row: Row, columns: Sequence[str], at: int) -> Table:
    made = Table(
        box=None,
        pad_edge=False,
        show_header=False,
        title=f"row {at:,}",
        title_justify="left",
        title_style="dim",
    )
    made.add_column(style="bold", no_wrap=True)
    made.add_column(overflow="fold")
    for name in columns:
        made.add_row(visible(name).replace("_", " "), cell(row.get(name), name))
    return made


def shortened(rows: Sequence[Row], columns: Sequence[str]) -> tuple[list[Row], str]:
    """Cut feature ids to their index where all are of one site; returns the rows and that site, or ""."""
    names = [
        name
        for name in columns
        if rows and all(_ID.fullmatch(row[name]) if isinstance(row.get(name), str) else False for row in rows)
    ]
    sites = {row[name].rpartition("/")[0] for row in rows for name in names}
    if len(sites) != 1:
        return list(rows), ""
    short: list[Row] = [{**row, **{name: row[name].rpartition("/")[2] for name in names}} for row in rows]
    return short, str(sites.pop())


def cell(value: Any, name: str = "") -> Text:  # noqa: ANN401  any value of a query
    """Return one value as a person reads it; a signed strength shows its sign, green or red."""
    if value is None:
        return Text("-", style="dim")
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    if name.endswith(("weight", "cosine", "correlation")) and isinstance(value, int | float):
        return Text(f"{value:+.3f}", style="green" if value > 0 else "red")
    if isinstance(value, float):
        return Text(number(value))
    if isinstance(value, int):
        return Text(f"{value:,}" if name not in {"layer", "index"} else str(value))
    return Text(visible(listed(value) if isinstance(value, list) else str(value)))


def listed(values: Sequence[Any]) -> str:
    """Return a list as a person reads it; of features their labels, or else their ids."""
    parts = [
        str(value.get("label") or value.get("id") or value) if isinstance(value, Mapping) else value
        for value in values
    ]
    return ", ".join(number(part) if isinstance(part, float) else str(part) for part in parts)


def number(value: float) -> str:
    """Return a number with three figures, large ones whole."""
    if value and abs(value) < 1e-3:
        return f"{value:.1e}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def visible(text: str) -> str:
    """Return text with what a terminal obeys and does not show written out, so that a row stays a row.

    Those are the Unicode categories Cc, such as line breaks and escapes, and Cf, such as turns of direction.
    """
    return "".join(_written_out(letter) for letter in text)


def _written_out(letter: str) -> str:
    if unicodedata.category(letter) not in {"Cc", "Cf"}:
        return letter
    return letter.encode("unicode_escape").decode("ascii")


def context(row: Row) -> Text:
    """Return one firing: the token marked, its text around it, cut to a line."""
    left, token, right = (visible(row[name] or "") for name in ("left", "token", "right"))
    line = Text(no_wrap=True, overflow="ellipsis")
    line.append(f"{row['value'] or 0.0:8.3g}  ", style="cyan")
    before = left if len(left) <= _SIDE else "…" + left[1 - _SIDE :]
    line.append(f"{before:>{_SIDE}}", style="dim")
    line.append("«")
    line.append(token, style="bold reverse")
    line.append("»")
    line.append(right[:_SIDE], style="dim")
    return line


def top_tokens(shares: Sequence[Row]) -> Text:
    """Return the tokens that carry most of the activation, each with its share."""
    line = Text()
    for at, item in enumerate(shares):
        line.append("  " if at else "")
        line.append(f"«{visible(item['token'])}»", style="bold")
        line.append(f" {item['share']:.0%}")
    return line
