"""Score an answer against the planted graph.

    false share = edges kept that are false / edges kept that are scored        0 where none are kept
    power       = true edges kept / true edges, features too rare to be seen included

Edges that a family excludes are counted neither way.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from analysis.activations import Int64
from bench.truth.family import Family, Pairs
from bench.truth.procedure import Answer


@dataclass(frozen=True)
class Score:
    """How one answer did on one draw of one family.

    Parameters
    ----------
    true
        Planted edges.
    kept
        Edges kept that are scored.
    stated
        False discovery rate that the procedure states; nan when it keeps nothing.
    false_share
        Share of the edges kept that are false.
    indirect
        Of the false edges, the share whose two features are joined through others: dependent on each other,
        not given the rest. The others are chance. 0 where none are false.
    power
        Share of the planted edges kept; nan when none are planted.
    recall
        Share of the planted edges that the screen let through, mean over screens; nan as above.
    chosen
        Share of the planted edges that the regressions chose, in any of them; nan as above.
    detail
        What the procedure says beside.
    seconds
        Time that the procedure took.
    """

    true: int
    kept: int
    stated: float
    false_share: float
    indirect: float
    power: float
    recall: float
    chosen: float
    detail: str
    seconds: float


def score(family: Family, answer: Answer, seconds: float) -> Score:
    """Compare `answer` with what is true of `family`."""
    features = family.features
    true, excluded = keys_of(family.edges(), features), keys_of(family.excluded(), features)
    kept = np.setdiff1d(answer.kept, excluded)
    false = np.setdiff1d(kept, true)
    group = _joined(np.union1d(true, excluded), features)
    indirect = group[false // features] == group[false % features]
    shares = [np.isin(true, screened).mean() if len(true) else np.nan for screened in answer.screened]
    return Score(
        true=len(true),
        kept=len(kept),
        stated=answer.stated,
        false_share=len(false) / max(len(kept), 1),
        indirect=float(indirect.sum()) / max(len(false), 1),
        power=float(np.isin(true, kept).mean()) if len(true) else np.nan,
        recall=float(np.mean(shares)) if shares else np.nan,
        chosen=float(np.isin(true, answer.selected).mean()) if len(true) else np.nan,
        detail=answer.detail,
        seconds=seconds,
    )


def keys_of(pairs: Pairs, features: int) -> Int64:
    """One number a pair, ascending."""
    return np.array(sorted(i * features + j for i, j in pairs), np.int64)


def _joined(keys: Int64, features: int) -> Int64:
    """Label the features; equal labels are joined by a path of dependent pairs."""
    graph = coo_array((np.ones(len(keys)), (keys // features, keys % features)), (features, features))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)
