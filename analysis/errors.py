"""What can go wrong, as one tree.

::

    StratigraphError            a failure; the command exits with 1
    ├── MisuseError             the request itself cannot be met as put; the command exits with 2
    ├── DataError               a file or directory is not what it says it is
    └── StoreError              the database could not be reached, refused, or holds something else

Every message is one sentence (two where the remedy needs it): the value, what was expected, the remedy. It is
shown on one line whatever the value holds.
"""

_MOST, _END = 1500, 400
"""The most letters of a message, and how many of them are its end, with the remedy."""


class StratigraphError(Exception):
    """Any failure that a person is told about in a sentence."""

    exit_code: int = 1

    def __str__(self) -> str:
        """Return the message on one line: cut where it is too long, and without what moves a cursor."""
        text = super().__str__()
        shown = text if len(text) <= _MOST else f"{text[: _MOST - _END]}…{text[-_END:]}"
        return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in shown)


class MisuseError(StratigraphError):
    """The request cannot be met as put: an unknown name, a contradiction, a path that is not there."""

    exit_code: int = 2


class DataError(StratigraphError):
    """A file or directory does not hold what its format promises."""


class StoreError(StratigraphError):
    """The database is unreachable, refuses, is held by another process, or is not ours."""
