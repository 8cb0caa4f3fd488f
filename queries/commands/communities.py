"""``stratigraph communities``: the communities of features."""

# ruff: noqa: PLC0415  the parser is built for every command; what answers is imported when it runs

from argparse import ArgumentParser, Namespace, _SubParsersAction

from queries.commands.options import emit, verb


def add(commands: "_SubParsersAction[ArgumentParser]") -> None:
    """Add the verb."""
    parser = verb(
        commands,
        "communities",
        "list communities of features, largest first, with their best connected members",
        "stratigraph communities --min-size 4 --db graph.db",
        run,
    )
    parser.add_argument(
        "--run", dest="of", metavar="RUN", help="the run that made them (default: the newest complete one)"
    )
    parser.add_argument(
        "--min-size", type=int, default=1, metavar="N", help="least number of members (default: 1)"
    )
    parser.add_argument("--top", type=int, default=5, metavar="N", help="members shown of each (default: 5)")
    parser.add_argument(
        "--limit", type=int, default=20, metavar="N", help="most rows, 0 for all (default: 20)"
    )


def run(arguments: Namespace) -> int:
    """List the communities."""
    from graphdb.store import connect
    from queries.communities import COMMUNITY_COLUMNS, communities

    with connect(arguments.db) as store:
        rows = communities(store, arguments.of, arguments.min_size, arguments.top, arguments.limit)
    if emit(arguments, rows, COMMUNITY_COLUMNS):
        return 0
    from queries.render import console
    from queries.views import community_table

    empty = f"no community of {arguments.min_size} or more members"
    console().print(community_table(rows) if rows else empty)
    return 0
