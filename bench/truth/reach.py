"""Report what share of the planted edges the data could show to one who knows all the rest.

    python -m bench.truth.reach

For Ising modules and plain trees, whose laws are written out. Given the states ``s`` of the rest of its
module or tree a planted pair fires together at probability ``p11(s)`` rather than ``p1(s) p2(s)``; over ``n``
tokens that is

    excess   = n sum_s P(s) (p11 - p1 p2)
    variance = n sum_s P(s) p1 (1 - p1) p2 (1 - p2)

and its evidence is that of a Poisson count ``variance + excess`` of mean ``variance``, the test of
``analysis.conditional`` with the truth in place of estimates. An edge is within reach when
Benjamini-Hochberg over all pairs would keep it were every count what is expected of it. That is no bound, for
counts vary: but a procedure whose power is near it loses little that the data hold.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

import stratigraph
from analysis.activations import Float64
from analysis.calibrated import q_values
from analysis.poisson import evidence
from bench.truth.catalogue import CATALOGUE, FIRST_SEED
from bench.truth.forest import transitions
from bench.truth.ising import Ising
from bench.truth.procedure import FDR
from bench.truth.tree import Trees

# Imported for its effect on how threads wait; see there.
assert stratigraph


@dataclass(frozen=True)
class Group:
    """Features whose joint law is written out.

    Parameters
    ----------
    law : shape (2,) * size
        Probability of every state.
    edges
        Planted pairs, as places in the group.
    """

    law: Float64
    edges: tuple[tuple[int, int], ...]


def groups_of(family: Ising | Trees) -> Iterator[Group]:
    """Write out every module or tree."""
    if isinstance(family, Ising):
        for p, coupling in zip(family.probability, family.coupling, strict=True):
            # The first feature is the lowest bit of a state's number, so it is the last axis.
            law = p.reshape((2,) * family.size).transpose()
            yield Group(law, tuple((int(a), int(b)) for a, b in np.argwhere(coupling)))
        return
    forest = family.forest
    for root in np.unique(forest.tree[forest.parent >= 0]):
        # A parent comes before its children.
        members = [int(i) for level in forest.levels for i in level[forest.tree[level] == root]]
        place = {feature: k for k, feature in enumerate(members)}
        above = {place[i]: place[int(forest.parent[i])] for i in members[1:]}
        state = np.indices((2,) * len(members))
        law = np.where(state[0] > 0, forest.rate[root], 1 - forest.rate[root])
        for child, up in above.items():
            i, j = np.array([members[child]]), np.array([members[up]])
            rates = forest.rate[j].astype(np.float32), forest.rate[i].astype(np.float32)
            on, off = transitions(*rates, forest.strength[i], np.float32(1))
            fires = np.where(state[up] > 0, float(on[0]), float(off[0]))
            law = law * np.where(state[child] > 0, fires, 1 - fires)
        yield Group(np.asarray(law, np.float64), tuple(above.items()))


def within_reach(family: Ising | Trees, n: int) -> float:
    """Share of the planted edges that `n` tokens put within reach."""
    found = [evidence_of(group.law, a, b, n) for group in groups_of(family) for a, b in group.edges]
    q = q_values(np.exp(-np.abs(found)), family.features * (family.features - 1) // 2)
    return float((q <= FDR).mean())


def evidence_of(law: Float64, a: int, b: int, n: int) -> float:
    """Evidence of the expected count of one pair, the rest given."""
    p = np.moveaxis(law, (a, b), (0, 1)).reshape(2, 2, -1)
    rest = p.sum(axis=(0, 1))
    given = p / np.maximum(rest, np.finfo(np.float64).tiny)
    one, other = given[1].sum(axis=0), given[:, 1].sum(axis=0)
    excess = n * float((rest * (given[1, 1] - one * other)).sum())
    variance = n * float((rest * one * (1 - one) * other * (1 - other)).sum())
    return float(evidence(variance + excess, variance))


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
        if isinstance(family, Ising) or type(family) is Trees:
            share = within_reach(family, options.replicates * options.tokens)
            print(f"| {entry.name} | {len(family.edges()):,} | {share:.3f} |")


if __name__ == "__main__":
    main()
