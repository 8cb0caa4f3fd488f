"""The one server of a database directory: found if it runs, started if not, ended by its last user.

A command joins (`acquire`) under the directory's lock: it looks for the running server, starts one if there
is none, and counts as a user until it leaves. The last user to leave ends the server, unless `db up` keeps
it. A server left by a killed command is found by the next one, which then is its last user.

What to start, and how its database is called, is the engine's (`graphdb.engines`); everything here is the
same for each.
"""

import atexit
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import IO

from analysis.errors import DataError, StoreError
from graphdb.directory import Directory, write_private
from graphdb.engines import engine_called
from graphdb.engines.engine import Engine, Launch, Ports
from graphdb.engines.java import environment
from graphdb.server_faults import (
    PasswordError,
    UnopenedError,
    fault,
    is_full,
    log_file,
    password_refused,
    said,
    unopened,
    why_not,
)

Answers = Callable[[str, str, str, str], bool]
"""``answers(url, user, password, database)``: whether a server there lets us in and answers a question.

Raises `PasswordError` or `UnopenedError` where it will not, however long it is waited for."""

_START_SECONDS, _ANSWER_SECONDS, _STOP_SECONDS = 90.0, 20.0, 15.0
_GOING_SECONDS = 2.0
"""How long a process that was killed may still be on record after its connections broke."""
_children: dict[int, "subprocess.Popen[bytes]"] = {}
"""Servers that this process started: they must be waited for when they end."""
_leases: list["Lease"] = []
"""Those that were not released yet; what a program forgets to close is released when it ends."""


@dataclass(frozen=True)
class Server:
    """A running server: its process, its ports on loopback, and whether it outlives its users.

    `port` is where a person wants it to listen, if anywhere: what starts it again does so there.
    """

    pid: int
    bolt: int
    http: int
    keep: bool
    port: int | None = None

    @property
    def url(self) -> str:
        """Address for the driver."""
        return f"bolt://127.0.0.1:{self.bolt}"


@dataclass(eq=False)
class Lease:
    """One user of a directory's server, until `release` or the end of the process."""

    directory: Directory
    server: Server
    _file: IO[bytes]

    def __post_init__(self) -> None:
        # not when it is collected, which may be while the directory is locked
        _leases.append(self)

    @property
    def engine(self) -> Engine:
        """What kind of server it is."""
        return engine_called(self.directory.engine)

    def release(self) -> None:
        """Leave; the last one out ends the server."""
        if self._file.closed:
            return
        with suppress(ValueError):
            _leases.remove(self)
        with self.directory.locked():
            self._file.close()
            server = running(self.directory)
            if server is not None and not server.keep and not self.directory.in_use():
                _end(self.directory, server.pid)
            # a disk that is full is for the work to say, which is done
            with suppress(StoreError):
                self.engine.note(self.directory)


@atexit.register
def _release_all() -> None:
    """Release what is still open."""
    for lease in tuple(_leases):
        # there is nobody left to be told
        with suppress(StoreError):
            lease.release()


# a process that is forked from one that uses servers uses none of them itself
os.register_at_fork(after_in_child=_leases.clear)


def acquire(
    directory: Directory,
    answers: Answers,
    outlive: bool = False,
    port: int | None = None,
    much: bool = False,
) -> Lease:
    """Join the directory's server, started if there is none.

    Parameters
    ----------
    directory
        Whose server.
    answers
        How to see that it is ready.
    outlive
        Keep it when its users have left.
    port
        Where it must listen; None for wherever it does or, if it was kept and has died, did, else a free one.
    much
        There is much to do: one that has to be started takes the time to compile what it does often.

    Raises
    ------
    DataError
        Files of the database are gone.
    StoreError
        It does not start, listens on another port, is busy for others, or the directory is held by a server
        that is not ours.
    """
    with directory.locked():
        _check_whole(directory)
        # looked for before we are a user, so that only others are
        found = find(directory, answers)
        file = directory.join()
        try:
            # one that was to outlive its users and was killed is started to outlive them again, where it was
            kept, wanted = _kept(directory)
            outlive, port = outlive or kept, port or (wanted if kept else None)
            server = found or _start(
                directory, answers, not (outlive or much), port or _left(directory, kept)
            )
            if port not in {None, server.bolt}:
                raise StoreError(  # noqa: TRY301  the file is closed on any failure
                    f"the server of {directory.path} runs already, on port {server.bolt}; "
                    f"`stratigraph db down` ends it, to start one on {port}"
                )
            if outlive and (not server.keep or server.port != port):
                server = _keep(directory, server, True, port)
        except BaseException:
            file.close()
            raise
        return Lease(directory, server, file)


def _check_whole(directory: Directory) -> None:
    """Refuse a database of which the server would say that there is nothing, since its files are gone."""
    damage = engine_called(directory.engine).damage(directory)
    if damage is not None:
        raise DataError(
            f"the database in {directory.path} is damaged: {damage}; restore the directory from a copy, or "
            "remove it and load the graphs again"
        )


def find(directory: Directory, answers: Answers) -> Server | None:
    """Return the running server; one that does not answer and that nobody uses is ended, unless it is kept.

    Call under the directory's lock, before joining.

    Raises
    ------
    StoreError
        It does not let us in or cannot open its database, or it does not answer, and a command uses it or it
        is kept for others.
    """
    server = running(directory)
    if server is None:
        return None
    try:
        if _wait_until_answers(directory, server, answers, _ANSWER_SECONDS):
            return server
    except StoreError:
        if not (server.keep or directory.in_use()):
            _end(directory, server.pid)
        raise
    # a server that went away meanwhile keeps nobody from starting another
    if directory.in_use() and running(directory) is not None:
        raise StoreError(
            f"the server of {directory.path} is busy for another command and did not answer within "
            f"{_ANSWER_SECONDS:g} s; run the command again when that one is done"
        )
    if server.keep and running(directory) is not None:
        raise StoreError(
            f"the server of {directory.path}, which is kept for whoever asks it, did not answer within "
            f"{_ANSWER_SECONDS:g} s; run the command again, or end it with "
            f"`stratigraph db down --db {directory.path}`"
        )
    _end(directory, server.pid)
    return None


def running(directory: Directory) -> Server | None:
    """Return the server on record if its process is alive and ours, without asking it anything."""
    try:
        value = json.loads((directory.path / "server.json").read_text())
        pid = int(_pid_file(directory).read_text())
        server = Server(pid, int(value["bolt"]), int(value["http"]), bool(value["keep"]), value.get("port"))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return server if _is_ours(directory, pid) else None


def started(directory: Directory) -> datetime:
    """Return when the server on record was started, in local time."""
    return datetime.fromtimestamp(_pid_file(directory).stat().st_mtime).astimezone()


def trouble(directory: Directory, lost: bool = False) -> str | None:
    """Return the sentence for a disk that is full, or for a server that has gone; None if neither is so.

    Where the connection to it was `lost`, a process that is still there is given a moment to end.
    """
    again = "run the command again, what was finished is kept"
    if is_full(directory):
        return f"the disk of {directory.path} is full; make room and {again}"
    until = time.monotonic() + (_GOING_SECONDS if lost else 0.0)
    while running(directory) is not None and time.monotonic() < until:
        time.sleep(0.02)
    if running(directory) is None:
        return f"the server of {directory.path} went away ({log_file(directory)} may say why); {again}"
    return None


def lost(directory: Directory) -> int | None:
    """Return the process on record that is there no longer, though nobody stopped it."""
    with directory.locked():
        if running(directory) is not None:
            return None
        try:
            return int(_pid_file(directory).read_text())
        except (OSError, ValueError):
            return None


def forget_lost(directory: Directory) -> None:
    """Take a process that is there no longer off the record."""
    with directory.locked():
        if running(directory) is None:
            _pid_file(directory).unlink(missing_ok=True)
            _keep_no_longer(directory)


def end_if_unused(directory: Directory) -> bool:
    """End the server unless a command uses it, which then ends it when done; return whether it is gone."""
    with directory.locked():
        server = running(directory)
        if server is None:
            _keep_no_longer(directory)
            return True
        _keep(directory, server, False)
        if directory.in_use():
            return False
        _end(directory, server.pid)
        return True


def _pid_file(directory: Directory) -> Path:
    return directory.path / "server.pid"


def _argument_file(directory: Directory) -> Path:
    """Return where the server's arguments stand; the name in a command line tells that a process is ours."""
    return directory.path / "server.args"


def _kept(directory: Directory) -> tuple[bool, int | None]:
    """Say whether the server on record, running or not, is to outlive its users, and on which port."""
    try:
        value = json.loads((directory.path / "server.json").read_text())
        return bool(value["keep"]), value.get("port")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False, None


def _left(directory: Directory, kept: bool) -> int | None:
    """Return the port that a server which was kept has left, if it is free."""
    if not kept:
        return None
    with suppress(OSError, ValueError, KeyError, TypeError), socket.socket() as tried:
        port = int(json.loads((directory.path / "server.json").read_text())["bolt"])
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tried.bind(("127.0.0.1", port))
        return port or None
    return None


def _keep_no_longer(directory: Directory) -> None:
    """Forget that a server which is gone was to outlive its users."""
    if _kept(directory)[0]:
        _record(directory, Ports(0, 0), False)


def _keep(directory: Directory, server: Server, outlive: bool, port: int | None = None) -> Server:
    changed = replace(server, keep=outlive, port=port)
    _record(directory, Ports(server.bolt, server.http), outlive, port)
    return changed


def _start(directory: Directory, answers: Answers, briefly: bool, port: int | None) -> Server:
    ports = _free_ports(port)
    try:
        child = _spawn(directory, ports, briefly)
    except OSError as error:
        raise StoreError(
            f"cannot start the database server of {directory.path}: {error.strerror}; the directory must be "
            "writable and have room"
        ) from error
    _children[child.pid] = child
    server = Server(child.pid, ports.bolt, ports.http, False)
    try:
        if _wait_until_answers(directory, server, answers, _START_SECONDS, starting=True):
            return running(directory) or server
    except StoreError as failure:
        _end(directory, child.pid)
        raise why_not(directory, failure) from failure
    except BaseException:
        _end(directory, child.pid)
        raise
    _end(directory, child.pid)
    raise why_not(directory)


def _spawn(directory: Directory, ports: Ports, briefly: bool) -> "subprocess.Popen[bytes]":
    log = log_file(directory)
    log.parent.mkdir(exist_ok=True)
    _pid_file(directory).unlink(missing_ok=True)
    launch = engine_called(directory.engine).launch(directory, ports, briefly)
    launch.write(_argument_file(directory))
    # whoever starts it may be killed meanwhile: what was kept stays so
    _record(directory, ports, *_kept(directory))
    with log.open("wb") as out:
        # a session of its own, so that Ctrl-C in the terminal reaches us and not the server
        return subprocess.Popen(  # noqa: S603  our own command, no shell text from outside
            _command(directory, launch),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=directory.path,
            env=environment(),
            umask=0o077,
            start_new_session=True,
        )


def _command(directory: Directory, launch: Launch) -> list[str]:
    """Return a command that writes its process id and then becomes the server.

    So the id is on disk before the server can take the database, whatever happens to who started it.
    """
    script = 'echo $$ > "$0" && exec "$1" "@$2"'
    return [
        "/bin/sh",
        "-c",
        script,
        *map(str, (_pid_file(directory), launch.java, _argument_file(directory))),
    ]


def _wait_until_answers(
    directory: Directory, server: Server, answers: Answers, seconds: float, starting: bool = False
) -> bool:
    """Wait until a server answers; return whether it does.

    Raises
    ------
    StoreError
        It will not, however long it is waited for.
    """
    until = time.monotonic() + seconds
    while time.monotonic() < until and _is_ours(directory, server.pid):
        text = said(directory)
        # the port opens a moment before the database answers
        if engine_called(directory.engine).listens in text and _lets_in(directory, server, answers):
            return True
        if starting and fault(text):
            return False
        time.sleep(0.05)
    return False


def _lets_in(directory: Directory, server: Server, answers: Answers) -> bool:
    user, database = directory.writer, engine_called(directory.engine).database
    try:
        return answers(server.url, user, directory.password(user), database)
    except PasswordError as error:
        raise StoreError(password_refused(directory)) from error
    except UnopenedError as error:
        raise StoreError(unopened(directory, error)) from error


def _record(directory: Directory, ports: Ports, keep: bool, port: int | None = None) -> None:
    text = json.dumps({"bolt": ports.bolt, "http": ports.http, "keep": keep, "port": port})
    write_private(directory.path / "server.json", text)


def _is_ours(directory: Directory, pid: int) -> bool:
    """Whether process `pid` is alive and was started over this directory (ids are used again by others)."""
    child = _children.get(pid)
    if child is not None:
        return child.poll() is None
    try:
        text = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="surrogateescape")
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return False
        ps = ["/bin/ps", "-p", str(pid), "-o", "args="]
        text = subprocess.run(ps, capture_output=True, text=True, check=False).stdout  # noqa: S603  fixed words
    return str(_argument_file(directory)) in text


def _end(directory: Directory, pid: int) -> None:
    for kind in (signal.SIGTERM, signal.SIGKILL):
        if not _is_ours(directory, pid):
            break
        with suppress(ProcessLookupError):
            os.kill(pid, kind)
        until = time.monotonic() + _STOP_SECONDS
        while time.monotonic() < until and _is_ours(directory, pid):
            time.sleep(0.02)
    child = _children.pop(pid, None)
    if child is not None:
        child.wait(_STOP_SECONDS)
    _pid_file(directory).unlink(missing_ok=True)


def check_port(port: int | None) -> None:
    """Refuse a port that is asked for and cannot be used.

    Raises
    ------
    StoreError
        Another listens there, or it is not for this user.
    """
    _free_ports(port)


def _free_ports(bolt: int | None) -> Ports:
    with socket.socket() as one, socket.socket() as two:
        # a port whose last connections are still being forgotten by the system is free
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", bolt or 0))
        except OSError as error:
            raise StoreError(
                f"port {bolt} cannot be used ({error.strerror}); give another --port, or none for a free "
                "one; `stratigraph db down` forgets the port of a server that was kept"
            ) from error
        two.bind(("127.0.0.1", 0))
        return Ports(int(one.getsockname()[1]), int(two.getsockname()[1]))
