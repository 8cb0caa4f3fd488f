"""How one feature and its neighbours look on a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from queries.render import console, context, number, table, top_tokens

Row = Mapping[str, Any]

_CONTEXTS = 8


def neighbor_table(rows: Sequence[Row], of: str) -> Table:
    """Return the neighbours of feature `of`; ids of its own site are shortened to their index."""
    site = of.rpartition("/")[0] + "/"
    shown = [
        {**row, "index": row["id"].removeprefix(site), "cosine": row["decoder_cosine"], "q": row["q_value"]}
        for row in rows
    ]
    for row in shown:
        row["q"] = row["q_shuffle"] if row["q"] is None else row["q"]
        row["seen"], row["together"] = row["replicates"], row["coactivation"]
    columns = ["index", "label", "weight", "cosine", "seen", "q", "together"]
    if any(row["hops"] > 1 for row in rows):
        columns.insert(0, "hops")
    if not all(row["kept"] for row in rows):
        columns.append("kept")
    return table(shown, columns)


def show_feature(row: Row, neighbors: Sequence[Row], links: Sequence[Row]) -> None:
    """Print a feature: its words, its firings, its statistics, its neighbours and links."""
    out = console()
    out.print(Text.assemble((row["id"], "bold"), "  ", (row["label"] or "no label", "bold yellow")))
    if row["label_source"]:
        out.print(f"labelled by {row['label_source']}", style="dim")
    out.print(_statistics(row))
    if row["top_tokens"]:
        out.print(Text("\nfires on  ").append_text(top_tokens(row["top_tokens"])))
    else:
        never = not row["frequency"]
        reason = "it never fired in this run" if never else "the samples of this run carried no tokens"
        out.print(f"\nno words: {reason}", style="dim")
    for firing in row["contexts"][:_CONTEXTS]:
        out.print(context(firing))
    out.print("\nstrongest neighbours" if neighbors else "\nno kept edges in this run", style="dim")
    if neighbors:
        out.print(neighbor_table(neighbors, row["id"]))
    if links:
        out.print("\nlinks", style="dim")
        out.print(table(links, ("kind", "direction", "id", "weight", "label")))


def _statistics(row: Row) -> str:
    if row["frequency"] is None:
        return "not measured in this run"
    parts = [f"fires at {row['frequency']:.3%} of tokens"]
    if row["mean_activation"] is not None:
        parts.append(f"mean {number(row['mean_activation'])}, largest {number(row['max_activation'] or 0.0)}")
    parts.append(f"{row['degree'] or 0:,} kept edges")
    if row["community"]:
        parts.append(f"in community {row['community']}")
    return " · ".join(parts)
