"""The two procedures as a job sees them: how a null is drawn, and how trials are run."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.activations import Columns
from analysis.background import Background
from analysis.calibrated import calibrated_trial
from analysis.firings import firings_of
from analysis.published import published_trial
from analysis.redraw import redrawn
from analysis.shuffle import shuffled
from analysis.trial import Trial
from ingest.inference.config import InferConfig, Resources

if TYPE_CHECKING:
    import torch

_NVIDIA = Path("/dev/nvidiactl")

Source = Callable[[], Columns]
"""Reads or draws what a trial is made on, when it is wanted."""


@dataclass(frozen=True)
class Procedure:
    """How the trials of a job are made.

    Parameters
    ----------
    null
        Draws the null of replicate ``k`` and of a stream.
    run
        Makes a trial of each source, in order.
    """

    null: Callable[[Columns, int, int], Columns]
    run: Callable[[Iterable[Source]], Iterator[Trial]]


def device_of(resources: Resources) -> "torch.device | None":
    """Return the GPU that trials run on, None for the CPU's own kernels.

    Raises
    ------
    MisuseError
        A GPU is asked for and there is none.
    """
    # Torch takes seconds to import, and is asked only where there may be something to find.
    if resources.device == "cpu" or (resources.device == "auto" and not _NVIDIA.exists()):
        return None
    from analysis.cuda.device import chosen_device  # noqa: PLC0415

    return chosen_device(resources.device)


def published(config: InferConfig, resources: Resources) -> Procedure:
    """Trials of the published procedure, on the device that is asked for."""
    settings = config.settings()

    def null(columns: Columns, k: int, stream: int) -> Columns:
        return shuffled(columns, config.seed, k, stream)

    def run(sources: Iterable[Source]) -> Iterator[Trial]:
        device = device_of(resources)
        if device is not None:
            from analysis.cuda.trial import trials_on  # noqa: PLC0415

            yield from trials_on(device, sources, settings)
            return
        for source in sources:
            yield published_trial(source(), settings)

    return Procedure(null, run)


def calibrated(config: InferConfig, background: Background) -> Procedure:
    """Trials of the calibrated procedure, given what the features do of themselves."""
    settings = config.calibrated()

    def null(columns: Columns, k: int, stream: int) -> Columns:
        return redrawn(columns, background.loading, config.seed, k, stream, background.crowd)

    def run(sources: Iterable[Source]) -> Iterator[Trial]:
        for source in sources:
            yield calibrated_trial(firings_of([source()]), background, settings)

    return Procedure(null, run)
