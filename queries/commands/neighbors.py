"""``stratigraph neighbors``: what a feature depends on."""

# ruff: noqa: PLC0415  the parser is built for every command; what answers is imported when it runs

from argparse import ArgumentParser, Namespace, _SubParsersAction

from queries.commands.options import add_timeout, emit, note, seconds, verb


def add(commands: "_SubParsersAction[ArgumentParser]") -> None:
    """Add the verb."""
    parser = verb(
        commands,
        "neighbors",
        "list the features that a feature depends on, nearest and strongest first",
        "stratigraph neighbors gpt2-small/8-res-jb/14057 --hops 2 --min-replicates 6 --db graph.db",
        run,
    )
    parser.add_argument("feature", metavar="FEATURE", help="MODEL/SOURCE/INDEX")
    parser.add_argument(
        "--run", dest="of", metavar="RUN", help="default: the newest complete run of the site"
    )
    parser.add_argument("--hops", type=int, default=1, help="largest number of hops (default: 1)")
    parser.add_argument("--min-replicates", type=int, metavar="N", help="replicates that show the edge")
    parser.add_argument("--max-q", type=float, metavar="Q", help="largest q, of the run's own procedure")
    parser.add_argument(
        "--min-partial", type=float, metavar="P", help="least size of the partial correlation"
    )
    parser.add_argument("--all", action="store_true", help="also edges that did not pass the run's FDR")
    parser.add_argument(
        "--limit", type=int, default=20, metavar="N", help="most rows, 0 for all (default: 20)"
    )
    add_timeout(parser)


def run(arguments: Namespace) -> int:
    """List the neighbours."""
    from graphdb.store import connect
    from queries.bind import check_limit
    from queries.neighbors import NEIGHBOR_COLUMNS, Filters, neighbors

    check_limit(arguments.limit)
    filters = Filters(arguments.all, arguments.min_replicates, arguments.max_q, arguments.min_partial)
    with connect(arguments.db) as store:
        every = neighbors(
            store, arguments.feature, arguments.of, arguments.hops, filters, timeout=seconds(arguments)
        )
    rows = every[: arguments.limit] if arguments.limit else every
    if len(rows) < len(every):
        note(f"{len(rows)} of {len(every)} neighbours; --limit 0 shows all")
    if emit(arguments, [{name: row[name] for name in NEIGHBOR_COLUMNS} for row in rows], NEIGHBOR_COLUMNS):
        return 0
    from queries.render import console
    from queries.views import neighbor_table

    empty = f"{arguments.feature} has no neighbours that pass; --all shows also edges that were not kept"
    console().print(neighbor_table(rows, arguments.feature, arguments.hops) if rows else empty)
    return 0
