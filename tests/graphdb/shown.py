"""What a person sees of a database, to tell whether something of an incomplete run shows."""

from typing import Any

from analysis.layer_graph import LayerGraph
from graphdb.store import Store
from queries.features import feature
from queries.runs import runs
from queries.search import hubs, labelled
from queries.whole import sites


def shown(store: Store, of: LayerGraph) -> list[Any]:
    """What the verbs show without naming a run: nothing of one that is incomplete."""
    return [
        [row for row in runs(store) if row["complete"]],
        # a site and its features are there from the first write on; no run about it is
        [row for row in sites(store) if row["runs"]],
        labelled(store, "w"),
        hubs(store),
        feature(store, of.site.feature_id(0)),
    ]
