"""``stratigraph doctor``: what is installed and reachable, and how long a job would take here."""

import argparse
import json
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingest.doctor.finding import Finding

_NAME_WIDTH = 18


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb to the command line."""
    parser = commands.add_parser(
        "doctor",
        help="what is installed and reachable, and how long a job would take here",
        description="Look at what is installed, the machine and the database; with SAMPLES_DIR, run the "
        "kernels on a part of it for some ten seconds and estimate time and memory of infer on all of it; "
        "with two, of link from the first to the second.",
        epilog="example: stratigraph doctor samples/2 --threads 4",
    )
    parser.add_argument(
        "samples",
        type=Path,
        nargs="*",
        metavar="SAMPLES_DIR",
        help="estimate infer on these samples; of two, link from the earlier layer to the later",
    )
    parser.add_argument("--threads", type=int, metavar="N", help="threads of the kernels (all)")
    parser.add_argument("--procedure", default="calibrated", help="as for infer (calibrated)")
    parser.add_argument("--nulls", type=int, default=1, metavar="M", help="streams of null trials (1)")
    parser.add_argument("--replicates", type=int, metavar="R", help="replicates (all that are present)")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="default: table")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    if not arguments.samples:
        from ingest.doctor.installation import examine  # noqa: PLC0415  what it looks for is heavy

        findings = examine()
    elif len(arguments.samples) > 1:
        from ingest.doctor.link import foretell_link  # noqa: PLC0415  numba is imported when it is needed
        from ingest.linking import LinkConfig  # noqa: PLC0415

        findings = foretell_link(arguments.samples, LinkConfig(arguments.replicates), arguments.threads)
    else:
        from ingest.doctor.job import foretell  # noqa: PLC0415
        from ingest.inference.config import InferConfig, Resources  # noqa: PLC0415

        config = InferConfig(
            procedure=arguments.procedure, replicates=arguments.replicates, nulls=arguments.nulls
        )
        findings = foretell(arguments.samples[0], config, Resources(threads=arguments.threads))
    if arguments.format == "json":
        rows = [finding.to_json() for finding in findings]
        sys.stdout.write(json.dumps(rows, ensure_ascii=False, indent=1) + "\n")
    else:
        sys.stdout.write("".join(map(_line, findings)))
    return 0 if all(finding.fine for finding in findings) else 1


def _line(finding: "Finding") -> str:
    """Write one finding within 80 columns."""
    mark = " " if finding.fine else "!"
    return (
        textwrap.fill(
            finding.text,
            width=79,
            initial_indent=f"{mark} {finding.name:<{_NAME_WIDTH}}",
            subsequent_indent=" " * (_NAME_WIDTH + 2),
        )
        + "\n"
    )
