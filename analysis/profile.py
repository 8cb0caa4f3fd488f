"""How a division changes with its two dials: the resolution, and the coupling between layers.

Communities grow where the resolution falls and where the coupling rises. A division that stays much the same
over a range of either, and on which restarts agree, is one that the graph has; any other is the dial's.
"""

from dataclasses import dataclass, replace

import numpy as np

from analysis.activations import Int64
from analysis.communities import Advance, Communities, Dials, find_communities
from analysis.mutual_information import adjusted_mutual_information
from analysis.stack import Stack

RESOLUTIONS = (0.25, 0.5, 2.0, 4.0)
COUPLINGS = (0.0, 0.25, 4.0)
"""Multiples of the values asked for."""


@dataclass(frozen=True)
class Setting:
    """What a division looks like at one setting of the dials.

    Parameters
    ----------
    resolution, coupling
        The setting.
    communities, largest
        How many there are; features of the largest.
    alone
        Features that are in none.
    spanning
        Communities of more than one layer.
    held
        Share of the links, by their weights, whose ends are in one community; NaN without links.
    quality, ami
        As of `Communities`; qualities at different settings do not compare.
    like_asked
        Adjusted mutual information with the division at the setting asked for.
    """

    resolution: float
    coupling: float
    communities: int
    largest: int
    alone: int
    spanning: int
    held: float
    quality: float
    ami: float
    like_asked: float


def settings(dials: Dials) -> list[Dials]:
    """Return the settings beside the one asked for; other couplings only where there is one."""
    resolutions = [replace(dials, resolution=dials.resolution * factor) for factor in RESOLUTIONS]
    couplings = [replace(dials, coupling=dials.coupling * factor) for factor in COUPLINGS]
    return resolutions + (couplings if dials.coupling > 0 else [])


def profile(
    stack: Stack, asked: Communities, dials: Dials, restarts: int, advance: Advance | None = None
) -> list[Setting]:
    """Divide a stack at other settings too.

    Parameters
    ----------
    stack, asked
        The graph, and its division at the setting asked for.
    dials
        That setting.
    restarts
        Of each of the other settings.
    advance
        Called after each division with the number of features divided.

    Returns
    -------
    The settings, that asked for among them, by coupling and then by resolution.
    """
    found = [(dials, asked)]
    for other in settings(dials):
        found.append((other, find_communities(stack, replace(other, restarts=restarts), advance)))
    found.sort(key=lambda row: (row[0].coupling, row[0].resolution))
    return [_setting(stack, made, asked, at.resolution, at.coupling) for at, made in found]


def _setting(stack: Stack, made: Communities, asked: Communities, gamma: float, omega: float) -> Setting:
    inside = made.member >= 0
    cells = np.unique(np.column_stack([made.member[inside], stack.layer[inside]]), axis=0)
    layers = np.bincount(cells[:, 0].astype(np.int64), minlength=len(made.size))
    ends = made.member[stack.link_source], made.member[stack.link_target]
    held, weight = (ends[0] == ends[1]) & (ends[0] >= 0), stack.link_weight
    return Setting(
        resolution=gamma,
        coupling=omega,
        communities=len(made.size),
        largest=int(made.size.max(initial=0)),
        alone=int((~inside).sum()),
        spanning=int((layers > 1).sum()),
        held=float(weight[held].sum() / weight.sum()) if weight.any() else np.nan,
        quality=made.quality,
        ami=made.ami,
        like_asked=adjusted_mutual_information(labels_of(made), labels_of(asked)),
    )


def labels_of(made: Communities) -> Int64:
    """Return a label for each feature, one of its own for a feature that is in no community."""
    alone = made.member < 0
    label = made.member.astype(np.int64)
    label[alone] = len(made.size) + np.arange(alone.sum())
    return label
