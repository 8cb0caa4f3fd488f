"""What is asked of a verification."""

from dataclasses import dataclass, replace

from analysis.errors import MisuseError
from ingest.sampling.config import SampleConfig

_APART = 1_000_003
"""Added to the seed of the draw, so that the tokens are not those that ``sample`` read with the same seed."""


@dataclass(frozen=True)
class VerifyConfig:
    """One verification.

    Parameters
    ----------
    reading
        Model, SAEs, corpus and how they are read; what it says of layers and of the size of a draw is not
        looked at.
    run
        Id of the run of links, or a unique beginning of it; None for the newest complete one.
    links
        Links that are tested, at most; drawn at random, as many of each kind as there are.
    tokens
        Tokens of text that are read to find where features fire.
    most
        Tokens that a pair is tested at, at most; each of another row.
    named
        Links, by the ids of their two features, that are tested beside those drawn and not counted with them.

    Raises
    ------
    MisuseError
        A value is out of range.
    """

    reading: SampleConfig
    run: str | None = None
    links: int = 200
    tokens: int = 65_536
    most: int = 32
    named: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        for name in ("links", "tokens"):
            if getattr(self, name) < 1:
                raise MisuseError(f"--{name} is {getattr(self, name)}; expected 1 or more")

    def fresh(self, layers: tuple[int, ...]) -> SampleConfig:
        """Return how the two layers are read: at other tokens than ``sample`` reads with this seed."""
        return replace(self.reading, layers=layers, seed=self.reading.seed + _APART)
