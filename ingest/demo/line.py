"""Which features to follow: the line of links from the first layer to the last whose weakest is strongest."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from analysis.layer_links import LayerLinks


@dataclass(frozen=True)
class Line:
    """A line of links from the first layer to the last.

    Parameters
    ----------
    features
        Ids, the earliest first.
    weakest
        Least weight on the way.
    """

    features: tuple[str, ...]
    weakest: float

    def asked(self) -> list[str]:
        """Return the command that shows it: the lineage of its middle, by links as strong as its weakest."""
        least = math.floor(100 * self.weakest) / 100
        return ["lineage", self.features[len(self.features) // 2], "--min-weight", f"{least:.2f}"]


def strongest_line(links: Sequence[LayerLinks]) -> Line | None:
    """Return the line of links of positive weight whose weakest is strongest; None if there is no line."""
    reached: dict[int, tuple[float, tuple[int, ...]]] = {}
    for at, found in enumerate(links):
        further: dict[int, tuple[float, tuple[int, ...]]] = {}
        rows = found.links.filter(pl.col("weight") > 0).sort("target", "source")
        for source, target, weight in rows.select("source", "target", "weight").iter_rows():
            weakest, line = reached.get(source, (math.inf, (source,)) if at == 0 else (0.0, ()))
            way = (min(weakest, weight), (*line, target))
            if way[0] > further.get(target, (0.0, ()))[0]:
                further[target] = way
        reached = further
    if not reached:
        return None
    weakest, line = max(reached.values())
    sites = [links[0].lower, *(found.upper for found in links)]
    return Line(tuple(site.feature_id(i) for site, i in zip(sites, line, strict=True)), weakest)
