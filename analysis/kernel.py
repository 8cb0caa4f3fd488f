"""The one way functions are compiled to machine code.

Compiled once a machine and kept in the user's cache; without fast-math, so that a sum is added in the order
written and a result does not depend on the number of threads.

A compiled function holds the ones it calls as they were then, and numba looks only at the file of the
function itself. So the folder it is kept in is named by what all of the mathematics says: after any edit or
upgrade the kernels are compiled anew.
"""

import os
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., object])

_KEPT = 8
"""Folders of compiled kernels that are kept, the last used."""


def kernel(function: Function) -> Function:
    """Compile `function` for one thread."""
    return cast(Function, numba.njit(cache=True, nogil=True)(function))


def parallel_kernel(function: Function) -> Function:
    """Compile `function` with its ``numba.prange`` loops spread over the threads."""
    return cast(Function, numba.njit(cache=True, nogil=True, parallel=True)(function))


def use_threads(count: int | None) -> int:
    """Use `count` threads (all that there are for None) in parallel kernels; returns the number in use."""
    most = int(numba.config.NUMBA_NUM_THREADS)
    numba.set_num_threads(min(count or most, most))
    return int(numba.get_num_threads())


def cache_folder(sources: Path, caches: Path) -> Path:
    """Make the folder for what is compiled from `sources` as they are, and remove those long unused.

    Parameters
    ----------
    sources
        Folder with the sources, searched to any depth.
    caches
        Folder with a folder for each state of the sources.

    Raises
    ------
    OSError
        It cannot be written.
    """
    state = sha256()
    for file in sorted(sources.rglob("*.py")):
        state.update(f"{file.relative_to(sources)}\n".encode())
        state.update(file.read_bytes())
    folder = caches / state.hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    folder.touch()
    for old in sorted(caches.iterdir(), key=lambda path: path.stat().st_mtime)[:-_KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return folder


def _keep_apart() -> None:
    """Give numba the folder of these sources, unless the user names one or none can be made."""
    if "NUMBA_CACHE_DIR" in os.environ:
        return
    caches = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "stratigraph" / "kernels"
    try:
        folder = cache_folder(Path(__file__).parent, caches)
    except (OSError, RuntimeError):
        return
    os.environ["NUMBA_CACHE_DIR"] = str(folder)
    numba.config.reload_config()


_keep_apart()
