"""The one way functions are compiled to machine code.

Compiled once a machine and cached beside the source; without fast-math, so that a sum is added in the order
written and a result does not depend on the number of threads.
"""

from collections.abc import Callable
from typing import TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., object])


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
