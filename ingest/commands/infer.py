"""``stratigraph infer``: a samples directory becomes a graph directory."""

import argparse
import math
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.errors import MisuseError

if TYPE_CHECKING:
    from ingest.inference import InferConfig
    from ingest.inference.stopping import Look

_AMOUNT = re.compile(r"(-?[0-9]*\.?[0-9]+(?:e-?[0-9]+)?)\s*(?:([tgm])b?)?", re.IGNORECASE)
"""A number, and the first letter of its unit."""

_GIGABYTES = {None: 1.0, "T": 1e3, "G": 1.0, "M": 1e-3}
"""What a unit is in GB; a bare number is one of GB."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is inferred and with what, without the directories."""
    parser.add_argument("--procedure", default="calibrated", help="calibrated or published (calibrated)")
    parser.add_argument(
        "--replicates", type=int, metavar="R", help="replicates to use (all that are present)"
    )
    parser.add_argument(
        "--stable",
        metavar="SHARE",
        help="end once two looks, after 5, 7, 10, 14 ... replicates, have this share of their kept edges "
        "in common, such as 0.95; needs at least 6 replicates (all replicates are used)",
    )
    parser.add_argument("--nulls", type=int, default=1, metavar="M", help="streams of null trials (1)")
    parser.add_argument(
        "--fdr", type=float, default=0.1, metavar="Q", help="level at which edges are kept (0.1)"
    )
    parser.add_argument("--tune", default="ebic", help="choice of the penalty: ebic, bic or cv (ebic)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of every random draw (0)")
    parser.add_argument("--threads", type=int, metavar="N", help="threads of the kernels (all)")
    parser.add_argument(
        "--memory",
        metavar="GB",
        help="keep within this much, such as 4, 4GB or 800MB (no limit); the first job on a machine compiles "
        "the kernels, which takes some 0.3 GB more that the budget does not know of",
    )
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda (auto)")


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb to the command line."""
    parser = commands.add_parser(
        "infer",
        help="samples to a dependence graph",
        description="Infer the dependence graph of one site from its samples. "
        "A killed job resumes at its last finished trial when the same command is given again, "
        "and a finished graph that does not read is put together again from its trials.",
        epilog="example: stratigraph infer samples/2 --out graphs/2 --replicates 12",
    )
    parser.add_argument("samples", type=Path, metavar="SAMPLES_DIR", help="a samples directory")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="GRAPH_DIR", help="the graph directory to make"
    )
    add_options(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from ingest.inference import Resources, infer  # noqa: PLC0415  numba is imported when it is needed
    from ingest.summary import graph_summary  # noqa: PLC0415

    resources = Resources(arguments.threads, memory_from(arguments.memory), arguments.device)
    config = config_from(arguments)
    if not infer(arguments.samples, arguments.out, config, resources, announce_look, announce_mending):
        sys.stderr.write(f"{arguments.out} is finished already\n")
    sys.stdout.write(graph_summary(arguments.out) + "\n")
    return 0


def config_from(arguments: argparse.Namespace) -> "InferConfig":
    """Make the configuration from parsed options."""
    from ingest.inference import InferConfig  # noqa: PLC0415

    return InferConfig(
        procedure=arguments.procedure,
        replicates=arguments.replicates,
        nulls=arguments.nulls,
        fdr=arguments.fdr,
        tune=arguments.tune,
        seed=arguments.seed,
        stable=_share_from(arguments.stable),
    )


def _share_from(text: str | None) -> float | None:
    """Read the value of ``--stable``; its range is the configuration's affair."""
    if text is None:
        return None
    try:
        return float(text)
    except ValueError as error:
        raise MisuseError(
            f"--stable is {text!r}; expected a number above 0 and at most 1, "
            "such as 0.95 for 95 % of the edges in common"
        ) from error


def memory_from(text: str | None) -> float | None:
    """Read the value of ``--memory`` in GB; its range is the resources' affair.

    Raises
    ------
    MisuseError
        It is no number, or has another unit than TB, T, GB, G, MB or M.
    """
    if text is None:
        return None
    found = _AMOUNT.fullmatch(text.strip())
    if found is None or math.isinf(float(found[1])):
        raise MisuseError(f"--memory is {text!r}; expected a number of GB, or one such as 4GB or 800MB")
    return float(found[1]) * _GIGABYTES[found[2] and found[2].upper()]


def announce_look(look: "Look") -> None:
    """Tell the user on stderr what a look at the kept edges saw."""
    from ingest.summary import rounded_down  # noqa: PLC0415

    share = (
        "" if look.in_common is None else f", {rounded_down(look.in_common)} in common with the look before"
    )
    sys.stderr.write(f"after {look.replicates} replicates: {look.kept:,} edges kept{share}\n")


def announce_mending(fault: str) -> None:
    """Tell the user on stderr why a finished graph is put together again."""
    sys.stderr.write(f"{fault}; the graph is put together again from its trials\n")
