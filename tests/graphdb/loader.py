"""A process that loads a graph in children of its own, each of which may be killed at any moment.

It has everything imported, so that a child begins to load at once. Given a line, the path of a graph
directory, it starts a child and says its process id; when the child has ended it says how: a line each.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partialmethod
from pathlib import Path
from unittest import mock

from graphdb import load
from graphdb.engines import arcadedb_batch
from graphdb.graph_directory import read_graph
from graphdb.store import Store, connect

BATCH = 4
"""Rows of a statement or a request."""


class Loader:
    """Loads graph directories into one database, each in a process of its own."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def load(self, graph: Path, seconds: float | None = None) -> float:
        """Load a graph, or be killed after so many seconds; return how long it took."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{graph}\n")
        self._process.stdin.flush()
        child = int(self._process.stdout.readline())
        began = time.monotonic()
        if seconds is not None:
            time.sleep(seconds)
            os.kill(child, signal.SIGKILL)
        ended = int(self._process.stdout.readline())
        assert ended == 0 or (seconds is not None and ended == -signal.SIGKILL), ended
        return time.monotonic() - began


@contextmanager
def loader(address: str) -> Iterator[Loader]:
    """Yield a loader over a database."""
    command = [sys.executable, "-m", "tests.graphdb.loader", address]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Loader(process)


def main() -> None:
    """Load what standard input names."""
    Store.write_rows = partialmethod(Store.write_rows, batch=BATCH)  # type: ignore[assignment,method-assign]
    mock.patch.object(load, "BATCH", BATCH).start()
    mock.patch.object(arcadedb_batch, "_ROWS", BATCH).start()
    child = None
    for line in sys.stdin:
        if child is not None:
            os.waitpid(child, 0)
        child = os.fork()
        if not child:
            with connect(sys.argv[1], write=True, create=True) as store:
                load.load_graph(store, read_graph(Path(line.rstrip("\n"))))
            os._exit(0)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        # not forgotten before the next line, so that its id is nobody else's while it may still be killed
        ended = os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        assert ended is not None
        sys.stdout.write(f"{ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
