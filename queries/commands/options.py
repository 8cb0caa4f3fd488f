"""What every asking verb has: which database, which format, where to."""

import os
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter, _SubParsersAction
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_SECONDS = 30.0
FORMATS = ("table", "json", "csv", "parquet")


def verb(
    commands: "_SubParsersAction[ArgumentParser]",
    name: str,
    about: str,
    example: str,
    run: Callable[[Namespace], int],
) -> ArgumentParser:
    """Add a verb with an example, the options of every verb, and the function that runs it."""
    parser = commands.add_parser(
        name,
        help=about,
        description=about[0].upper() + about[1:] + ".",
        epilog=f"example:\n  {example}",
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--db",
        metavar="URL",
        default=os.environ.get("STRATIGRAPH_DB") or "graph.db",
        help="database directory, or bolt://HOST:PORT (default: $STRATIGRAPH_DB, else ./graph.db)",
    )
    parser.add_argument("--format", choices=FORMATS, default="table", help="default: table")
    parser.add_argument("--output", metavar="FILE", help="write json, csv or parquet there instead of stdout")
    parser.set_defaults(run=run)
    return parser


def add_timeout(parser: ArgumentParser) -> None:
    """Add the time limit of an answer."""
    parser.add_argument(
        "--timeout", type=float, metavar="S", help=f"seconds until it is given up (default: {_SECONDS:g})"
    )


def seconds(arguments: Namespace) -> float:
    """Return the time limit that was asked for."""
    if arguments.timeout is None:
        return _SECONDS
    from graphdb.time_limit import check_time_limit  # noqa: PLC0415  the parser is built without it

    return check_time_limit(float(arguments.timeout), "--timeout")


def emit(
    arguments: Namespace,
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[str] | Mapping[str, str] | None,
) -> bool:
    """Write rows in the format asked for; False if that is a table, which the verb draws itself.

    `columns` names the columns, or gives the kind of each as the catalogue does.
    """
    if arguments.format == "table":
        if arguments.output is not None:
            from analysis.errors import MisuseError  # noqa: PLC0415  the parser is built without it

            raise MisuseError("--output FILE goes with --format json, csv or parquet")
        return False
    from queries import output  # noqa: PLC0415

    output.write(rows, columns, arguments.format, arguments.output)
    return True


def note(text: str) -> None:
    """Say something beside the answer, on stderr."""
    sys.stderr.write(text + "\n")
