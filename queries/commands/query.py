"""``stratigraph query``: a question of the catalogue, or one in Cypher."""

# ruff: noqa: PLC0415  the parser is built for every command; what answers is imported when it runs

from argparse import ArgumentParser, Namespace, _SubParsersAction

from queries.commands.options import add_timeout, emit, seconds, verb


def add(commands: "_SubParsersAction[ArgumentParser]") -> None:
    """Add the verb."""
    parser = verb(
        commands,
        "query",
        "answer a query of the catalogue, or Cypher",
        "stratigraph query hubs --param limit=5 --db graph.db\n"
        "  stratigraph query 'MATCH (f:Feature) RETURN f.label AS label LIMIT 5'",
        run,
    )
    parser.add_argument("what", metavar="NAME_OR_CYPHER", nargs="?", help="a name from --list, or Cypher")
    parser.add_argument(
        "--param", action="append", default=[], metavar="K=V", help="value of $K, JSON or a text"
    )
    parser.add_argument(
        "--list",
        action="store_true",
        help="list the catalogue, or with a NAME what that query takes and gives",
    )
    parser.add_argument(
        "--write", action="store_true", help="let the Cypher change the database; it has no time limit"
    )
    add_timeout(parser)


def run(arguments: Namespace) -> int:
    """Answer the query, or list the catalogue."""
    from analysis.errors import MisuseError
    from graphdb.store import connect
    from queries import ask
    from queries.bind import literal
    from queries.catalogue import named

    if arguments.list:
        return _list(arguments)
    if not arguments.what:
        raise MisuseError("query needs a name or Cypher; `stratigraph query --list` shows the names")
    limit = seconds(arguments)
    free = ask.is_cypher(arguments.what)
    if arguments.write and not free:
        raise MisuseError("--write goes with Cypher; the queries of the catalogue only read")
    if arguments.write and arguments.timeout is not None:
        raise MisuseError(
            f"--timeout is {arguments.timeout:g} beside --write; expected one of the two: what changes the "
            "database has no time limit, so that it is never given up half-way"
        )
    columns = None if free else {column.name: column.kind for column in named(arguments.what).columns}
    pairs = [ask.split_param(text) for text in arguments.param]
    for at, (name, _) in enumerate(pairs):
        if name in dict(pairs[:at]):
            raise MisuseError(f"--param {name}=... is given twice; expected each parameter once")
    params = {name: literal(value) if free else value for name, value in pairs}
    with connect(arguments.db, write=arguments.write) as store:
        rows = ask.query(store, arguments.what, params, limit, arguments.write)
        if not rows and free and not arguments.write and arguments.format != "json":
            columns = dict.fromkeys(store.columns(arguments.what, params), "")
    if emit(arguments, rows, columns):
        return 0
    from rich.text import Text

    from queries.render import console, fitting, shortened, visible

    names = list(columns or (rows[0] if rows else ()))
    shown, site = shortened(rows, names)
    if names:
        console().print(fitting(shown, names))
    note = f" · features are those of {visible(site)}" if site else ""
    console().print(Text(f"{len(rows):,} row{'' if len(rows) == 1 else 's'}{note}", style="dim"))
    return 0


def _list(arguments: Namespace) -> int:
    from queries.catalogue import catalogue, named
    from queries.listing import LISTED, listed, show

    chosen = [named(arguments.what)] if arguments.what else list(catalogue().values())
    if not emit(arguments, [listed(query) for query in chosen], LISTED):
        show(chosen)
    return 0
