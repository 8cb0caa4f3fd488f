"""What is divided into communities, and how."""

import math
from dataclasses import dataclass
from typing import Any

from analysis.errors import MisuseError

SCOPES = ("layer", "all")
COUPLING = 0.5
"""A link counts half of what an edge of the same weight does. On a planted stack and on the small model the
classes are met best from 0.25 to 1, and restarts agree most at 0.5; from 2 on everything runs together
(docs/log.md)."""


@dataclass(frozen=True)
class ClusterConfig:
    """Settings of a run of communities; all of them are part of its id.

    Parameters
    ----------
    scope
        ``layer``: each layer by itself; ``all``: the layers at once, coupled by their links.
    min_replicates
        Only kept edges that at least so many replicates show, such as all for the stable core; None for every
        kept edge.
    resolution
        Above 0; the larger, the smaller the communities.
    coupling
        What a link counts against an edge of the same weight, 0 or more; only for scope ``all``, where None
        stands for `COUPLING`.
    exclusions
        Count a negative edge against the community that holds both its ends, instead of leaving it out.
    restarts
        Divisions that are tried.
    seed
        Of every random choice, 0 or more.

    Raises
    ------
    MisuseError
        A value is out of its range, or a coupling is given for single layers.
    """

    scope: str = "layer"
    min_replicates: int | None = None
    resolution: float = 1.0
    coupling: float | None = None
    exclusions: bool = False
    restarts: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        if self.scope not in SCOPES:
            raise MisuseError(f"--scope is {self.scope!r}; expected {' or '.join(SCOPES)}")
        if not (self.resolution > 0 and math.isfinite(self.resolution)):
            raise MisuseError(
                f"--resolution is {self.resolution:g}; expected a number above 0, 1 as a rule, more for "
                "smaller communities"
            )
        if self.coupling is not None and not (self.coupling >= 0 and math.isfinite(self.coupling)):
            raise MisuseError(
                f"--coupling is {self.coupling:g}; expected 0 or more: what a link counts against an edge of "
                "its weight"
            )
        if self.coupling is not None and self.scope == "layer":
            raise MisuseError(
                f"--coupling {self.coupling:g} is given for single layers; leave it out, or add --scope all"
            )
        if self.restarts < 1:
            raise MisuseError(
                f"--restarts is {self.restarts}; expected 1 or more, 2 or more to see how far they agree"
            )
        if self.min_replicates is not None and self.min_replicates < 1:
            raise MisuseError(
                f"--min-replicates is {self.min_replicates}; expected 1 or more, or leave it out for every "
                "kept edge"
            )
        if self.seed < 0:
            raise MisuseError(f"--seed is {self.seed}; expected 0 or more")

    @property
    def omega(self) -> float:
        """The coupling that is used: 0 for single layers."""
        if self.scope == "layer":
            return 0.0
        return COUPLING if self.coupling is None else self.coupling

    def to_json(self) -> dict[str, Any]:
        """Return the resolved settings."""
        return {
            "scope": self.scope,
            "min_replicates": self.min_replicates,
            "resolution": self.resolution,
            "coupling": self.omega if self.scope == "all" else None,
            "exclusions": self.exclusions,
            "restarts": self.restarts,
            "seed": self.seed,
        }
