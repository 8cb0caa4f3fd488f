"""What can go wrong, as one tree.

::

    StratigraphError            a failure; the command exits with 1
    ├── MisuseError             the request itself cannot be met as put; the command exits with 2
    ├── DataError               a file or directory is not what it says it is
    └── StoreError              the database could not be reached, refused, or holds something else

Every message is one sentence (two where the remedy needs it): the value, what was expected, the remedy.
"""


class StratigraphError(Exception):
    """Any failure that a person is told about in a sentence."""

    exit_code: int = 1


class MisuseError(StratigraphError):
    """The request cannot be met as put: an unknown name, a contradiction, a path that is not there."""

    exit_code: int = 2


class DataError(StratigraphError):
    """A file or directory does not hold what its format promises."""


class StoreError(StratigraphError):
    """The database is unreachable, refuses, is held by another process, or is not ours."""
