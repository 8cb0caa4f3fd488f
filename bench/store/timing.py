"""How long answers take, and how that is printed."""

import time
from collections.abc import Callable, Sequence

import numpy as np


def answer_times(ask: Callable[[str], object], features: Sequence[str], warm: int = 50) -> list[float]:
    """Milliseconds of each answer, after a warm-up."""
    for feature in features[:warm]:
        ask(feature)
    found = []
    for feature in features:
        began = time.perf_counter()
        ask(feature)
        found.append(1e3 * (time.perf_counter() - began))
    return found


def say(what: str, milliseconds: list[float], bare: list[float] | None = None) -> None:
    """Print median, 95th percentile and most; beside the barest question where there is one."""
    median, high, most = np.median(milliseconds), np.quantile(milliseconds, 0.95), max(milliseconds)
    against = "" if bare is None else f"  {median / np.median(bare):5.2f} of the barest at the median"
    print(f"{what:<36} median {median:7.1f}  p95 {high:7.1f}  most {most:7.1f} ms{against}")
