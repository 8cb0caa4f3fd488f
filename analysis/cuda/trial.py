"""One trial of the published procedure on a device, and several with the host working ahead.

The result is that of ``analysis.published.published_trial``, of the same type, up to rounding: correlations
and coefficients come from the same moments by sums in another order, so the last bits of weights differ
between the CPU's kernels and a device, and two candidates whose |r| agree to twelve digits may change places.
On one device the same input gives the same bytes.

What stays on the host: the moments of the columns, for the same bits, and cross-validation (``--tune cv``).
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from itertools import islice

import numba
import torch

from analysis.activations import Columns
from analysis.columns import Moments, moments_of
from analysis.cuda.edges import mutual_edges_on
from analysis.cuda.entries import entries_of
from analysis.cuda.nodewise import nodewise_on
from analysis.cuda.screen import screen_on
from analysis.cuda.workspace import workspace_on
from analysis.kernel import use_threads
from analysis.nodewise import nodewise
from analysis.published import PublishedSettings
from analysis.trial import Trial, concluded


def trial_on(
    device: torch.device, columns: Columns, settings: PublishedSettings, memory: int | None = None
) -> Trial:
    """Run one trial on one replicate (or on a shuffled one).

    Parameters
    ----------
    device
        Where; ``cpu`` runs the same steps in torch, slowly.
    columns
        One replicate by feature, on the host.
    settings
        Of the procedure.
    memory
        Bytes for the work on the device, beyond the activations (28 bytes an entry, 60 while they are
        brought there) and the lists of candidates (some 40 bytes each); None takes 60 % of what is free
        on a GPU, 1 GiB elsewhere.
    """
    return _trial_on(device, columns, moments_of(columns), settings, memory)


def trials_on(
    device: torch.device,
    sources: Iterable[Callable[[], Columns]],
    settings: PublishedSettings,
    memory: int | None = None,
) -> Iterator[Trial]:
    """Run one trial after another; while one is on the device the host makes the next one's columns.

    Parameters
    ----------
    sources
        What makes the columns of each trial: reads a replicate, say, and shuffles it. Called one at a time,
        in a thread of its own; each may use all of the CPU's cores.
    """
    if settings.path.tune == "cv":
        # The host has the larger part of the work then, and does one thing at a time.
        for source in sources:
            yield trial_on(device, source(), settings, memory)
        return

    def prepared(source: Callable[[], Columns]) -> tuple[Columns, Moments]:
        columns = source()
        return columns, moments_of(columns)

    waiting = iter(sources)
    # The number of numba's threads is set for each thread that calls a kernel.
    with ThreadPoolExecutor(1, initializer=use_threads, initargs=(numba.get_num_threads(),)) as ahead:
        ready = [ahead.submit(prepared, source) for source in islice(waiting, 1)]
        while ready:
            columns, moments = ready.pop().result()
            ready = [ahead.submit(prepared, source) for source in islice(waiting, 1)]
            yield _trial_on(device, columns, moments, settings, memory)


def _trial_on(
    device: torch.device,
    columns: Columns,
    moments: Moments,
    settings: PublishedSettings,
    memory: int | None,
) -> Trial:
    frequent = moments.count >= settings.min_activations
    part = frequent & (moments.deviation > 0)
    with torch.cuda.device(device) if device.type == "cuda" else nullcontext():
        entries = entries_of(columns, moments, part, device)
        workspace = workspace_on(device, memory)
        candidates = screen_on(entries, workspace, settings.q, settings.candidates)
        if settings.path.tune == "cv":
            fits = nodewise(columns, moments, candidates, settings.path)
        else:
            fits = nodewise_on(entries, candidates, settings.path, workspace)
        edges = mutual_edges_on(device, candidates.feature, candidates.correlation, fits.coefficient)
        return concluded(frequent, part, candidates, fits, edges)
