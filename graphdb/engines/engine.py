"""What differs between the servers of directories: how one is started, and what it calls things."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from analysis.errors import StoreError
from graphdb.directory import Directory, write_private

if TYPE_CHECKING:
    import polars as pl

Advance = Callable[[int], None]
"""Called with the number of rows that were written since the last call."""
Fetched = Callable[[int], None]
"""Called with the number of files that have come since the last call."""


@dataclass(frozen=True)
class Ports:
    """Where a server listens, on loopback; `http` is 0 for an engine that needs only the one."""

    bolt: int
    http: int


@dataclass(frozen=True)
class Launch:
    """A Java runtime and the arguments that make it a server; some are secret."""

    java: Path
    arguments: tuple[str, ...]

    def write(self, file: Path) -> None:
        """Write the arguments for ``java @FILE``, readable by their owner only."""
        write_private(file, "".join(f"{_quoted(argument)}\n" for argument in self.arguments))


_ESCAPES = {"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\f": r"\f"}
"""What would end an argument in such a file, and how it is written there; backslashes first."""


class RefusedError(StoreError):
    """A server took a request of a bulk path and refused what it says."""


class Bulk(Protocol):
    """How a server makes many nodes and relationships of which none is there yet."""

    def make_types(self, kinds: tuple[str, ...]) -> None:
        """Make the types of relationships that are not there yet."""

    def nodes(self, label: str, table: "pl.DataFrame", advance: Advance) -> "pl.DataFrame":
        """Create a node for each row.

        Parameters
        ----------
        label
            Of all of them; one that has a constraint.
        table
            Its columns are the properties; ``id`` is among them.
        advance
            Called as they are made.

        Returns
        -------
        DataFrame
            ``id``, and ``record``: what `relationships` knows the node by, its ``elementId``.

        Raises
        ------
        RefusedError
            One is there already, or something else is wrong with them; some may have been made.
        StoreError
            The server went away.
        """

    def relationships(self, kind: str, table: "pl.DataFrame", advance: Advance) -> None:
        """Create a relationship for each row.

        Parameters
        ----------
        kind
            Of all of them; one that `make_types` made.
        table
            ``from`` and ``to``, records of nodes; all other columns are properties.
        advance
            Called as they are made.

        Raises
        ------
        RefusedError
            An end is not there, or something else is wrong with them; some may have been made.
        StoreError
            The server went away.
        """


def _quoted(argument: str) -> str:
    for letter, escape in _ESCAPES.items():
        argument = argument.replace(letter, escape)
    return f'"{argument}"'


@dataclass(frozen=True)
class Engine:
    """A kind of server.

    Parameters
    ----------
    name
        As in ``--engine`` and in the state file of a directory.
    database
        Name of the database on the server.
    listens
        What its log says when the Bolt port is its own; from then on a password may be sent there.
    log
        Where in the directory it writes what goes wrong with the database.
    read_seconds
        The longest that the server lets a question run; None where it keeps each question's own limit.
    launch
        ``launch(directory, ports, briefly)`` writes what the server needs. One that is there `briefly` starts
        faster and would answer more slowly in the long run.
    files
        How many files `fetch` brings or makes.
    fetching
        What a person is told meanwhile.
    fetched
        Whether what the server starts from is on this machine.
    fetch
        Brings it; of an engine that is installed with us, what it starts sooner with and works without.
    bulk
        ``bulk(directory, http port)`` is its way for first loads, if it has one while it runs.
    damage
        ``damage(directory)`` says what of its files is gone, in a few words, where its server would not.
    note
        ``note(directory)`` writes down what `damage` will look for.
    fill
        ``fill(directory, files)`` makes its database from the files of an export, if it can before it starts.
    """

    name: str
    database: str
    listens: str
    log: str
    read_seconds: float | None
    launch: Callable[[Directory, Ports, bool], Launch]
    files: int = 0
    fetching: str = ""
    fetched: Callable[[], bool] = lambda: True
    fetch: Callable[[Fetched], None] = lambda _: None
    bulk: Callable[[Directory, int], Bulk] | None = None
    damage: Callable[[Directory], str | None] = lambda _: None
    note: Callable[[Directory], None] = lambda _: None
    fill: Callable[[Directory, Path], None] | None = None


BRIEFLY = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""For a server that serves one command: without the second compiler ArcadeDB starts in 1.9 s of processor
time, not 3.0, and four layers of 512 features load in 6.4 s, not 11.2; Neo4j starts in 8 s, not 14 (two busy
cores)."""
