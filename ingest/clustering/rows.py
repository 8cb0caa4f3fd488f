"""What was found, as rows: the communities, their members, and the parts that were divided by themselves."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from analysis.communities import Communities, Part
from analysis.community_words import community_words
from analysis.component_reading import KINDS, ComponentReading, read_components
from graphdb.properties import present
from graphdb.stacked import Stacked
from ingest.clustering.config import ClusterConfig

Row = dict[str, Any]

_TOP = 5
"""Members that are named on a community itself."""


def community_rows(
    stacked: Stacked, found: Communities, labels: Sequence[str | None], run: str, config: ClusterConfig
) -> list[Row]:
    """Return a row ``{id, run, properties}`` for each community.

    ``layers`` are those it spans, ``edges`` and ``links`` the kept edges and links within it, ``component``
    the kind of connected component that it lies in, ``top_members`` those that hold on to the others most: by
    the sizes of their weights within the community.
    """
    stack, count = stacked.stack, len(found.size)
    edges, links = (
        _inside(found, stack.source, stack.target),
        _inside(found, stack.link_source, stack.link_target),
    )
    number = np.array([layer.number for layer in stacked.layers])[stack.layer]
    table = (
        pl.DataFrame(
            {
                "member": found.member,
                "layer": number,
                "held": _held(stacked, found, config.omega),
                "kind": _kinds(stacked, found),
                "id": stacked.ids(),
            }
        )
        .filter(pl.col("member") >= 0)
        .sort("held", descending=True, maintain_order=True)
        .group_by("member")
        .agg(
            layers=pl.col("layer").unique().sort(),
            kind=pl.col("kind").first(),
            top=pl.col("id").head(_TOP),
        )
        .sort("member")
    )
    words = community_words(found.member, labels, count)
    numbers_of = {
        "size": found.size,
        "edges": np.bincount(found.member[stack.source[edges]], minlength=count),
        "links": np.bincount(found.member[stack.link_source[links]], minlength=count),
    }
    return [
        {
            "id": f"{run}/{row['member']}",
            "run": run,
            "properties": present(
                {
                    "scope": config.scope,
                    "label": words[at],
                    "layers": row["layers"],
                    "component": KINDS[row["kind"]],
                    "stability": _number(found.stability[at]),
                    "top_members": row["top"],
                    **{name: int(values[at]) for name, values in numbers_of.items()},
                }
            ),
        }
        for at, row in enumerate(table.iter_rows(named=True))
    ]


def member_rows(stacked: Stacked, found: Communities, run: str) -> pl.DataFrame:
    """Return ``feature`` and ``community``, ids, of each feature that is in one."""
    table = pl.DataFrame({"feature": stacked.ids(), "number": found.member})
    community = pl.concat_str(pl.lit(f"{run}/"), pl.col("number"))
    return (
        table.filter(pl.col("number") >= 0)
        .sort("number", maintain_order=True)
        .select("feature", community=community)
    )


def part_rows(stacked: Stacked, found: Communities) -> list[Row]:
    """Return what was divided by itself: counts, quality, agreement of restarts, and the components."""
    rows = []
    for part in found.parts:
        member = found.member[part.features]
        reading = _reading(stacked, part)
        sizes = np.bincount(member[member >= 0])
        layers = np.unique(stacked.stack.layer[part.features])
        inside = stacked.stack.part(part.features)
        rows.append(
            without_nan(
                {
                    "sites": [stacked.layers[layer].site for layer in layers],
                    "layers": sorted({stacked.layers[layer].number for layer in layers}),
                    "features": len(part.features),
                    "edges": len(inside.source),
                    "links": len(inside.link_source),
                    "communities": int((sizes > 0).sum()),
                    "largest": int(sizes.max(initial=0)),
                    "alone": int((member < 0).sum()),
                    "quality": part.quality,
                    "ami": part.ami,
                    **_components(reading),
                }
            )
        )
    return rows


def without_nan(row: Mapping[str, Any]) -> Row:
    """Return a row with None for each NaN, which JSON does not have."""
    return {name: _number(value) if isinstance(value, float) else value for name, value in row.items()}


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _components(reading: ComponentReading) -> Row:
    row: Row = {"near_duplicates": reading.near_duplicates}
    for at, kind in enumerate(KINDS):
        row[f"{kind}_components"] = int(reading.components[at])
        row[f"{kind}_features"] = int(reading.features[at])
        row[f"{kind}_cosine"] = float(reading.cosine[at])
    return row


def _reading(stacked: Stacked, part: Part) -> ComponentReading:
    """Read the components of what was divided: its edges, and the links that it holds together by."""
    held = np.zeros(len(stacked.index), bool)
    held[part.features] = True
    inside, stack = stacked.stack.part(part.features), stacked.stack
    edge, link = held[stack.source], held[stack.link_source] & held[stack.link_target]
    return read_components(
        np.concatenate([inside.source, inside.link_source]),
        np.concatenate([inside.target, inside.link_target]),
        np.concatenate([stacked.cosine[edge], stacked.link_cosine[link]]),
        len(part.features),
    )


def _kinds(stacked: Stacked, found: Communities) -> np.ndarray:
    kind = np.full(len(stacked.index), -1, np.int32)
    for part in found.parts:
        kind[part.features] = _reading(stacked, part).kind
    return kind


def _inside(found: Communities, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    return np.flatnonzero((found.member[source] == found.member[target]) & (found.member[source] >= 0))


def _held(stacked: Stacked, found: Communities, coupling: float) -> np.ndarray:
    """Sum of the sizes of the weights that join each feature to others of its community."""
    stack, held = stacked.stack, np.zeros(len(stacked.index))
    for source, target, weight in (
        (stack.source, stack.target, np.abs(stack.weight)),
        (stack.link_source, stack.link_target, coupling * stack.link_weight),
    ):
        at = _inside(found, source, target)
        held += np.bincount(source[at], weight[at], len(held)) + np.bincount(
            target[at], weight[at], len(held)
        )
    return held
