"""Kept edges and links of many layers, read out of the database as columns.

They are asked for by the features that they leave, some thousands at a time: a page begins at ids, which both
servers find at once, and no answer is so large that a server has to hold it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from analysis.activations import Float64, Int32
from analysis.stack import Stack
from graphdb.cypher import statement
from graphdb.store import Store

Advance = Callable[[float], None]
Row = dict[str, Any]

PAGE = 4096
"""Features whose edges are asked for at once."""

_EDGES = {"source": pl.Int64, "target": pl.Int64, "weight": pl.Float64, "cosine": pl.Float64}
_LINKS = {
    "source": pl.Int64,
    "site": pl.String,
    "target": pl.Int64,
    "weight": pl.Float64,
    "cosine": pl.Float64,
}


@dataclass(frozen=True)
class Layer:
    """A site and the run whose kept edges are its graph."""

    site: str
    number: int
    features: int
    run: str
    replicates: int | None


@dataclass(frozen=True)
class Stacked:
    """A stack of layer graphs, and where its features are.

    Parameters
    ----------
    layers
        The layers, lowest first.
    stack
        Edges and links over the features that have any.
    index : shape (n,)
        Index of each feature of the stack at its site.
    cosine : shape (edges,)
        Decoder cosine of each edge, NaN where it is not known.
    link_cosine : shape (links,)
        Of each link.
    """

    layers: tuple[Layer, ...]
    stack: Stack
    index: Int32
    cosine: Float64
    link_cosine: Float64

    def ids(self) -> list[str]:
        """Return the id of each feature."""
        sites = [layer.site for layer in self.layers]
        return [
            f"{sites[layer]}/{index}"
            for layer, index in zip(self.stack.layer.tolist(), self.index.tolist(), strict=True)
        ]


def layers_of(store: Store, runs: Sequence[str]) -> tuple[Layer, ...]:
    """Return the sites of layer runs, lowest layer first, with what is needed to read them."""
    rows = store.write(statement("runs_to_cluster"), {"runs": list(runs)})
    return tuple(
        Layer(row["site"], row["layer"] or 0, row["features"] or 0, row["run"], row["replicates"])
        for row in rows
    )


def read_stack(
    store: Store,
    layers: Sequence[Layer],
    links: Mapping[str, Sequence[str]],
    least: int | None = None,
    *,
    exclusions: bool = False,
    advance: Advance | None = None,
) -> Stacked:
    """Read the kept edges of layers and the links between them.

    Parameters
    ----------
    store
        An open database.
    layers
        What is read; links to other sites are left out.
    links
        The runs whose links are read, and for each the sites whose features its links leave.
    least
        Least number of replicates that show an edge; None for every kept edge.
    exclusions
        Read negative edges too.
    advance
        Called with the number of features whose edges and links were read since the last call.
    """
    advance = advance or (lambda _: None)
    start = np.concatenate([[0], np.cumsum([layer.features for layer in layers])])
    first = pl.DataFrame(
        {"site": [layer.site for layer in layers], "start": start[:-1]},
        schema={"site": pl.String, "start": pl.Int64},
    )
    edges, between = [pl.DataFrame(schema=_EDGES)], [pl.DataFrame(schema=_LINKS)]
    for at, layer in enumerate(layers):
        for page in _pages(layer.features):
            asked = {"site": layer.site, **page}
            of_run = {"run": layer.run, "least": least, "exclusions": exclusions}
            rows = store.write(statement("kept_edges"), asked | of_run)
            edges.append(_frame(rows, _EDGES, int(start[at])).with_columns(pl.col("target") + start[at]))
            for run in (name for name, sites in links.items() if layer.site in sites):
                rows = store.write(statement("links_from"), {**asked, "run": run})
                between.append(_frame(rows, _LINKS, int(start[at])))
            advance(page["last"] - page["first"] + 1)
    return _stacked(tuple(layers), start, pl.concat(edges), pl.concat(between).join(first, on="site"))


def labels_of(store: Store, stacked: Stacked) -> list[str | None]:
    """Return the label of each feature of a stack, None where it has none."""
    label: list[str | None] = [None] * len(stacked.index)
    for number, layer in enumerate(stacked.layers):
        places = np.flatnonzero(stacked.stack.layer == number)
        for first in range(0, len(places), PAGE):
            indexes = stacked.index[places[first : first + PAGE]].tolist()
            place = dict(zip(indexes, places[first : first + PAGE].tolist(), strict=True))
            found = store.write(statement("feature_labels"), {"site": layer.site, "indexes": indexes})[0]
            for index, text in zip(found["index"], found["label"], strict=True):
                label[place[index]] = str(text)
    return label


def _pages(features: int) -> list[dict[str, int]]:
    return [{"first": first, "last": min(first + PAGE, features) - 1} for first in range(0, features, PAGE)]


def _frame(rows: list[Row], schema: Mapping[str, type[pl.DataType]], start: int) -> pl.DataFrame:
    """Return the one row of an answer, lists of one length, as columns."""
    known = pl.when(pl.col("cosine") <= 1).then("cosine")
    return pl.DataFrame(rows[0], schema=schema, strict=False).with_columns(
        pl.col("source") + start, cosine=known
    )


def _stacked(
    layers: tuple[Layer, ...], start: np.ndarray, edges: pl.DataFrame, links: pl.DataFrame
) -> Stacked:
    """Give numbers to the features that have an edge or a link, by layer and index."""
    links = links.with_columns(pl.col("target") + pl.col("start"))
    # the order in which a server returns rows is its own affair
    edges, links = edges.sort("source", "target"), links.sort("source", "target", "weight")
    ends = [frame[name].to_numpy() for frame in (edges, links) for name in ("source", "target")]
    used, place = np.unique(np.concatenate(ends), return_inverse=True)
    split = np.split(place.astype(np.int32), np.cumsum([len(end) for end in ends])[:-1])
    layer = (np.searchsorted(start, used, side="right") - 1).astype(np.int32)
    stack = Stack(
        layer,
        split[0],
        split[1],
        edges["weight"].to_numpy(),
        split[2],
        split[3],
        np.abs(links["weight"].to_numpy()),
    )
    return Stacked(
        layers,
        stack,
        (used - start[layer]).astype(np.int32),
        _numbers(edges["cosine"]),
        _numbers(links["cosine"]),
    )


def _numbers(column: pl.Series) -> Float64:
    return column.fill_null(np.nan).to_numpy()
