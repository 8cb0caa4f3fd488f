"""``stratigraph replicates``: how much of what was seen chance gives too."""

# ruff: noqa: PLC0415  the parser is built for every command; what answers is imported when it runs

from argparse import ArgumentParser, Namespace, _SubParsersAction
from typing import Any

from queries.commands.options import emit, verb


def add(commands: "_SubParsersAction[ArgumentParser]") -> None:
    """Add the verb."""
    parser = verb(
        commands,
        "replicates",
        "show the replicate table of a run: observed edges, edges that chance gives, and their ratio",
        "stratigraph replicates 3fa9 --db graph.db",
        run,
    )
    parser.add_argument(
        "of", metavar="RUN", nargs="?", help="id or its beginning (default: the newest complete run)"
    )


def run(arguments: Namespace) -> int:
    """Show the table."""
    from graphdb.runs import find_run
    from graphdb.store import connect
    from queries.runs import REPLICATE_COLUMNS, replicates

    with connect(arguments.db) as store:
        chosen = find_run(store, arguments.of)
        rows = replicates(store, chosen["id"])
    if emit(arguments, rows, REPLICATE_COLUMNS):
        return 0
    from rich.text import Text

    from queries.render import console, table, visible

    out = console()
    out.print(Text(visible(f"run {chosen['id']} of {', '.join(chosen['sites'])}")))
    out.print(table(rows, REPLICATE_COLUMNS))
    out.print(_decided(chosen))
    return 0


def _decided(run: dict[str, Any]) -> str:
    """Say by what the edges of a run are kept."""
    kept, star = f"{run['kept']:,} edges kept", run["r_star"]
    if run["procedure"] == "calibrated":
        return f"{kept} by q <= {run['fdr']:g} on all replicates; these counts decide nothing"
    reached = "no r reaches it: nothing is kept" if star is None else f"r* = {star}: {kept}"
    return f"at an FDR of {run['fdr']:g}, {reached}"
