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
    **dict.fromkeys(("degree", "hops", "coactivation", "size"), pl.Int64),
    **dict.fromkeys(("through", "scope"), pl.String),
    "score": pl.Float64,
    "complete": pl.Boolean,
}


_DECLARED: Mapping[str, type[pl.DataType]] = {
    "string": pl.String,
    "integer": pl.Int64,
    "number": pl.Float64,
    "boolean": pl.Boolean,
}
"""The kinds that the catalogue gives to columns."""

_WHOLE = 2**53
"""Up to this size a float holds every whole number."""


def frame(
    rows: Sequence[Row],
    columns: Sequence[str] | Mapping[str, str] | None = None,
    nested_as_text: bool = False,
) -> pl.DataFrame:
    """Return rows as a frame; `columns` names them where there may be no row.

    A column of ours that has no value at all keeps its type, and so does each whose kind `columns` declares;
    one of a free query without a value is of type null. Lists and maps become JSON text if `nested_as_text`.
    Where the values of a column are of several kinds, of which none holds the others unchanged, all of them
    become JSON text.
    """
    declared = columns if isinstance(columns, Mapping) else {}
    names = list(columns or (rows[0] if rows else ()))
    series = []
    for name in names:
        values = [row.get(name) for row in rows]
        kind = _DECLARED.get(declared.get(name, ""))
        if kind is None and _mixed(values):
            values = [None if value is None else as_text(value) for value in values]
        elif nested_as_text:
            values = [as_text(value) if isinstance(value, dict | list) else value for value in values]
        made = pl.Series(name, values, strict=False)
        if kind is None and columns is not None and made.dtype == pl.Null:
            nested = nested_as_text and declared.get(name) == "list"
            kind = pl.String if nested else _KINDS.get(name)
        made = made if kind is None else made.cast(kind)
        series.append(made)
    return pl.DataFrame(series)


def _mixed(values: Sequence[Any]) -> bool:
    """Whether no one type holds all of these values unchanged; numbers are one where floats hold them all."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int, float}:
        return any(isinstance(value, int) and abs(value) > _WHOLE for value in values)
    return len(kinds) > 1


def as_text(value: Any) -> str:  # noqa: ANN401  any JSON value
    """Return a nested value as JSON text."""
    return json.dumps(value, ensure_ascii=False)
