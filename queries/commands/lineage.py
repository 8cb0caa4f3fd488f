"""``stratigraph lineage``: where a feature comes from and what becomes of it."""

# ruff: noqa: PLC0415  the parser is built for every command; what answers is imported when it runs

from argparse import ArgumentParser, Namespace, _SubParsersAction

from queries.commands.options import add_timeout, emit, seconds, verb


def add(commands: "_SubParsersAction[ArgumentParser]") -> None:
    """Add the verb."""
    parser = verb(
        commands,
        "lineage",
        "show where a feature comes from and what becomes of it, layer by layer",
        "stratigraph lineage gpt2-small/8-res-jb/14057 --kind CARRIES --db graph.db",
        run,
    )
    parser.add_argument("feature", metavar="FEATURE", help="MODEL/SOURCE/INDEX")
    parser.add_argument(
        "--kind",
        action="append",
        choices=("CARRIES", "DRIVES"),
        help="follow only these links (default: both)",
    )
    parser.add_argument(
        "--max-hops", type=int, default=64, metavar="N", help="most links on a way (default: 64)"
    )
    parser.add_argument(
        "--min-weight", type=float, default=0.0, metavar="W", help="least size of each weight (default: 0)"
    )
    parser.add_argument(
        "--run",
        dest="runs",
        action="append",
        metavar="RUN",
        help="follow only links of these runs (default: the newest of each pair of sites)",
    )
    parser.add_argument(
        "--limit",
        type=int,
        default=20,
        metavar="N",
        help="most features on either side, 0 for all (default: 20)",
    )
    add_timeout(parser)


def run(arguments: Namespace) -> int:
    """Show the lineage."""
    from graphdb.store import connect
    from queries.paths import LINEAGE_COLUMNS, lineage
    from queries.runs import linked
    from queries.span import span

    with connect(arguments.db) as store:
        rows = lineage(
            store,
            arguments.feature,
            arguments.kind or ("CARRIES", "DRIVES"),
            arguments.max_hops,
            arguments.min_weight,
            arguments.runs,
            arguments.limit,
            seconds(arguments),
        )
        if emit(arguments, rows, LINEAGE_COLUMNS):
            return 0
        carried = span(store, arguments.feature, arguments.min_weight, arguments.runs, seconds(arguments))
        any_links = len(rows) > 1 or linked(store)
    from queries.render import console
    from queries.views import show_lineage

    show_lineage(rows)
    if len(rows) == 1:
        where = " in these runs" if any_links else ": `stratigraph link` has made none yet"
        console().print(f"no links lead to it or from it{where}", style="dim")
    if carried is not None:
        console().print(f"\n{carried.said()}")
    return 0
