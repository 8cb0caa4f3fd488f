"""What a sampling job will cost, said before it starts."""

from dataclasses import dataclass
from pathlib import Path

from analysis.site import Site


@dataclass(frozen=True)
class Plan:
    """Size of a sampling job, from a pilot batch.

    Parameters
    ----------
    sites
        Where the features live, lowest layer first.
    l0
        Mean number of features firing per token, one entry per site.
    n_features
        Width of each site's dictionary.
    tokens_per_replicate
        Least number of tokens in a replicate: the largest over sites of ``ceil(A * F / L0)``.
    replicates, finished
        Replicates asked for, and those of them that are on disk already.
    tokens_per_second
        Speed of the pilot: forward pass and encoding of every site.
    broken
        Files that were written before and are missing or do not read now; they are made again.
    """

    sites: tuple[Site, ...]
    l0: tuple[float, ...]
    n_features: tuple[int, ...]
    tokens_per_replicate: int
    replicates: int
    finished: int
    tokens_per_second: float
    broken: tuple[Path, ...] = ()

    @property
    def tokens(self) -> int:
        """Tokens still to be read, all replicates together."""
        return self.tokens_per_replicate * (self.replicates - self.finished)

    @property
    def seconds(self) -> float:
        """Expected time for them at the speed of the pilot."""
        return self.tokens / self.tokens_per_second

    def sentence(self) -> str:
        """Say it to a person, in one line."""
        layers = ", ".join(str(site.layer) for site in self.sites)
        l0 = ", ".join(f"{x:.1f}" for x in self.l0)
        done = f" ({self.finished} are there already)" if self.finished else ""
        again = f"; made again, missing or broken: {', '.join(map(str, self.broken))}" if self.broken else ""
        return (
            f"layers {layers} of {self.sites[0].model}: {l0} features per token; "
            f"{self.replicates} replicates{done} of {self.tokens_per_replicate:,} tokens, "
            f"{self.tokens:,} to read, about {duration(self.seconds)} "
            f"at {self.tokens_per_second:,.0f} tokens/s{again}"
        )


def duration(seconds: float) -> str:
    """Write a time as a person would: ``40 s``, ``3 min``, ``2.5 h``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
