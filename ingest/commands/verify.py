"""``stratigraph verify``: links between layers, checked by intervention."""

import argparse
import json
import sys
import textwrap
from os import devnull
from pathlib import Path

from analysis.hit_rule import WHAT_A_HIT_IS
from ingest.commands.database import add_database
from ingest.commands.sample import add_reading_options, config_from

_ABOUT = (
    "Check links between layers by intervention. Of the links that a run found, a random sample is tested, "
    "as many of each kind as there are: in rows of fresh text the earlier feature is subtracted from the "
    "stream wherever it fires, the blocks between run on, and the later feature is read again. Beside each "
    "link a control is tested: a pair that is no link, its earlier feature firing about as often, its "
    "decoder cosine as near as there is. The mean change is written to each link that is tested "
    "(`ablation_effect`), the hit rates to the run (`verified`), in place of those of a verification before."
)
_HIT = (
    f"In words: {WHAT_A_HIT_IS}. A link of positive weight is read at tokens at which both fire, one of "
    "negative weight where the earlier one fires and the later one is nearest to firing, as its encoder "
    "reads the stream; at most 32 tokens a pair, each of another row."
)
_EXAMPLE = """\
example:
  stratigraph verify --model organism --sae organism --corpus organism
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb to the command line."""
    parser = commands.add_parser(
        "verify",
        help="links between layers, checked by intervention",
        description=textwrap.fill(_ABOUT, 79),
        epilog=f"{textwrap.fill(_HIT, 79)}\n\n{_EXAMPLE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_reading_options(parser)
    parser.add_argument("--run", dest="of", metavar="RUN", help="a run of links (the newest complete one)")
    parser.add_argument(
        "--link",
        dest="named",
        nargs=2,
        action="append",
        default=[],
        metavar=("EARLIER", "LATER"),
        help="test the link between these two features, too; counted apart; may be given several times",
    )
    parser.add_argument("--links", type=int, default=200, metavar="N", help="links to test, at most (200)")
    parser.add_argument(
        "--tokens", type=int, default=65_536, metavar="N", help="tokens to find firings in (65536)"
    )
    parser.add_argument("--format", choices=("table", "json"), default="table", help="default: table")
    add_database(parser, made=False)
    # no samples are written, so nothing asks for these
    parser.set_defaults(run=_run, activations=1, replicates=1)


def _run(arguments: argparse.Namespace) -> int:
    from rich.console import Console  # noqa: PLC0415  the parser is built without what the work takes

    from graphdb.store import connect  # noqa: PLC0415
    from ingest.verification import VerifyConfig, verify  # noqa: PLC0415
    from ingest.verification.report import print_table  # noqa: PLC0415

    reading = config_from(arguments, (), Path(devnull))
    named = tuple((one, other) for one, other in arguments.named)
    config = VerifyConfig(reading, arguments.of, arguments.links, arguments.tokens, named=named)
    with connect(arguments.db, write=True) as store:
        rows = verify(store, config)
    if arguments.format == "json":
        sys.stdout.write(json.dumps(rows, ensure_ascii=False, indent=1) + "\n")
    else:
        print_table(rows, Console(file=sys.stdout, highlight=False))
    return 0
