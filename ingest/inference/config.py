"""Configuration of an inference job."""

from dataclasses import asdict, dataclass
from typing import Any

from analysis.calibrated import CalibratedSettings
from analysis.errors import MisuseError
from analysis.nodewise import PathSettings
from analysis.published import PublishedSettings
from ingest.inference.stopping import FEWEST, FIRST

PROCEDURES = ("calibrated", "published")


@dataclass(frozen=True)
class InferConfig:
    """What is computed; all of it is part of the run's id.

    Parameters
    ----------
    procedure
        ``calibrated`` or ``published``.
    replicates
        Replicates to use, the first of the directory; None for all that are present.
    nulls
        Streams of matched null trials, ``M >= 1``.
    fdr
        Level at which edges are kept, in (0, 1).
    tune
        Choice of the penalty: ``ebic``, ``bic`` or ``cv``.
    seed
        Seed of the shuffles.
    stable
        Share of kept edges, in (0, 1], that two looks in a row must have in common for the run to end there
        (``ingest.inference.stopping``); None to use all replicates.
    """

    procedure: str = "calibrated"
    replicates: int | None = None
    nulls: int = 1
    fdr: float = 0.1
    tune: str = "ebic"
    seed: int = 0
    stable: float | None = None

    def __post_init__(self) -> None:
        if self.procedure not in PROCEDURES:
            raise MisuseError(f"--procedure is {self.procedure!r}; expected one of {', '.join(PROCEDURES)}")
        if self.replicates is not None and self.replicates < 1:
            raise MisuseError(f"--replicates is {self.replicates}; expected 1 or more")
        if self.nulls < 1:
            raise MisuseError(f"--nulls is {self.nulls}; expected 1 or more, or no FDR can be estimated")
        if not 0 < self.fdr < 1:
            raise MisuseError(f"--fdr is {self.fdr}; expected a number between 0 and 1")
        if self.seed < 0:
            raise MisuseError(f"--seed is {self.seed}; expected 0 or more")
        if self.stable is not None and not 0 < self.stable <= 1:
            raise MisuseError(
                f"--stable is {self.stable}; expected a share above 0 and at most 1, "
                "0.95 for 95 % of the edges in common"
            )
        if self.stable is not None and self.replicates is not None:
            self.check_looks(self.replicates)
        if self.procedure == "calibrated" and self.tune == "cv":
            raise MisuseError(
                "--tune is 'cv'; folds know nothing of the activity of the token, "
                "use ebic or bic, or --procedure published"
            )
        self.settings()

    def settings(self) -> PublishedSettings:
        """Return the settings of a trial of the published procedure."""
        return PublishedSettings(PathSettings(tune=self.tune))

    def calibrated(self) -> CalibratedSettings:
        """Return the settings of the calibrated procedure."""
        return CalibratedSettings(PathSettings(tune=self.tune))

    def check_looks(self, replicates: int) -> None:
        """Refuse `replicates` that are too few for two looks, where the run is to end when it is stable."""
        if self.stable is not None and replicates < FEWEST:
            raise MisuseError(
                f"--stable compares what is kept after {FIRST} replicates and after more, and there are "
                f"{replicates}; expected {FEWEST} or more, sample more or leave --stable out"
            )

    def asked(self) -> dict[str, Any]:
        """Return every value by name; `stable` only where it is asked for, for runs without it lack it."""
        return {name: value for name, value in asdict(self).items() if (name, value) != ("stable", None)}

    def resolved(self, replicates: int) -> dict[str, Any]:
        """Return every value that the result depends on, defaults and `replicates` filled in."""
        settings = asdict(self.settings() if self.procedure == "published" else self.calibrated())
        path = settings.pop("path")
        return {**self.asked(), "replicates": replicates, **settings, **path}


@dataclass(frozen=True)
class Resources:
    """What the job may use; no part of its id or result.

    Parameters
    ----------
    threads
        Threads of the kernels; None for all.
    memory
        Budget in GB; None for no limit.
    device
        ``auto``, ``cpu`` or ``cuda``.
    """

    threads: int | None = None
    memory: float | None = None
    device: str = "auto"

    def __post_init__(self) -> None:
        if self.threads is not None and self.threads < 1:
            raise MisuseError(f"--threads is {self.threads}; expected 1 or more")
        if self.memory is not None and self.memory <= 0:
            raise MisuseError(f"--memory is {self.memory} GB; expected a number above 0")
        if self.device not in ("auto", "cpu", "cuda"):
            raise MisuseError(f"--device is {self.device!r}; expected auto, cpu or cuda")
