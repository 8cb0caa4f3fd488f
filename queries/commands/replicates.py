"""``stratigraph replicates``: how much of what was seen chance gives too."""

# ruff: noqa: PLC0415  the parser is built for every command; what answers is imported when it runs

from argparse import ArgumentParser, Namespace, _SubParsersAction

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
    from queries.render import console, table

    star = chosen["r_star"]
    out = console()
    out.print(f"run {chosen['id']} of {', '.join(chosen['sites'])}")
    out.print(table(rows, REPLICATE_COLUMNS))
    reached = (
        f"r* = {star}: {chosen['kept']:,} edges kept"
        if star is not None
        else "no r reaches it: nothing is kept"
    )
    out.print(f"at an FDR of {chosen['fdr']:g}, {reached}")
    return 0
