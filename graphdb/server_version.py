"""Whether a server is new enough for the Cypher that is asked here.

``CALL (x) { ... }`` came with Neo4j 5.23; older servers refuse some of the queries as bad syntax. Every
server says what it is when a connection opens: ``Neo4j/5.26.31``, ``Neo4j/2025.10.1``, or of ArcadeDB the
version that its Cypher follows, ``Neo4j/5.26.0 compatible (ArcadeDB 26.10.2)``.
"""

import re

from analysis.errors import StoreError

OLDEST = (5, 23)
_VERSION = re.compile(r"Neo4j/(\d+)\.(\d+)")


def check_version(agent: str, address: str) -> None:
    """Refuse a server that is too old; one that does not say its version is let pass.

    Parameters
    ----------
    agent
        What the server says it is.
    address
        What the person gave as the database.

    Raises
    ------
    StoreError
        It is older than `OLDEST`.
    """
    found = _VERSION.match(agent)
    if found and tuple(map(int, found.groups())) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise StoreError(
            f"{address} is a {agent}; expected Neo4j {oldest} or later, whose Cypher the queries use: "
            "upgrade that server, or give --db a directory, which brings its own"
        )


def ignores_access_mode(agent: str) -> bool:
    """Say whether a server lets a user who may write do so in a session that is opened for reading."""
    return "ArcadeDB" in agent
