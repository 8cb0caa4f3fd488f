"""How one feature and its neighbours look on a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from queries.render import cell, console, context, fits, number, table, top_tokens, visible

Row = Mapping[str, Any]

_CONTEXTS = 8

NEGATIVE_LINK = (
    "A negative weight: given the rest, the later feature fires less where the earlier one does. Features of "
    "different words exclude each other so too, without one keeping the other down."
)
_LINEAGE_NOTES = (
    "taken out: mean change of the later feature of a link when its earlier one is taken out of the stream, "
    "by `stratigraph verify`; - where that link was not tried.",
)


def neighbor_table(rows: Sequence[Row], of: str, hops: int = 1) -> Table:
    """Return the neighbours of feature `of`, up to `hops` away; ids of its own site show their index."""
    site = of.rpartition("/")[0] + "/"
    shown = [
        {**row, "index": row["id"].removeprefix(site), "cosine": row["decoder_cosine"], "q": row["q_value"]}
        for row in rows
    ]
    for row in shown:
        row["q"] = row["q_shuffle"] if row["q"] is None else row["q"]
        row["seen"], row["together"] = row["replicates"], row["coactivation"]
    columns = ["index", "label", "weight", "cosine", "seen", "q", "together"]
    if hops > 1:
        columns[:1] = ["hops", "index", "through"]
        for row in shown:
            row["through"] = row["through"].removeprefix(site)
    if not all(row["kept"] for row in rows):
        columns.append("kept")
    return table(shown, columns)


def show_runs(rows: Sequence[Row]) -> None:
    """Print the runs, newest first; where there is no room for their sites, each site above its runs."""
    shown = [
        {**row, "run": row["id"], "r*": row["r_star"], "made": (row["created"] or "")[:10]} for row in rows
    ]
    columns = ["run", "site", "procedure", "fdr", "r*", "edges", "kept", "made"]
    if not all(row["complete"] for row in rows):
        columns.append("complete")
    out = console()
    whole = table(shown, columns, whole=("site",))
    if fits(whole):
        out.print(whole)
        return
    columns.remove("site")
    for at, site in enumerate(dict.fromkeys(row["site"] for row in rows)):
        out.print(Text(("\n" if at else "") + visible(site), style="bold"))
        out.print(Padding(table([row for row in shown if row["site"] == site], columns), (0, 0, 0, 2)))


def show_paths(rows: Sequence[Row], labels: Mapping[str, str | None]) -> None:
    """Print paths, one feature a line, each with the step that leads to it."""
    out = console()
    for row in rows:
        out.print(f"score {number(row['score'])}", style="dim")
        made = Table(box=None, pad_edge=False, show_header=False)
        for overflow in ("fold", "ignore", "fold", "fold"):
            made.add_column(overflow=overflow, no_wrap=overflow == "ignore")
        steps = zip([None, *row["kinds"]], [None, *row["weights"]], row["nodes"], strict=True)
        for kind, weight, node in steps:
            made.add_row(
                kind or "",
                cell(weight, "weight") if kind else "",
                visible(node),
                visible(labels.get(node) or "-"),
            )
        out.print(Padding(made, (0, 0, 0, 2)))


def show_lineage(rows: Sequence[Row]) -> None:
    """Print a lineage, each site above its features; the feature asked for is marked, others say by which."""
    layers = {row["id"]: row["layer"] for row in rows}
    out = console()
    for at, site in enumerate(dict.fromkeys(row["id"].rpartition("/")[0] for row in rows)):
        mine = [row for row in rows if row["id"].rpartition("/")[0] == site]
        shown = [
            {
                **row,
                "index": row["id"].rpartition("/")[2] + ("" if row["hops"] else " *"),
                "by": _at(row["through"], layers),
                "taken out": row["ablation_effect"],
            }
            for row in mine
        ]
        out.print(Text(("\n" if at else "") + f"layer {mine[0]['layer']} · {visible(site)}", style="bold"))
        tried = ("taken out",) if any(row["ablation_effect"] is not None for row in rows) else ()
        made = table(shown, ("index", "kind", "weight", "score", "by", *tried, "label"))
        out.print(Padding(made, (0, 0, 0, 2)))
    notes = _LINEAGE_NOTES if any(row["ablation_effect"] is not None for row in rows) else ()
    if any((row["weight"] or 0) < 0 for row in rows):
        notes = (*notes, NEGATIVE_LINK)
    for note in notes:
        out.print(f"\n{note}", style="dim")


def _at(name: str | None, layers: Mapping[str, int]) -> str | None:
    """Return a feature as layer and index; one that the limit left out has no row to take the layer from."""
    if name is None:
        return None
    layer, index = layers.get(name), name.rpartition("/")[2]
    return index if layer is None else f"{layer}/{index}"


def community_table(rows: Sequence[Row]) -> Table:
    """Return communities, their members by label."""
    return table(rows, ("id", "scope", "size", "layers", "label", "members"))


def show_feature(row: Row, neighbors: Sequence[Row], links: Sequence[Row]) -> None:
    """Print a feature: its words, its firings, its statistics, its neighbours and links."""
    out = console()
    out.print(
        Text.assemble(
            (visible(row["id"]), "bold"), "  ", (visible(row["label"] or "no label"), "bold yellow")
        )
    )
    if row["label_source"]:
        out.print(Text(visible(f"labelled by {row['label_source']}"), style="dim"))
    out.print(Text(_statistics(row)))
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
        model = row["id"].split("/")[0] + "/"
        shown = [{**link, "feature": link["id"].removeprefix(model)} for link in links]
        out.print(table(shown, ("kind", "direction", "feature", "weight", "label")))


def _statistics(row: Row) -> str:
    if row["frequency"] is None:
        return "not measured in this run"
    parts = [f"fires at {row['frequency']:.3%} of tokens"]
    if row["mean_activation"] is not None:
        parts.append(f"mean {number(row['mean_activation'])}, largest {number(row['max_activation'] or 0.0)}")
    parts.append(f"{row['degree'] or 0:,} kept edges")
    if row["community"]:
        parts.append(f"in community {row['community']}")
    return visible(" · ".join(parts))
