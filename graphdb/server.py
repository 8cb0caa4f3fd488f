"""The one server of a database directory: found if it runs, started if not, ended by its last user.

A command joins (`acquire`) under the directory's lock: it looks for the running server, starts one if there
is none, and counts as a user until it leaves. The last user to leave ends the server, unless `db up` keeps
it. A server left by a killed command is found by the next one, which then is its last user.
"""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO

from analysis.errors import StoreError
from graphdb import arcadedb
from graphdb.directory import Directory, write_private

Answers = Callable[[str, str, str, str], bool]
"""``answers(url, user, password, database)``: whether a server there lets us in and answers a question."""

_START_SECONDS, _ANSWER_SECONDS, _STOP_SECONDS = 90.0, 20.0, 15.0
_children: dict[int, "subprocess.Popen[bytes]"] = {}
"""Servers that this process started: they must be waited for when they end."""


@dataclass(frozen=True)
class Server:
    """A running server: its process, its ports on loopback, and whether it outlives its users."""

    pid: int
    bolt: int
    http: int
    keep: bool

    @property
    def url(self) -> str:
        """Address for the driver."""
        return f"bolt://127.0.0.1:{self.bolt}"


@dataclass
class Lease:
    """One user of a directory's server, until `release`."""

    directory: Directory
    server: Server
    _file: IO[bytes]

    def release(self) -> None:
        """Leave; the last one out ends the server."""
        if self._file.closed:
            return
        with self.directory.locked():
            self._file.close()
            server = _recorded(self.directory)
            if server is not None and not server.keep and not self.directory.in_use():
                _end(self.directory, server.pid)


def acquire(directory: Directory, answers: Answers, outlive: bool = False) -> Lease:
    """Join the directory's server, started if there is none; `outlive` keeps it when its users have left."""
    with directory.locked():
        file = directory.join()
        try:
            server = find(directory, answers) or _start(directory, answers, not outlive)
            if outlive:
                server = _keep(directory, server, True)
        except BaseException:
            file.close()
            raise
        return Lease(directory, server, file)


def find(directory: Directory, answers: Answers) -> Server | None:
    """Return the running server; one that does not answer is ended. Call under the directory's lock."""
    server = _recorded(directory)
    if server is None:
        return None
    if _wait_until_answers(directory, server, answers, _ANSWER_SECONDS):
        return server
    _end(directory, server.pid)
    return None


def running(directory: Directory) -> Server | None:
    """Return the server whose process is there, without asking it anything."""
    return _recorded(directory)


def end_if_unused(directory: Directory) -> bool:
    """End the server unless a command uses it, which then ends it when done; return whether it is gone."""
    with directory.locked():
        server = _recorded(directory)
        if server is None:
            return True
        _keep(directory, server, False)
        if directory.in_use():
            return False
        _end(directory, server.pid)
        return True


def _keep(directory: Directory, server: Server, outlive: bool) -> Server:
    changed = replace(server, keep=outlive)
    _record(directory, changed)
    return changed


def _start(directory: Directory, answers: Answers, briefly: bool) -> Server:
    log = directory.path / "log" / "server.log"
    log.parent.mkdir(exist_ok=True)
    bolt, http = _free_ports()
    (directory.path / "server.pid").unlink(missing_ok=True)
    command = arcadedb.command(directory, bolt, http, briefly)
    _record(directory, Server(0, bolt, http, False))
    with log.open("wb") as out:
        # a session of its own, so that Ctrl-C in the terminal reaches us and not the server
        child = subprocess.Popen(  # noqa: S603  our own command, no shell text from outside
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=directory.path,
            env=arcadedb.environment(),
            start_new_session=True,
        )
    _children[child.pid] = child
    server = Server(child.pid, bolt, http, False)
    try:
        if _wait_until_answers(directory, server, answers, _START_SECONDS):
            return server
    except BaseException:
        _end(directory, child.pid)
        raise
    _end(directory, child.pid)
    raise _why_not(directory, log)


def _why_not(directory: Directory, log: Path) -> StoreError:
    if arcadedb.held_elsewhere(log.read_text(errors="replace")):
        return StoreError(
            f"{directory.path} is held by a database server that this machine's stratigraph did not start "
            "(another container, or another program); stop that one first"
        )
    return StoreError(f"the database server of {directory.path} did not start; {log} says why")


def _wait_until_answers(directory: Directory, server: Server, answers: Answers, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until and _is_ours(directory, server.pid):
        # the port opens a moment before the database answers, and a refused connect is far cheaper
        if _port_open(server.bolt) and answers(
            server.url, "root", directory.password("root"), arcadedb.DATABASE
        ):
            return True
        time.sleep(0.05)
    return False


def _recorded(directory: Directory) -> Server | None:
    """Return the server on record if its process is alive and ours."""
    try:
        value = json.loads((directory.path / "server.json").read_text())
        pid = int((directory.path / "server.pid").read_text())
        server = Server(pid, int(value["bolt"]), int(value["http"]), bool(value["keep"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return server if _is_ours(directory, pid) else None


def _record(directory: Directory, server: Server) -> None:
    ports = {key: value for key, value in asdict(server).items() if key != "pid"}
    write_private(directory.path / "server.json", json.dumps(ports))


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
    return str(arcadedb.argument_file(directory)) in text


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
    (directory.path / "server.pid").unlink(missing_ok=True)


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1]), int(two.getsockname()[1])


def _port_open(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0
