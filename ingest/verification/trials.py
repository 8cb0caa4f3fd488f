"""Which pairs are tested, and at which tokens: links, and for each a pair that is none.

Where a link says that ``i`` brings ``j`` about (a positive weight), taking ``i`` out is read at tokens at
which both fire. Where it says that ``i`` keeps ``j`` down (a negative weight), tokens at which both fire are
few, and what is foretold is that ``j`` rises; so it is read where ``i`` fires and ``j`` is nearest to firing,
as its encoder reads the stream before anything is taken out, whether it fires there or not.

Each token is of another row, so that tokens are independent. Beside each link stand two controls, read by
the same rule: pairs of ``j`` with another earlier feature that is no link, that fires about as often as ``i``
and has rows to be read at. One has a decoder cosine with ``j`` as near to the link's as there is; the other
has any. Decoder directions that overlap change each other's features by geometry alone, and what the first
shows beyond the second is that.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from analysis.activations import Float64
from analysis.errors import MisuseError
from analysis.hit_rule import LEAST
from analysis.matching import match
from graphdb.verified import LinkRun
from ingest.verification.firing import Firing

GROUPS = ("links", "controls", "any_cosine")
"""What is tested: links, controls of like cosine, controls of any."""


@dataclass(frozen=True)
class Trial:
    """One pair and where it is tested.

    Parameters
    ----------
    source, target
        The feature that is taken out and the later one that is read.
    foretold
        Sign of the change of ``target`` that is foretold: -1 lowered, 1 raised.
    tokens : shape (n,)
        Tokens at which ``target`` is read, each of another row.
    level
        What a change of ``target`` is a share of: its mean at the tokens, or if it is foretold to rise, its
        mean where it fires.
    cosine
        Between the two decoder directions; nan if they cannot be compared.
    """

    source: int
    target: int
    foretold: int
    tokens: NDArray[np.int64]
    level: float
    cosine: float = math.nan


@dataclass(frozen=True)
class Pairing:
    """A link and its controls.

    Parameters
    ----------
    kind, weight
        Of the link.
    trials
        As ``GROUPS``; None where there are too few rows, or no control is left.
    """

    kind: str
    weight: float
    trials: tuple[Trial | None, ...]


def draw_links(links: pl.DataFrame, most: int, seed: int) -> pl.DataFrame:
    """Draw links at random, as many of each kind as there are; the links' order is kept."""
    random = np.random.default_rng([seed, 3])
    kinds = links["kind"].to_numpy()
    places = {kind: random.permutation(np.flatnonzero(kinds == kind)) for kind in sorted(set(kinds))}
    chosen: list[int] = []
    left = most
    for number, kind in enumerate(sorted(places, key=lambda kind: len(places[kind]))):
        taken = places[kind][: left // (len(places) - number)]
        left -= len(taken)
        chosen += taken.tolist()
    return links[sorted(chosen)]


def named_links(run: LinkRun, named: Sequence[tuple[str, str]], drawn: pl.DataFrame) -> pl.DataFrame:
    """Return the links that are named and not drawn.

    Raises
    ------
    MisuseError
        One is no link of the run.
    """
    keys = []
    for one, other in named:
        key = [_index(name, site.id) for name, site in ((one, run.lower), (other, run.upper))]
        if None in key or run.links.filter(source=key[0], target=key[1]).is_empty():
            raise MisuseError(
                f"run {run.id} has no link from {one} to {other}; it has links from {run.lower.id} to "
                f"{run.upper.id}: stratigraph query links --param feature={one} shows those of a feature"
            )
        keys.append(key)
    asked = pl.DataFrame(keys, schema={"source": pl.Int64, "target": pl.Int64}, orient="row")
    found = run.links.join(asked, on=["source", "target"], how="semi", maintain_order="left")
    return found.join(drawn, on=["source", "target"], how="anti", maintain_order="left")


def _index(name: str, site: str) -> int | None:
    """Return the index of a feature of a site, None if it is no id of one."""
    there, _, index = name.rpartition("/")
    return int(index) if there == site and index.isdecimal() else None


def trials_of(
    firing: Firing, drawn: pl.DataFrame, links: pl.DataFrame, cosine: Float64 | None, most: int, seed: int
) -> list[Pairing]:
    """Choose tokens for every drawn link, and controls for each that has enough.

    Parameters
    ----------
    firing
        What fires where.
    drawn, links
        Links to be tested; all links of the run, of which no control is one.
    cosine : shape (F lower, drawn links)
        Decoder cosines of all earlier features with the target of each drawn link; None if they cannot be
        compared.
    most
        Tokens of a trial at most.
    seed
        Seed of the choice of tokens and controls.
    """
    taken: dict[int, list[int]] = {}
    for source, target in links.select("source", "target").iter_rows():
        taken.setdefault(target, []).append(source)
    everywhere = _rows_of_each(firing, np.arange(len(firing.row)))
    found = []
    for at, (source, target, kind, weight) in enumerate(drawn.iter_rows()):
        foretold = -1 if weight > 0 else 1
        alike = None if cosine is None else cosine[:, at]
        trial = _trial(firing, source, target, foretold, alike, most, seed)
        controls: list[Trial | None] = [None, None]
        if trial is not None:
            shared = everywhere if foretold > 0 else _rows_of_each(firing, firing.upper.column(target)[0])
            # what is a control is taken then, so that no pair is one twice
            for number, likeness in enumerate((alike, None)):
                other = _control(
                    firing, trial, shared, taken[target], likeness, [seed, 5, source, target, number]
                )
                if other is not None:
                    taken[target].append(other)
                    controls[number] = _trial(firing, other, target, foretold, alike, most, seed)
        found.append(Pairing(kind, weight, (trial, *controls)))
    return found


def _control(
    firing: Firing,
    link: Trial,
    shared: NDArray[np.int64],
    taken: list[int],
    cosine: Float64 | None,
    seed: list[int],
) -> int | None:
    """Choose an earlier feature that is like the link's, of those not `taken` that share rows enough."""
    eligible = shared >= LEAST
    eligible[taken] = False
    return match(link.source, eligible, firing.lower.rate, cosine, np.random.default_rng(seed))


def _rows_of_each(firing: Firing, tokens: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count for each earlier feature the rows in which it fires at some of these tokens."""
    part = firing.lower.by_token[tokens]
    row = np.repeat(firing.row[tokens], np.diff(part.indptr)).astype(np.int64)
    pairs = np.unique(row * part.shape[1] + part.indices)
    return np.bincount(pairs % part.shape[1], minlength=part.shape[1])


def _trial(
    firing: Firing,
    source: int,
    target: int,
    foretold: int,
    cosine: Float64 | None,
    most: int,
    seed: int,
) -> Trial | None:
    """Choose the tokens of a pair; None if they are of too few rows, or the later feature never fires."""
    fires, _ = firing.lower.column(source)
    reads, value = firing.upper.column(target)
    if not len(value):
        return None
    random = np.random.default_rng([seed, 4, source, target])
    if foretold > 0:
        order = np.argsort(-firing.nearness[target][fires], kind="stable")
        tokens = fires[order]
    else:
        tokens = random.permutation(np.intersect1d(fires, reads, assume_unique=True))
    _, first = np.unique(firing.row[tokens], return_index=True)
    tokens = tokens[np.sort(first)[:most]]
    if len(tokens) < LEAST:
        return None
    level = float(value.mean() if foretold > 0 else firing.upper.at(target, tokens).mean())
    return Trial(source, target, foretold, tokens, level, math.nan if cosine is None else cosine[source])
