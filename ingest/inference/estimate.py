"""How long an inference will take: a cost model of two constants.

A trial visits ``n L0^2`` pairs of co-firings in the screen and fits ``F`` nodes. ``python -m bench.infer``
prints both constants of a machine; those here are good to a factor of about two on one of today.
"""

PAIR_SECONDS = 15e-9
"""Thread-seconds for one co-firing visited by the screen."""

NODE_SECONDS = 0.4e-3
"""Thread-seconds for one nodewise path of 30 penalties on up to 64 candidates."""

START_SECONDS = 15.0
"""Importing the libraries, loading the compiled kernels, and putting the graph together."""

LOADED_A_SECOND = 3000
"""Rows that a database takes in a second; measured on the default directory (docs/log.md)."""


def infer_seconds(tokens: int, l0: float, n_features: int, trials: int, threads: int) -> float:
    """Estimate the seconds for `trials` trials of `tokens` tokens each, `l0` features firing at a token."""
    trial = tokens * l0**2 * PAIR_SECONDS + n_features * NODE_SECONDS
    return START_SECONDS + trials * trial / max(1, threads)


def load_seconds(n_features: int) -> float:
    """Estimate the seconds to load a graph of `n_features` features with thirty stored edges each."""
    return 33 * n_features / LOADED_A_SECOND
