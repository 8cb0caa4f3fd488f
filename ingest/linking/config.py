"""Configuration of a linking job."""

from dataclasses import asdict, dataclass
from typing import Any

from analysis.calibrated import CalibratedSettings
from analysis.errors import MisuseError
from analysis.nodewise import PathSettings


@dataclass(frozen=True)
class LinkConfig:
    """What is computed; all of it is part of the run's id.

    Parameters
    ----------
    replicates
        Replicates to use, the first of both directories; None for all that are present.
    fdr
        Level at which links are kept, in (0, 1).
    seed
        Seed of the run. The procedure draws nothing; runs of other seeds are other runs.
    """

    replicates: int | None = None
    fdr: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        if self.replicates is not None and self.replicates < 1:
            raise MisuseError(f"--replicates is {self.replicates}; expected 1 or more")
        if not 0 < self.fdr < 1:
            raise MisuseError(f"--fdr is {self.fdr}; expected a number between 0 and 1")
        if self.seed < 0:
            raise MisuseError(f"--seed is {self.seed}; expected 0 or more")

    def settings(self) -> CalibratedSettings:
        """Return the settings of the procedure."""
        return CalibratedSettings(PathSettings())

    def resolved(self, replicates: int) -> dict[str, Any]:
        """Return every value that the result depends on, defaults and `replicates` filled in."""
        settings = asdict(self.settings())
        path = settings.pop("path")
        return {**asdict(self), "replicates": replicates, **settings, **path}
