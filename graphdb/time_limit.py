"""Which time limits a question may have: such that somebody could mean them, and servers can keep them."""

from analysis.errors import MisuseError

LEAST, MOST = 0.001, 7 * 24 * 3600.0
"""Seconds. Neo4j counts its limits in milliseconds and takes 0 for none."""


def check_time_limit(seconds: float, name: str = "the time limit") -> float:
    """Return a limit that is one.

    Raises
    ------
    MisuseError
        It is not from `LEAST` to `MOST`.
    """
    if not LEAST <= seconds <= MOST:
        raise MisuseError(f"{name} is {seconds:g}; expected {LEAST:g} to {MOST:,.0f} seconds")
    return seconds
