"""A layer graph as the rows that the database takes.

A property without a value is left out, which in a graph database is what null means; NaN counts as no value.
Nested values (top tokens, contexts, the replicate table, configuration) become JSON text, since properties
hold no maps.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import polars as pl

from analysis.layer_graph import EDGE_COLUMNS, LayerGraph
from analysis.site import Site
from analysis.whole_graph import whole_graph

Row = dict[str, Any]

_MEASURED = (
    *("frequency", "mean_activation", "max_activation", "activations", "degree", "replicates"),
    "label",
)
_WHERE_IT_FIRES = ("mean_activation", "max_activation")
_EDGE_ENDS = ("source", "target")


def site_properties(graph: LayerGraph) -> Row:
    """Return the properties of the Site node."""
    return _present({**graph.site.to_json(), "features": graph.n_features}, drop_empty=True)


def run_properties(graph: LayerGraph) -> Row:
    """Return the properties of the Run node, `complete` apart; with the numbers of the whole graph."""
    run = graph.run
    return _present(
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


def feature_rows(graph: LayerGraph) -> list[Row]:
    """Return one row for each Feature node."""
    site = graph.site
    return [
        {
            "id": site.feature_id(index),
            "site": site.id,
            "layer": site.layer,
            "index": index,
            "neuronpedia": _neuronpedia(site, index),
        }
        for index in graph.features["index"].to_list()
    ]


def measurement_rows(graph: LayerGraph) -> list[Row]:
    """Return one row for each MEASURED_IN relationship."""
    contexts = _contexts(graph.contexts)
    rows = []
    for feature in _finite(graph.features).iter_rows(named=True):
        properties = {name: feature[name] for name in _MEASURED}
        if feature["activations"] == 0:
            # a mean over nothing; the tables of a graph directory hold 0 there
            properties |= dict.fromkeys(_WHERE_IT_FIRES)
        if feature["top_tokens"] is not None:
            properties["top_tokens"] = as_text(feature["top_tokens"])
        properties["contexts"] = contexts.get(feature["index"])
        rows.append(
            {
                "feature": graph.site.feature_id(feature["index"]),
                "run": graph.run.id,
                "properties": _present(properties),
            }
        )
    return rows


def edge_rows(graph: LayerGraph) -> list[Row]:
    """Return one row for each DEPENDS relationship."""
    names = [name for name in EDGE_COLUMNS if name not in _EDGE_ENDS]
    return [
        {
            "source": graph.site.feature_id(edge["source"]),
            "target": graph.site.feature_id(edge["target"]),
            "run": graph.run.id,
            "properties": _present({name: edge[name] for name in names}),
        }
        for edge in _finite(graph.edges).iter_rows(named=True)
    ]


def as_text(value: Any) -> str:  # noqa: ANN401  any JSON value
    """Return a nested value as the JSON text that a property holds."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _contexts(table: pl.DataFrame | None) -> dict[int, str]:
    if table is None:
        return {}
    found: dict[int, list[Row]] = {}
    for row in _finite(table).sort("feature", "rank").iter_rows(named=True):
        found.setdefault(row.pop("feature"), []).append(row)
    return {feature: as_text(rows) for feature, rows in found.items()}


def _neuronpedia(site: Site, index: int) -> str | None:
    return f"{site.neuronpedia}/{index}" if site.neuronpedia else None


def _finite(table: pl.DataFrame) -> pl.DataFrame:
    return table.with_columns(pl.col(pl.Float64, pl.Float32).fill_nan(None))


def _present(properties: Mapping[str, Any], drop_empty: bool = False) -> Row:
    return {
        name: value
        for name, value in properties.items()
        if value is not None and not (drop_empty and isinstance(value, str) and not value)
    }
