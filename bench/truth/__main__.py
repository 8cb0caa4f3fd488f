"""Report, for each procedure, nominal against true false discovery rate and power on planted families.

    python -m bench.truth                                      every reporting family
    python -m bench.truth --families trees ising --seeds 10
    python -m bench.truth --purpose tuning                     the families that settings may be chosen on

Prints a markdown table, a row a family and procedure, as soon as it is known; the procedures see the same
draws. "kept", "true share false" and "power" do not count the pairs that a family excludes. "screen recall"
and "chosen" are the shares of the planted edges that the screen and the regressions let through. Figures are
means over the seeds, with least and most in brackets.
"""

import argparse
import sys

import stratigraph
from bench.truth.catalogue import CATALOGUE
from bench.truth.procedure import PROCEDURES
from bench.truth.report import heading, row_of, scores_of

# Imported for its effect on how threads wait; see there.
assert stratigraph


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.truth",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = [entry.name for entry in CATALOGUE]
    parser.add_argument("--families", nargs="+", choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--purpose", choices=("tuning", "reporting"), default="reporting")
    parser.add_argument("--procedure", nargs="+", choices=PROCEDURES, default=list(PROCEDURES))
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--replicates", type=int, default=12)
    parser.add_argument("--tokens", type=int, default=16_000, help="tokens of a replicate")
    parser.add_argument("--features", type=int, default=2048)
    options = parser.parse_args()
    if not 1 <= options.seeds < 1000:
        parser.error(
            f"--seeds is {options.seeds}; expected 1 to 999, so that tuning and reporting share none"
        )
    chosen = [
        entry
        for entry in CATALOGUE
        if (entry.name in options.families if options.families else entry.purpose == options.purpose)
    ]
    print(heading())
    for entry in chosen:
        scores = scores_of(
            entry,
            {name: PROCEDURES[name] for name in options.procedure},
            options.seeds,
            options.replicates,
            options.tokens,
            options.features,
        )
        for name, found in scores.items():
            print(row_of(entry.name, name, found))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
