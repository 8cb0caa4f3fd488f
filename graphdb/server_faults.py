"""What keeps the server of a directory from starting or answering, in one sentence each.

Some of it a server says when it is asked, and some only its log does.
"""

import shutil
from pathlib import Path

from analysis.errors import StoreError
from graphdb.directory import Directory
from graphdb.engines import engine_called

_LOG_HEAD = 1 << 18
"""Bytes of a log that hold all that a server says while it starts."""
_TAKEN = "another program took the port of the server of {path} while it started; run the command again"
_FULL = "the disk is full: the database server of {path} did not start; make room"
_ROOM = 4 << 20
"""Bytes of free disk below which no server starts or writes."""

_FAULTS = {
    "locked by another process": "{path} is held by a database server that this machine's stratigraph did "
    "not start (another container, or another program); stop that one first",
    "Address already in use": _TAKEN,
    "Unable to listen": _TAKEN,
    "No space left on device": _FULL,
    "Cannot allocate memory": "there is not enough memory for the database server of {path}; end something",
}
"""What the log of a server that does not start says, and what that means. ArcadeDB's process may stay."""


class PasswordError(Exception):
    """A server does not let us in with the password that we have."""


class UnopenedError(Exception):
    """A server runs and cannot open its database; the message is what it says of it."""


def log_file(directory: Directory) -> Path:
    """Return where the server on record writes what it has to say."""
    return directory.path / "log" / "server.log"


def why_not(directory: Directory, failure: StoreError | None = None) -> StoreError:
    """Return the sentence for a server that did not start; `failure` is what it says itself, if anything."""
    sentence = fault(said(directory))
    if is_full(directory):
        # the log ends where the room did
        sentence = _FULL
    if sentence is not None:
        return StoreError(sentence.format(path=directory.path))
    return failure or StoreError(
        f"the database server of {directory.path} did not start; {log_file(directory)} says why"
    )


def password_refused(directory: Directory) -> str:
    """Return the sentence for a server that does not take the password of its directory."""
    return (
        f"the server of {directory.path} refused the password in its credentials.json; restore that file, or "
        "remove the directory and load the graphs again"
    )


def is_full(directory: Directory) -> bool:
    """Whether the disk has no room for what a server writes."""
    return shutil.disk_usage(directory.path).free < _ROOM


def fault(text: str) -> str | None:
    """Return the sentence for what a log says, its ``{path}`` to be filled in; None if all is well."""
    return next((sentence for sign, sentence in _FAULTS.items() if sign in text), None)


def said(directory: Directory) -> str:
    """Return what the server on record said when it started."""
    try:
        with log_file(directory).open("rb") as log:
            return log.read(_LOG_HEAD).decode(errors="replace")
    except FileNotFoundError:
        return ""


def unopened(directory: Directory, said: object) -> str:
    """Return the sentence for a server that runs and cannot open its database."""
    log = directory.path / engine_called(directory.engine).log
    return (
        f"the server of {directory.path} cannot open its database ({said}); {log} says why: restore the "
        "directory from a copy, or remove it and load the graphs again"
    )
