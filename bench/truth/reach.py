"""Report what share of the planted edges the data could show to one who knows all the rest.

    python -m bench.truth.reach

For the Ising families, whose law is written out. Given the states ``s`` of the rest of its module a coupled
pair fires together at probability ``p11(s)`` rather than ``p1(s) p2(s)``; over ``n`` tokens that is

    excess   = n sum_s P(s) (p11 - p1 p2)
    variance = n sum_s P(s) p1 (1 - p1) p2 (1 - p2)

and its evidence is that of a Poisson count ``variance + excess`` of mean ``variance``, the test of
``analysis.conditional`` with the truth in place of estimates. An edge is within reach when
Benjamini-Hochberg over all pairs would keep it were every count what is expected of it. That is no bound, for
counts vary: but a procedure whose power is near it loses little that the data hold.
"""

import argparse

import numpy as np

import stratigraph
from analysis.activations import Float64
from analysis.calibrated import q_values
from analysis.poisson import evidence
from bench.truth.catalogue import CATALOGUE, FIRST_SEED
from bench.truth.ising import Ising
from bench.truth.procedure import FDR

# Imported for its effect on how threads wait; see there.
assert stratigraph


def within_reach(family: Ising, n: int) -> float:
    """Share of the planted edges that `n` tokens put within reach."""
    found = [_evidence(family, m, a, b, n) for m, a, b in np.argwhere(family.coupling)]
    q = q_values(np.exp(-np.abs(found)), family.features * (family.features - 1) // 2)
    return float((q <= FDR).mean())


def _evidence(family: Ising, module: int, a: int, b: int, n: int) -> float:
    """Evidence of the expected count of one pair of a module, the rest given."""
    p = _by_the_rest(family, module, a, b)
    rest = p.sum(axis=(0, 1))
    given = p / rest
    one, other = given[1].sum(axis=0), given[:, 1].sum(axis=0)
    excess = n * float((rest * (given[1, 1] - one * other)).sum())
    variance = n * float((rest * one * (1 - one) * other * (1 - other)).sum())
    return float(evidence(variance + excess, variance))


def _by_the_rest(family: Ising, module: int, a: int, b: int) -> Float64:
    """Joint law of two features of a module and of the rest of it, shape (2, 2, 2 ** (size - 2))."""
    law = family.probability[module].reshape((2,) * family.size)
    # The first feature is the lowest bit of a state's number, so it is the last axis.
    moved = np.moveaxis(law, (family.size - 1 - a, family.size - 1 - b), (0, 1))
    return np.asarray(moved.reshape(2, 2, -1), np.float64)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.truth.reach",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--replicates", type=int, default=12)
    parser.add_argument("--tokens", type=int, default=16_000, help="tokens of a replicate")
    parser.add_argument("--features", type=int, default=2048)
    options = parser.parse_args()
    print("| family | true edges | within reach |\n|---|---:|---:|")
    for entry in CATALOGUE:
        family = entry.plant(FIRST_SEED[entry.purpose], options.features)
        if isinstance(family, Ising):
            share = within_reach(family, options.replicates * options.tokens)
            print(f"| {entry.name} | {len(family.edges()):,} | {share:.3f} |")


if __name__ == "__main__":
    main()
