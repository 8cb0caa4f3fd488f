"""Connected components as the post reads them, and how alike the decoder directions in them are.

One large component, standalone modules of four features or more, and tiny components of two or three, set
apart. The post found the tiny ones to be mostly near-duplicates: features that write nearly one direction.
Decoder cosines say whether that is so: a tiny component is one of near-duplicates if the mean cosine of its
edges is at least `NEAR`.
"""

from dataclasses import dataclass

import numpy as np

from analysis.activations import Float64, Int32, Int64
from analysis.components import TINY, components_of

LARGE, STANDALONE, SMALL = "large", "standalone", "tiny"
KINDS = (LARGE, STANDALONE, SMALL)
NEAR = 0.7


@dataclass(frozen=True)
class ComponentReading:
    """The components of a graph.

    Parameters
    ----------
    kind : shape (n,)
        Kind of each feature's component as its place in `KINDS`; -1 for a feature without an edge.
    components, features : shape (3,)
        How many components there are of each kind, and features in them. The large one is the largest, if it
        has more than `TINY` features.
    cosine : shape (3,)
        Mean decoder cosine of the edges of each kind; NaN where none is known.
    near_duplicates
        Tiny components whose edges have a mean decoder cosine of at least `NEAR`.
    """

    kind: Int32
    components: Int64
    features: Int64
    cosine: Float64
    near_duplicates: int


def read_components(source: Int32, target: Int32, cosine: Float64, n_features: int) -> ComponentReading:
    """Read the components of a graph over `n_features` features.

    Parameters
    ----------
    source, target : shape (edges,)
        Its edges; links between layers may be among them.
    cosine : shape (edges,)
        Decoder cosine of each; NaN where it is not known.
    n_features
        Number of features.
    """
    found = components_of(source, target, n_features)
    kind_of = np.where(found.size > TINY, 1, 2).astype(np.int32)
    if len(kind_of) and kind_of[0] == 1:
        kind_of[0] = 0
    # one entry more, for a feature that is in no component
    kind = np.append(kind_of, np.int32(-1))[found.member]
    known = np.flatnonzero(np.isfinite(cosine))
    component = found.member[source[known]]
    of = kind_of[component]
    mean = _mean(of, cosine[known], len(KINDS))
    near = _mean(component, cosine[known], len(found.size)) >= NEAR
    return ComponentReading(
        kind.astype(np.int32),
        np.bincount(kind_of, minlength=len(KINDS)),
        np.bincount(kind_of, found.size, len(KINDS)).astype(np.int64),
        mean,
        int((near & (kind_of == 2)).sum()),
    )


def _mean(group: Int32, value: Float64, groups: int) -> Float64:
    """Mean of the values of each group; NaN of none."""
    count, total = np.bincount(group, minlength=groups), np.bincount(group, value, groups)
    return np.asarray(np.divide(total, count, out=np.full(groups, np.nan), where=count > 0), np.float64)
