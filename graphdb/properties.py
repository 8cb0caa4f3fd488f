"""The properties of a site and of a run.

A property without a value is left out, which in a graph database is what null means. Nested values (the
replicate table, configuration) become JSON text, since properties hold no maps.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from analysis.layer_graph import LayerGraph
from analysis.layer_links import LayerLinks
from analysis.site import Site
from analysis.whole_graph import whole_graph

Row = dict[str, Any]


def site_properties(site: Site, n_features: int) -> Row:
    """Return the properties of the Site node."""
    return _named({**site.to_json(), "features": n_features})


def run_properties(graph: LayerGraph) -> Row:
    """Return the properties of the Run node, `complete` apart; with the numbers of the whole graph."""
    run = graph.run
    return present(
        {
            "kind": run.kind,
            "procedure": run.procedure,
            "fdr": run.fdr,
            "seed": run.seed,
            "site": graph.site.id,
            "r_star": graph.r_star,
            "features": graph.n_features,
            "edges": graph.edges.height,
            "kept": graph.kept,
            "tokens": graph.n_tokens,
            "replicates": graph.n_replicates,
            "replicate_table": as_text(graph.replicate_table.to_dicts()),
            "config": as_text(dict(run.config)),
            "inputs": run.inputs,
            "versions": as_text(dict(run.versions)),
            "certificate": as_text(dict(graph.certificate)),
            "left_out": as_text(dict(graph.left_out)),
            "created": run.created,
            **asdict(whole_graph(graph.edges, graph.n_features)),
        }
    )


def links_run_properties(links: LayerLinks) -> Row:
    """Return the properties of the Run node of links, `complete` apart."""
    run = links.run
    largest = links.links["weight"].abs().max()
    return present(
        {
            "kind": run.kind,
            "procedure": run.procedure,
            "fdr": run.fdr,
            "seed": run.seed,
            "edges": links.links.height,
            "kept": links.links.height,
            "tokens": links.n_tokens,
            "replicates": links.n_replicates,
            "config": as_text(dict(run.config)),
            "inputs": run.inputs,
            "versions": as_text(dict(run.versions)),
            "left_out": as_text(dict(links.left_out)),
            "created": run.created,
            "largest_weight": 0.0 if largest is None else largest,
            "carried": links.carried,
            "made": links.made,
            "gone": links.gone,
        }
    )


def as_text(value: Any) -> str:  # noqa: ANN401  any JSON value
    """Return a nested value as the JSON text that a property holds."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def present(properties: Mapping[str, Any]) -> Row:
    """Return the properties that have a value."""
    return {name: value for name, value in properties.items() if value is not None}


def _named(properties: Mapping[str, Any]) -> Row:
    """Return the properties that have a value, and if that is text, one that is not empty."""
    return {name: value for name, value in properties.items() if value not in {None, ""}}
