"""The demo's communities: all layers divided at once, and how they agree with the planted classes."""

import json
from collections.abc import Mapping

import numpy as np
from rich.console import Console

from analysis.layer_graph import LayerGraph
from analysis.mutual_information import adjusted_mutual_information
from graphdb.store import Store
from ingest.clustering.config import ClusterConfig
from ingest.clustering.job import cluster
from ingest.demo.reading import feature_classes
from ingest.samples_directory import SamplesDirectory

_MEMBERS = """
MATCH (c:Community {run: $run})<-[:MEMBER_OF]-(f:Feature)
RETURN c.id AS community, f.site AS site, f.index AS index ORDER BY community, site, index
"""


def divide(
    store: Store,
    graphs: Mapping[int, LayerGraph],
    samples: Mapping[int, SamplesDirectory],
    seed: int,
    linked: bool,
    console: Console,
) -> str:
    """Divide the layers, at once if they are `linked`, and say what came of it; returns the run's id."""
    config = ClusterConfig(scope="all" if linked else "layer", seed=seed)
    run, _ = cluster(store, config, [graph.run.id for graph in graphs.values()])
    rows = store.write(_MEMBERS, {"run": run["id"]})
    classes = {
        graph.site.id: feature_classes(samples[layer], graph.n_features, seed)[0]
        for layer, graph in graphs.items()
    }
    group = np.unique([row["community"] for row in rows], return_inverse=True)[1]
    planted = np.unique([classes[row["site"]][row["index"]] for row in rows], return_inverse=True)[1]
    agree = adjusted_mutual_information(group, planted)
    largest = max((part["largest"] for part in json.loads(run["parts"])), default=0)
    console.print(
        f"{run['communities']:,} communities of {run['members']:,} features, the largest of {largest:,}, "
        f"from {run['edges']:,} positive kept edges and {run['links']:,} links: "
        f"quality {run['quality']:.2f}, restarts agree to {run['ami']:.2f}, with the planted classes "
        f"{agree:.2f} (adjusted mutual "
        "information over their members: 0 by chance, 1 at best).",
    )
    return str(run["id"])
