"""Layer graphs and links as tables of what the database holds: what every way of loading starts from.

A column is a property, but for the ids of the nodes that a relationship joins. NaN counts as no value, and
nested values (top tokens, contexts) are JSON text, since properties hold no maps.
"""

from collections.abc import Iterator
from typing import Any

import polars as pl

from analysis.layer_graph import EDGE_COLUMNS, LayerGraph
from analysis.layer_links import LINK_COLUMNS, LayerLinks
from analysis.site import Site
from graphdb.properties import present

Row = dict[str, Any]

_MEASURED = (
    *("frequency", "mean_activation", "max_activation", "activations", "degree", "replicates"),
    "label",
)
_WHERE_IT_FIRES = ("mean_activation", "max_activation")
_ROWS_AT_ONCE = 4096


def feature_table(site: Site, n_features: int) -> pl.DataFrame:
    """Return the Feature nodes: ``id``, ``site``, ``layer``, ``index``, ``neuronpedia``."""
    key = pl.lit(None, pl.String)
    if site.neuronpedia:
        key = pl.concat_str(pl.lit(f"{site.neuronpedia}/"), pl.col("index"))
    return pl.select(index=pl.int_range(n_features)).select(
        id=_feature_id(site, "index"),
        site=pl.lit(site.id),
        layer=pl.lit(site.layer, pl.Int64),
        index=pl.col("index").cast(pl.Int64),
        neuronpedia=key,
    )


def labelled(features: pl.DataFrame, label: pl.Series) -> pl.DataFrame:
    """Return features with the labels that runs made of their tokens, null where none did."""
    source = pl.when(pl.col("label").is_not_null()).then(pl.lit("tokens"))
    return features.with_columns(label.alias("label")).with_columns(label_source=source)


def measurement_table(graph: LayerGraph) -> pl.DataFrame:
    """Return the MEASURED_IN relationships: ``feature`` and ``run``, then their properties."""
    fires = pl.col("activations") > 0
    token = pl.element().struct.json_encode()
    table = _finite(graph.features).select(
        _feature_id(graph.site, "index").alias("feature"),
        pl.lit(graph.run.id).alias("run"),
        # of a feature that never fires the tables of a graph directory hold a mean of 0, which it has not
        *(pl.when(fires).then(name).alias(name) if name in _WHERE_IT_FIRES else name for name in _MEASURED),
        _json_list(pl.col("top_tokens").list.eval(token).list.join(",")).alias("top_tokens"),
        "index",
    )
    return table.join(_contexts(graph.contexts), on="index", how="left", maintain_order="left").drop("index")


def edge_table(graph: LayerGraph) -> pl.DataFrame:
    """Return the DEPENDS relationships: ``source``, ``target`` and ``run``, then their properties."""
    measured = [name for name in EDGE_COLUMNS if name not in {"source", "target"}]
    return _finite(graph.edges).select(
        _feature_id(graph.site, "source").alias("source"),
        _feature_id(graph.site, "target").alias("target"),
        pl.lit(graph.run.id).alias("run"),
        *measured,
    )


def as_rows(table: pl.DataFrame, *keys: str) -> Iterator[Row]:
    """Yield each row as ``{key: value, ..., "properties": {the rest that has a value}}``."""
    for part in table.iter_slices(_ROWS_AT_ONCE):
        for row in part.iter_rows(named=True):
            ends = {key: row.pop(key) for key in keys}
            yield {**ends, "properties": present(row)}


def link_table(links: LayerLinks, kind: str) -> pl.DataFrame:
    """Return the links of a kind: ``source``, ``target`` and ``run``, then their properties."""
    measured = [name for name in LINK_COLUMNS if name not in {"source", "target", "kind"}]
    return _finite(links.of_kind(kind)).select(
        _feature_id(links.lower, "source").alias("source"),
        _feature_id(links.upper, "target").alias("target"),
        pl.lit(links.run.id).alias("run"),
        *measured,
    )


def _feature_id(site: Site, index: str) -> pl.Expr:
    return pl.concat_str(pl.lit(f"{site.id}/"), pl.col(index))


def _contexts(table: pl.DataFrame | None) -> pl.DataFrame:
    """Return ``index`` and ``contexts`` of the features that have any."""
    if table is None:
        return pl.DataFrame(schema={"index": pl.Int32, "contexts": pl.String})
    context = pl.struct(pl.exclude("feature")).struct.json_encode()
    found = _finite(table).sort("feature", "rank").select(index="feature", contexts=context)
    texts = _json_list(pl.col("contexts").str.join(",")).alias("contexts")
    return found.group_by("index", maintain_order=True).agg(texts)


def _json_list(items: pl.Expr) -> pl.Expr:
    return pl.concat_str(pl.lit("["), items, pl.lit("]"))


def _finite(table: pl.DataFrame) -> pl.DataFrame:
    return table.with_columns(pl.col(pl.Float64, pl.Float32).fill_nan(None))
