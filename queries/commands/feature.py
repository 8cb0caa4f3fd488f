"""``stratigraph feature``: what a feature fires on, and what it depends on."""

# ruff: noqa: PLC0415  the parser is built for every command; what answers is imported when it runs

from argparse import ArgumentParser, Namespace, _SubParsersAction

from queries.commands.options import emit, verb

_STRONGEST, _MOST_LINKS = 8, 10


def add(commands: "_SubParsersAction[ArgumentParser]") -> None:
    """Add the verb."""
    parser = verb(
        commands,
        "feature",
        "show a feature: what it fires on, how often, and its strongest neighbours",
        "stratigraph feature gpt2-small/8-res-jb/14057 --db graph.db",
        run,
    )
    parser.add_argument("feature", metavar="FEATURE", help="MODEL/SOURCE/INDEX")
    parser.add_argument(
        "--run", dest="of", metavar="RUN", help="default: the newest complete run of the site"
    )


def run(arguments: Namespace) -> int:
    """Show the feature."""
    from graphdb.store import connect
    from queries.around import links
    from queries.features import FEATURE_COLUMNS, feature
    from queries.neighbors import neighbors

    near, linked = [], []
    with connect(arguments.db) as store:
        row = feature(store, arguments.feature, arguments.of)
        if arguments.format == "table":
            near = neighbors(store, arguments.feature, arguments.of, limit=_STRONGEST)
            linked = links(store, arguments.feature, limit=_MOST_LINKS)
    if emit(arguments, [row], FEATURE_COLUMNS):
        return 0
    from queries.views import show_feature

    show_feature(row, near, linked)
    return 0
