"""The tables of the bench, as markdown."""

import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from analysis.activations import Int64
from analysis.communities import Communities, Dials, find_communities
from analysis.mutual_information import adjusted_mutual_information
from analysis.profile import labels_of
from analysis.stack import Stack
from bench.communities.organism import agreement, divided, groupings, sites, stand_in
from bench.communities.planted import planted_stack
from graphdb.runs import list_runs
from graphdb.stacked import read_stack
from graphdb.store import connect
from ingest.clustering.choice import choose
from ingest.clustering.config import ClusterConfig

_RESOLUTIONS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
_COUPLINGS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)


def organism_tables(work: Path, seed: int) -> None:
    """Print how groupings agree with the planted classes, and the resolution profile."""
    found, dials = sites(work), Dials(seed=seed)
    by_layer = [groupings(site, dials) for site in found]
    layers = [f"layer {site.samples.site.layer}" for site in found]
    print("AMI with the planted classes (groups, features in none counted as groups of their own)\n")
    _table(
        ["", *layers],
        [
            [
                name,
                *(
                    f"{agreement(s, g[name]):.3f} ({_groups(g[name])})"
                    for s, g in zip(found, by_layer, strict=True)
                ),
            ]
            for name in by_layer[0]
        ],
    )
    print("\nResolution: AMI with the planted classes / communities / AMI between restarts\n")
    rows = []
    for resolution in _RESOLUTIONS:
        made = [divided(site, replace(dials, resolution=resolution)) for site in found]
        cells = (
            f"{agreement(site, labels_of(one)):.3f} / {len(one.size)} / {one.ami:.3f}"
            for site, one in zip(found, made, strict=True)
        )
        rows.append([f"{resolution:g}", *cells])
    _table(["resolution", *layers], rows)


def stand_in_table(work: Path, seed: int) -> None:
    """Print what the coupling changes on the small model, with correlations that stand in for links."""
    stack, truth = stand_in(sites(work))
    print(
        f"\nCoupling, {len(stack.source):,} edges, {len(stack.link_source):,} links: the largest "
        "correlations between layers, as many as the later one has features\n"
    )
    _couplings(stack, truth, np.ones(len(truth), bool), Dials(seed=seed))


def coupling_table(work: Path, database: str, seed: int) -> None:
    """Print what the coupling changes on the small model, with the links of a database."""
    classes: dict[str, str] = {}
    for site in sites(work):
        ids = map(site.samples.site.feature_id, site.features.tolist())
        # numbers of classes differ from layer to layer, names do not
        classes |= dict(zip(ids, site.names, strict=True))
    with connect(database) as store:
        runs = {path.run.id for path in (site.graph for site in sites(work))}
        asked = [run["id"] for run in list_runs(store) if run["id"] in runs]
        layers, links = choose(store, ClusterConfig(scope="all"), asked)
        stacked = read_stack(store, layers, links)
    known = np.array([name in classes for name in stacked.ids()])
    names = [classes.get(name, "") for name in stacked.ids()]
    truth = np.unique(np.array(names), return_inverse=True)[1].astype(np.int64)
    print(f"\nCoupling, {len(stacked.stack.source):,} edges, {len(stacked.stack.link_source):,} links\n")
    _couplings(stacked.stack, truth, known, Dials(seed=seed))


def stack_table(layers: int, features: int, edges: int, links: int, seed: int) -> None:
    """Print time and memory of one division of a planted stack at each coupling."""
    find_communities(planted_stack(2, 64, 400, 100)[0], Dials(coupling=1.0, restarts=1))
    stack, truth = planted_stack(layers, features, edges, links, seed)
    print(
        f"\n{layers} layers x {features:,} features, {len(stack.source):,} edges, {len(stack.link_source):,} "
        f"links, {truth.max() + 1:,} planted groups in each layer\n"
    )
    known = np.ones(len(truth), bool)
    _couplings(stack, truth, known, Dials(restarts=1, seed=seed))
    print(f"\nlargest resident memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


def _couplings(stack: Stack, truth: Int64, known: np.ndarray, dials: Dials) -> None:
    """Print a row a coupling: layers by themselves agree with layers' classes, joined ones with all."""
    names = ("coupling", "communities", "largest", "of several layers", "links held", "AMI, each layer")
    _line([*names, "AMI, all layers", "AMI of restarts", "CPU seconds"])
    _line(["---:"] * 9)
    for coupling in _COUPLINGS:
        began = time.process_time()
        made = find_communities(stack, replace(dials, coupling=coupling))
        took = time.process_time() - began
        cells = [
            *(f"{coupling:g}", f"{len(made.size):,}", f"{made.size.max(initial=0):,}"),
            *(f"{_spanning(stack, made):,}", f"{_held(stack, made):.3f}"),
            *(f"{_by_layer(stack, made, truth, known):.3f}",),
            f"{adjusted_mutual_information(labels_of(made)[known], truth[known]):.3f}",
            *(f"{made.ami:.3f}", f"{took:.1f}"),
        ]
        _line(cells)
        sys.stdout.flush()


def _spanning(stack: Stack, made: Communities) -> int:
    inside = made.member >= 0
    cells = np.unique(np.column_stack([made.member[inside], stack.layer[inside]]), axis=0)
    return int((np.bincount(cells[:, 0].astype(np.int64), minlength=1) > 1).sum())


def _held(stack: Stack, made: Communities) -> float:
    ends = made.member[stack.link_source], made.member[stack.link_target]
    held = (ends[0] == ends[1]) & (ends[0] >= 0)
    return float(stack.link_weight[held].sum() / stack.link_weight.sum()) if len(held) else np.nan


def _by_layer(stack: Stack, made: Communities, truth: Int64, known: np.ndarray) -> float:
    """Mean over the layers of the agreement within each."""
    label = labels_of(made)
    inside = [known & (stack.layer == layer) for layer in range(stack.n_layers)]
    return float(np.mean([adjusted_mutual_information(label[some], truth[some]) for some in inside]))


def _groups(label: Int64) -> int:
    return len(np.unique(label))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    _line(head)
    _line(["---", *["---:"] * (len(head) - 1)])
    for row in rows:
        _line(row)


def _line(cells: Sequence[str]) -> None:
    print("| " + " | ".join(cells) + " |")
