"""``stratigraph runs``: what has been measured."""

from argparse import ArgumentParser, Namespace, _SubParsersAction

from queries.commands.options import emit, verb


def add(commands: "_SubParsersAction[ArgumentParser]") -> None:
    """Add the verb."""
    verb(commands, "runs", "list the runs in a database", "stratigraph runs --db graph.db", run)


def run(arguments: Namespace) -> int:
    """List the runs."""
    from graphdb.store import connect
    from queries.runs import RUN_COLUMNS, runs

    with connect(arguments.db) as store:
        rows = runs(store)
    if emit(arguments, rows, RUN_COLUMNS):
        return 0
    from queries.render import console, table

    shown = [{**row, "run": row["id"], "made": (row["created"] or "")[:10]} for row in rows]
    columns = ["run", "site", "procedure", "fdr", "r_star", "features", "edges", "kept", "made"]
    if not all(row["complete"] for row in rows):
        columns.append("complete")
    console().print(
        table(shown, columns, wide=("site",)) if rows else "no runs yet: stratigraph load GRAPH_DIR"
    )
    return 0
