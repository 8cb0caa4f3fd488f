"""A stack of layer graphs: features, the edges within each layer, and the links between layers."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from analysis.activations import Float64, Int32, Int64
from analysis.errors import DataError


@dataclass(frozen=True)
class Stack:
    """The graph that is divided into communities.

    Parameters
    ----------
    layer : shape (n,)
        Layer of each feature, 0 or more: its place among the layers of the stack.
    source, target, weight : shape (edges,)
        Edges between two features of one layer; positive: they fire together, negative: they exclude each
        other.
    link_source, link_target, link_weight : shape (links,)
        Links between features of two layers; the size of each weight, 0 or more.
    """

    layer: Int32
    source: Int32
    target: Int32
    weight: Float64
    link_source: Int32
    link_target: Int32
    link_weight: Float64

    def __post_init__(self) -> None:
        for name, ends in (
            ("an edge", (self.source, self.target, self.weight)),
            ("a link", (self.link_source, self.link_target, self.link_weight)),
        ):
            sizes = [len(array) for array in ends]
            if len(set(sizes)) > 1:
                raise DataError(
                    f"{name} lacks an end or its weight: there are {sizes}; expected as many of each"
                )
            for end in ends[:2]:
                wrong = end[(end < 0) | (end >= len(self.layer))]
                if len(wrong):
                    raise DataError(f"{name} names feature {wrong[0]}; expected 0..{len(self.layer) - 1}")
            if not np.isfinite(ends[2]).all():
                raise DataError(f"the weight of {name} is not finite; expected a number")
        same = self.layer[self.source] == self.layer[self.target]
        if not same.all() or bool((self.source == self.target).any()):
            raise DataError(
                "an edge joins two layers, or a feature to itself; expected two features of a layer"
            )
        if bool((self.link_weight < 0).any()):
            raise DataError("the weight of a link is below 0; expected its size")

    @property
    def n_layers(self) -> int:
        """Number of layers, those without a feature among them."""
        return int(self.layer.max(initial=-1)) + 1

    def groups(self, coupling: float) -> list[Int64]:
        """Return the features of each group of layers that links hold together, ascending.

        What is in two groups has nothing to do with each other; without coupling each layer is a group.
        """
        n = self.n_layers
        linked = (self.layer[self.link_source], self.layer[self.link_target])
        held = len(self.link_source) if coupling > 0 else 0
        joined = coo_array((np.ones(held, np.int8), (linked[0][:held], linked[1][:held])), shape=(n, n))
        _, group = connected_components(joined, directed=False)
        of = group[self.layer]
        return [nodes for number in range(n) if len(nodes := np.flatnonzero(of == number))]

    def part(self, features: Int64) -> "Stack":
        """Return the stack of some features, ascending, with the edges and links between them."""
        place = np.full(len(self.layer), -1, np.int32)
        place[features] = np.arange(len(features), dtype=np.int32)
        edge = (place[self.source] >= 0) & (place[self.target] >= 0)
        link = (place[self.link_source] >= 0) & (place[self.link_target] >= 0)
        _, layer = np.unique(self.layer[features], return_inverse=True)
        return Stack(
            layer.astype(np.int32),
            place[self.source[edge]],
            place[self.target[edge]],
            self.weight[edge],
            place[self.link_source[link]],
            place[self.link_target[link]],
            self.link_weight[link],
        )
