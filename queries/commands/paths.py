"""``stratigraph paths``: how one feature leads to another."""

# ruff: noqa: PLC0415  the parser is built for every command; what answers is imported when it runs

from argparse import ArgumentParser, Namespace, _SubParsersAction

from queries.commands.options import add_timeout, emit, seconds, verb

KINDS = ("CARRIES", "DRIVES", "DEPENDS")


def add(commands: "_SubParsersAction[ArgumentParser]") -> None:
    """Add the verb."""
    parser = verb(
        commands,
        "paths",
        "list the best paths from a feature to another one, or to any, along edges and links",
        "stratigraph paths gpt2-small/6-res-jb/1201 gpt2-small/8-res-jb/14057 --max-hops 3 --db graph.db\n"
        "  stratigraph paths gpt2-small/6-res-jb/1201 --kind CARRIES --kind DRIVES --min-hops 2",
        run,
    )
    parser.add_argument("start", metavar="FROM", help="MODEL/SOURCE/INDEX")
    parser.add_argument("end", metavar="TO", nargs="?", help="MODEL/SOURCE/INDEX (default: anywhere)")
    parser.add_argument(
        "--kind",
        action="append",
        choices=KINDS,
        help="follow only these; DEPENDS both ways, links to later layers (may be given again; default: all)",
    )
    parser.add_argument("--min-hops", type=int, default=1, metavar="N", help="least length (default: 1)")
    parser.add_argument("--max-hops", type=int, default=4, metavar="N", help="largest length (default: 4)")
    parser.add_argument(
        "--min-weight", type=float, default=0.0, metavar="W", help="least size of each weight (default: 0)"
    )
    parser.add_argument(
        "--through",
        action="append",
        default=[],
        metavar="FEATURE|LAYER",
        help="meet this feature, or some feature of this layer (may be given again)",
    )
    parser.add_argument("--shortest", action="store_true", help="fewest hops first, then the best")
    parser.add_argument(
        "--run",
        dest="runs",
        action="append",
        metavar="RUN",
        help="follow only edges and links of these runs (default: the newest of each site and pair of sites)",
    )
    parser.add_argument(
        "--limit", type=int, default=10, metavar="N", help="most rows, 0 for all (default: 10)"
    )
    add_timeout(parser)


def run(arguments: Namespace) -> int:
    """List the paths."""
    from graphdb.store import connect
    from queries.paths import PATH_COLUMNS, Route, paths
    from queries.runs import linked
    from queries.search import by_ids

    through = tuple(int(part) if part.isdecimal() else part for part in arguments.through)
    route = Route(
        kinds=tuple(arguments.kind or KINDS),
        min_hops=arguments.min_hops,
        max_hops=arguments.max_hops,
        min_weight=arguments.min_weight,
        through=through,
        shortest=arguments.shortest,
    )
    with connect(arguments.db) as store:
        rows = paths(
            store, arguments.start, arguments.end, route, arguments.runs, arguments.limit, seconds(arguments)
        )
        if emit(arguments, rows, PATH_COLUMNS):
            return 0
        met = sorted({node for row in rows for node in row["nodes"]})
        labels = {row["id"]: row["label"] for row in by_ids(store, met, seconds(arguments))}
        any_links = bool(rows) or linked(store)
    from queries.render import console
    from queries.views import show_paths

    if rows:
        show_paths(rows, labels)
        return 0
    to = f" to {arguments.end}" if arguments.end else ""
    advice = (
        "links lead to later layers only, and\n--max-hops looks further"
        if any_links
        else "no links between\nlayers were made yet (`stratigraph link`), and --max-hops looks further"
    )
    console().print(
        f"no path from {arguments.start}{to}\nwith at most {arguments.max_hops} hops; {advice}",
        soft_wrap=True,
    )
    return 0
