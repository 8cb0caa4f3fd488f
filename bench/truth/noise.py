"""Pure noise: features that depend on nothing."""

from dataclasses import dataclass

from bench.truth.tree import Trees


@dataclass(frozen=True)
class Noise(Trees):
    """No tree at all.

    Parameters
    ----------
    in_trees
        Share of the features that are in trees: none.
    """

    in_trees: float = 0.0
