"""``stratigraph link``: two samples directories of one pass become links in the database."""

import argparse
import sys
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.errors import MisuseError
from ingest.commands.database import add_database
from ingest.commands.infer import memory_from
from ingest.commands.work import add_work, key_of

if TYPE_CHECKING:
    from analysis.layer_links import LayerLinks
    from ingest.linking import LinkConfig, Pair

_EPILOG = """examples:
  stratigraph link samples/0 samples/1 --db graph.db
  stratigraph link --all samples --db graph.db"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb to the command line."""
    parser = commands.add_parser(
        "link",
        help="links from a layer to the next sampled one, into a database",
        description="Find on which features of a layer those of the next sampled one depend, and load the "
        "links: CARRIES where the earlier feature raises the later one and the residual stream passes at "
        "least half of that along, DRIVES elsewhere. Finished work stays in --work, so the same command "
        "resumes a killed job.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "samples", type=Path, nargs="+", metavar="SAMPLES_DIR", help="the earlier layer, and the later one"
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help="every pair of layers of one pass, below the one directory that is named",
    )
    parser.add_argument(
        "--replicates", type=int, metavar="R", help="replicates to use (all that are present)"
    )
    parser.add_argument(
        "--fdr", type=float, default=0.1, metavar="Q", help="level at which links are kept (0.1)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="part of the run's id; nothing is drawn (0)"
    )
    parser.add_argument("--threads", type=int, metavar="N", help="threads of the kernels (all)")
    parser.add_argument(
        "--memory", metavar="GB", help="keep within this much, such as 4, 4GB or 800MB (no limit)"
    )
    add_work(parser, "finished work")
    add_database(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from graphdb.commands.fetching import fetch_for  # noqa: PLC0415  what is slow to import waits until then
    from graphdb.load import is_much  # noqa: PLC0415
    from graphdb.load_links import load_links  # noqa: PLC0415
    from graphdb.store import connect  # noqa: PLC0415
    from ingest.commands.database import can_be_made  # noqa: PLC0415
    from ingest.inference import Resources  # noqa: PLC0415
    from ingest.linking import LinkConfig, link  # noqa: PLC0415
    from ingest.progress import progress  # noqa: PLC0415

    config = LinkConfig(arguments.replicates, arguments.fdr, arguments.seed)
    resources = Resources(arguments.threads, memory_from(arguments.memory))
    pairs = _pairs(arguments)
    with ExitStack() as held:
        # better known before the work than after it; an absent one is made when there is something to load
        if not can_be_made(arguments.db):
            held.enter_context(connect(arguments.db, write=True, create=True))
        found = [link(pair, arguments.work / _place(pair, config), config, resources) for pair in pairs]
        fetch_for(arguments.db)
        rows = sum(links.links.height + links.n_lower + links.n_upper for links in found)
        store = held.enter_context(connect(arguments.db, write=True, create=True, much=is_much(rows)))
        with progress("load", sum(links.links.height for links in found), unit="links") as advance:
            for links in found:
                load_links(store, links, advance)
    sys.stdout.write("".join(f"{_said(links)}\n" for links in found))
    return 0


def _pairs(arguments: argparse.Namespace) -> "list[Pair]":
    from ingest.linking import pair_of, pairs_in  # noqa: PLC0415

    named = arguments.samples
    if arguments.all:
        if len(named) != 1:
            raise MisuseError(
                f"--all takes one directory and {len(named)} are named; give the one above them"
            )
        return pairs_in(named[0])
    if len(named) != 2:
        raise MisuseError(
            f"{len(named)} samples directories are named; expected two, the earlier layer first, or --all DIR"
        )
    return [pair_of(*named)]


def _place(pair: "Pair", config: "LinkConfig") -> str:
    """Name a directory after the samples that are read and the configuration."""
    said = [*(str(side.path.resolve()) for side in (pair.lower, pair.upper)), asdict(config)]
    return f"links-{pair.name}-{key_of(said)}"


def _said(links: "LayerLinks") -> str:
    """Say what was found, in a few lines."""
    carries = links.of_kind("CARRIES").height
    negative = int((links.links["weight"] < 0).sum())
    exclude = (
        f"  {negative:,} of negative weight: given the rest, the later feature fires less where the\n"
        "  earlier one does, as features of different words do, too; fewer hold when tried\n"
    )
    return (
        f"run {links.run.id}: {links.lower.id} to {links.upper.id}\n"
        f"  {links.links.height:,} links kept at q <= {links.run.fdr:g} of "
        f"{links.left_out['pairs_tested']:,} "
        f"tested: {carries:,} CARRIES, {links.links.height - carries:,} DRIVES\n"
        f"{exclude if negative else ''}"
        f"  of the later layer {links.carried:,} features are carried and {links.made:,} made; "
        f"of the earlier {links.gone:,} are gone"
    )
