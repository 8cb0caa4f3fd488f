"""``stratigraph runs``: what has been measured."""

# ruff: noqa: PLC0415  the parser is built for every command; what answers is imported when it runs

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
    from queries.render import console
    from queries.views import show_runs

    if rows:
        show_runs(rows)
    else:
        console().print("no runs yet: stratigraph load GRAPH_DIR")
    return 0
