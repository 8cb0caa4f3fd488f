"""Answers as polars frames."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

Row = Mapping[str, Any]

_KINDS: Mapping[str, type[pl.DataType]] = {
    **dict.fromkeys(("id", "site", "kind", "procedure", "created", "label", "label_source"), pl.String),
    **dict.fromkeys(("neuronpedia", "community", "top_tokens", "contexts", "feature"), pl.String),
    **dict.fromkeys(("fdr", "null", "weight", "q_shuffle", "q_value", "partial_correlation"), pl.Float64),
    **dict.fromkeys(("decoder_cosine", "frequency", "mean_activation", "max_activation"), pl.Float64),
    **dict.fromkeys(("standard_error", "correlation"), pl.Float64),
    **dict.fromkeys(("r_star", "features", "edges", "replicates", "observed", "null_replicates"), pl.Int64),
    **dict.fromkeys(("degree", "hops", "coactivation"), pl.Int64),
    "complete": pl.Boolean,
}


def frame(
    rows: Sequence[Row], columns: Sequence[str] | None = None, nested_as_text: bool = False
) -> pl.DataFrame:
    """Return rows as a frame; `columns` names them where there may be no row.

    A column of ours that has no value at all keeps its type; one of a free query is then of type null.
    Lists and maps become JSON text if `nested_as_text`.
    """
    names = list(columns or (rows[0] if rows else ()))
    series = []
    for name in names:
        values = [row.get(name) for row in rows]
        if nested_as_text:
            values = [as_text(value) if isinstance(value, dict | list) else value for value in values]
        made = pl.Series(name, values, strict=False)
        if columns is not None and made.dtype == pl.Null and name in _KINDS:
            made = made.cast(_KINDS[name])
        series.append(made)
    return pl.DataFrame(series)


def as_text(value: Any) -> str:  # noqa: ANN401  any JSON value
    """Return a nested value as JSON text."""
    return json.dumps(value, ensure_ascii=False)
