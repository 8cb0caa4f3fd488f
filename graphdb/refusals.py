"""What a failure of the database means to the person who asked, in one sentence."""

from collections.abc import Mapping

_SHOWN = 300
_UNREACHABLE = (
    "ServiceUnavailable",
    "SessionExpired",
    "ConnectionRefusedError",
    "OSError",
    "IncompleteCommit",
    # what listens there speaks something else, or the name is none
    "BoltHandshakeError",
    "BoltProtocolError",
    "UnicodeError",
    "gaierror",
)
_LOST = "{address} cannot be reached; check the address and that the server runs"
_NO_TLS = (
    "{address} cannot be reached by an encrypted connection; check the address and that the server runs, or "
    "ask for bolt:// if it does not encrypt"
)
_FAILED = "{address} failed: {said}"
_OTHER = "{address} does not speak Bolt as Neo4j 5.23 and later do; check the address and version"
_LATE = "{address} did not have the answer within {limit}; narrow the question or raise --timeout"
_CONNECTED = "DeleteConnectedNode"
"""What ArcadeDB says of a node that has relationships before it looks whether anything may be deleted."""
_NO_DATABASE = ("Cannot open database", "Database does not exist")
"""What ArcadeDB says of a name that no database has or can have, as of a query not understood."""
_READ_ONLY = "{address} refused to write over a connection that only reads ({said}); add --write if meant"
_MAY_NOT_WRITE = (
    "{address} does not let this user write ({said}); NEO4J_USERNAME and NEO4J_PASSWORD must be those of one "
    "who may"
)

_BY_CODE: Mapping[str, str] = {
    "TimedOut": _LATE,
    "Timeout": _LATE,
    "Unauthorized": "{address} refused the user name or password; check NEO4J_USERNAME and NEO4J_PASSWORD",
    "AuthenticationRateLimit": "{address} refuses more attempts to log in for now; try again in a minute",
    "Forbidden": _READ_ONLY,
    "AccessMode": _READ_ONLY,
    "ReadOnly": "{address} is a database that is only read ({said}); name one that may be written to",
    "DatabaseNotFound": "{address} has no such database ({said}); check NEO4J_DATABASE",
    "ParameterMissing": "the query needs a parameter that was not given ({said}); add --param NAME=VALUE",
    "ConstraintValidation": "{address} refused a second node of the same id ({said}); MERGE it",
    "ClientError.Statement": "{address} does not understand the query: {said}",
}
"""By a part of the server's code; the first that fits counts. Both servers use the same codes."""


def explain(
    error: BaseException,
    address: str,
    timeout: float | None = None,
    *,
    reads: bool = False,
    trouble: str | None = None,
) -> str:
    """Return the sentence for an error of the driver.

    Parameters
    ----------
    error
        What the driver raised; its ``code`` is the server's, if it has one.
    address
        What the person gave as the database.
    timeout
        The limit of the question in seconds, if it had one.
    reads
        The connection only reads.
    trouble
        What is known to be wrong with a server of ours; the reason where its answer gives none.
    """
    code = str(getattr(error, "code", None) or "")
    said = shortened(str(getattr(error, "message", None) or error))
    limit = "the time limit" if timeout is None else f"{timeout:g} s"
    sentence = _FAILED
    if isinstance(error, TimeoutError):
        sentence = _LATE
    elif type(error).__name__ == "UnsupportedServerProduct":
        sentence = _OTHER
    elif any(sign in said for sign in _NO_DATABASE):
        sentence = _BY_CODE["DatabaseNotFound"]
    elif type(error).__name__ in _UNREACHABLE:
        sentence = _LOST
    elif reads and _CONNECTED in said:
        sentence = _READ_ONLY
    else:
        sentence = next((text for part, text in _BY_CODE.items() if part in code), sentence)
    if sentence == _READ_ONLY and not reads:
        sentence = _MAY_NOT_WRITE
    if trouble is not None and sentence in {_LOST, _FAILED}:
        return trouble
    if sentence == _LOST and "+s" in address.partition("://")[0]:
        sentence = _NO_TLS
    return sentence.format(address=address, said=said, limit=limit)


def only_reads(address: str, said: str) -> str:
    """Return the sentence for a write over a connection that only reads."""
    return _READ_ONLY.format(address=address, said=said)


def writes_unasked(address: str) -> str:
    """Return the sentence for a text of somebody else's where a connection that reads may write."""
    return (
        f"{address} is an ArcadeDB, which lets Cypher write over a connection that only reads; add --write "
        "if it may change the database, or ask a query of the catalogue, or the directory of that server"
    )


def shortened(text: str) -> str:
    """Return a server's message on one line, cut after a few hundred characters."""
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"
