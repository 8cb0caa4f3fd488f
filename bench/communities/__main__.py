"""Measure communities: against planted classes on the small model, and by time and memory at size.

    python -m bench.communities demo                   the small model, from what `make demo` leaves
    python -m bench.communities --stack                26 layers x 16,384 features, 2M edges, 1M links
    python -m bench.communities --stack --layers 4 --features 4096 --edges 80000 --links 40000
    python -m bench.communities demo --db graph.db     with the links of a database, once it has some

Prints markdown tables. AMI is adjusted mutual information.
"""

import argparse
from pathlib import Path

import stratigraph
from bench.communities.tables import coupling_table, organism_tables, stack_table, stand_in_table

# Imported for its effect on how threads wait; see there.
assert stratigraph


def main() -> None:
    """Print the tables that were asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.communities",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("work", type=Path, nargs="?", help="directory that `make demo` leaves")
    parser.add_argument("--db", help="a database with the demo's calibrated graphs and links between them")
    parser.add_argument("--stack", action="store_true", help="a planted stack, for time and memory")
    parser.add_argument("--layers", type=int, default=26)
    parser.add_argument("--features", type=int, default=16_384, help="of a layer")
    parser.add_argument("--edges", type=int, default=2_000_000, help="in all")
    parser.add_argument("--links", type=int, default=1_000_000, help="in all")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.work is None and not options.stack:
        parser.error("nothing to measure; name the demo's directory, or add --stack")
    if options.work is not None:
        organism_tables(options.work, options.seed)
        stand_in_table(options.work, options.seed)
    if options.db is not None:
        if options.work is None:
            parser.error("--db needs the demo's directory too, for the planted classes")
        coupling_table(options.work, options.db, options.seed)
    if options.stack:
        stack_table(options.layers, options.features, options.edges, options.links, options.seed)


if __name__ == "__main__":
    main()
