"""A database directory of ours: what it is, which engine it belongs to, and who uses it.

::

    graph.db/
        stratigraph-db.json   format, version, engine
        credentials.json      the passwords of the engine's users, mode 0600
        server.json           the ports of the server started last, whether and where `db up` keeps it
        server.pid            its process
        lock                  held while a server is started or stopped
        users                 held, shared, by every command that uses the server; without such a command, a
                              server that does not answer is ended and started again
        loading               held by a first load that goes the server's bulk way, shared by all other loads
        files.json            of ArcadeDB: what of it lay on disk when a command left last
        log/server.log        what it said since its start
        databases/ config/ backups/ or neo4j/   the engine's own

The locks are ``flock``: they die with the process that holds them.
"""

import fcntl
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from analysis.errors import DataError, MisuseError, StoreError

FORMAT, VERSION = "stratigraph-db", 1
USERS = {"arcadedb": ("root", "reader"), "neo4j": ("neo4j",)}
"""The users of each engine: the first writes, the last reads."""
STATE = "stratigraph-db.json"
_BEFORE_STATE = {"lock", "credentials.json", "credentials.json.new", f"{STATE}.new"}
"""What a creation that goes on, or was killed, may have left; everything else comes after the state file."""
_LOCK_SECONDS = 120.0
_SHOWN = 100


@dataclass(frozen=True)
class Directory:
    """A database directory.

    Parameters
    ----------
    path
        Absolute, links resolved.
    engine
        The server that its data belongs to.
    """

    path: Path
    engine: str

    @property
    def writer(self) -> str:
        """The user that writes."""
        return USERS[self.engine][0]

    @property
    def reader(self) -> str:
        """The user that reads; where it is also the writer, its sessions say that they only read."""
        return USERS[self.engine][-1]

    def password(self, user: str) -> str:
        """Return the password of `user`, one of the engine's."""
        try:
            return str(json.loads((self.path / "credentials.json").read_text())[user])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{self.path}: credentials.json cannot be read; without its passwords the database stays "
                "closed: restore that file, or remove the directory and load the graphs again"
            ) from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the right to start or stop this directory's server."""
        with _open(self.path / "lock") as file:
            _wait_for(file, self.path)
            yield

    def join(self) -> IO[bytes]:
        """Return an open file that counts as one user of the server until it is closed."""
        file = _open(self.path / "users")
        fcntl.flock(file, fcntl.LOCK_SH)
        return file

    @contextmanager
    def loading(self, first: Callable[[], bool]) -> Iterator[bool]:
        """Hold the right to load; yield whether alone: no other load is at work, and `first` says so.

        Waits for a load that holds it alone.
        """
        with _open(self.path / "loading") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                alone = first()
            except BlockingIOError:
                alone = False
            if not alone:
                fcntl.flock(file, fcntl.LOCK_SH)
            yield alone

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the right to take away, which loads might stand on; waits for loads that are at work."""
        with _open(self.path / "loading") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def in_use(self) -> bool:
        """Whether any command uses the server now."""
        with _open(self.path / "users") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            return False


def open_directory(where: str | Path) -> Directory:
    """Open a directory that is there.

    Raises
    ------
    MisuseError
        It is not there, or is not one of ours.
    DataError
        It is of another format version, or its state file is damaged.
    """
    path = _path(where)
    if not path.exists():
        raise MisuseError(
            f"there is no database at {where}; expected a directory made by `stratigraph load GRAPH_DIR --db "
            f"{where}`, or a URL such as bolt://localhost:7687"
        )
    state = path / STATE
    if not state.is_file():
        raise MisuseError(
            f"{where} is no database directory of stratigraph (it has no {STATE}); name another one"
        )
    try:
        value = json.loads(state.read_text())
        found = (value["format"], value["version"], value["engine"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{state} is damaged; expected the keys format, version and engine: restore the file, or "
            "remove the directory and load the graphs again"
        ) from error
    if found[:2] != (FORMAT, VERSION) or not isinstance(found[2], str) or found[2] not in USERS:
        raise DataError(
            f"{state} says format {found[0]!r}, version {found[1]!r}, engine {found[2]!r}; this stratigraph "
            f"reads {FORMAT!r}, version {VERSION}, engine {' or '.join(USERS)}: use the one that made it"
        )
    return Directory(path, found[2])


def create_directory(where: str | Path, engine: str = "arcadedb") -> Directory:
    """Open a directory, made with this engine if it is absent or empty; two commands may do so at once."""
    path = _path(where)
    try:
        # before the lock too: its file is not left in a directory that belongs to something else
        _refuse_others(path, where)
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with Directory(path, engine).locked():
            _refuse_others(path, where)
            if not (path / STATE).exists():
                passwords = {user: secrets.token_hex(16) for user in USERS[engine]}
                write_private(path / "credentials.json", json.dumps(passwords))
                state = {"format": FORMAT, "version": VERSION, "engine": engine}
                write_private(path / STATE, json.dumps(state, indent=2) + "\n")
    except OSError as error:
        raise StoreError(f"cannot make the database directory {where}: {error.strerror}") from error
    return open_directory(path)


def is_new(where: str | Path) -> bool:
    """Whether `create_directory` would make the database; what belongs to something else is refused."""
    path = _path(where)
    try:
        _refuse_others(path, where)
    except OSError as error:
        raise StoreError(f"cannot read the directory {where}: {error.strerror}") from error
    return not (path / STATE).exists()


def _path(where: str | Path) -> Path:
    """Return the absolute path that a person means; one that no file can have is refused."""
    try:
        path = Path(where).expanduser().resolve()
        path.exists()
    except (OSError, ValueError, RuntimeError) as error:
        name = str(where) if len(str(where)) <= _SHOWN else f"{str(where)[:_SHOWN]}…"
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise MisuseError(f"--db {name!r} cannot be a directory: {why}; name another one") from error
    return path


def _refuse_others(path: Path, where: str | Path) -> None:
    if not path.exists():
        return
    others = not path.is_dir() or {entry.name for entry in path.iterdir()} - _BEFORE_STATE
    # asked after the listing: another command may have made the database meanwhile
    if others and not (path / STATE).exists():
        raise MisuseError(
            f"{where} is there and is no database directory of stratigraph; name one that is absent"
        )


def write_private(path: Path, text: str) -> None:
    """Replace a file by `text` in one step, readable by its owner only."""
    fresh = path.with_name(path.name + ".new")
    try:
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        fresh.replace(path)
    except OSError as error:
        raise StoreError(
            f"cannot write {path}: {error.strerror}; the disk must be writable and have room"
        ) from error


def _open(path: Path) -> IO[bytes]:
    try:
        return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)
    except OSError as error:
        raise StoreError(
            f"cannot use the database directory {path.parent}: {error.strerror}; it must be writable"
        ) from error


def _wait_for(file: IO[bytes], path: Path) -> None:
    until = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > until:
                raise StoreError(
                    f"{path} has been held by another command for {_LOCK_SECONDS:.0f} s; "
                    "try again when it is done"
                ) from error
            time.sleep(0.02)
        else:
            return
