"""Answers as files and streams for other programs: json, csv and parquet, unrounded and whole."""

import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from analysis.errors import MisuseError, StratigraphError

Row = Mapping[str, Any]
Columns = Sequence[str] | Mapping[str, str]

FORMATS = ("table", "json", "csv", "parquet")


def write(rows: Sequence[Row], columns: Columns | None, form: str, output: str | None = None) -> None:
    """Write rows as `form` to the file `output`, or to stdout.

    In csv and parquet nested values are JSON text. json is one array of objects; NaN and infinities, which
    JSON does not have, are null.
    """
    data = encode(rows, columns, form)
    if output is not None:
        try:
            Path(output).write_bytes(data)
        except OSError as error:
            raise StratigraphError(
                f"cannot write {output}: {error.strerror}; give another --output"
            ) from error
        return
    if form == "parquet" and sys.stdout.isatty():
        raise MisuseError("parquet is no text for a terminal; add --output FILE, or send it into a file")
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def encode(rows: Sequence[Row], columns: Columns | None, form: str) -> bytes:
    """Return rows as the bytes of a json, csv or parquet file."""
    if form == "json":
        return (json.dumps(_jsonable(list(rows)), ensure_ascii=False, indent=1) + "\n").encode()
    import io  # noqa: PLC0415  json needs neither

    from queries.frames import frame  # noqa: PLC0415  json needs no polars

    table = frame(rows, columns, nested_as_text=True)
    buffer = io.BytesIO()
    if form == "csv":
        table.write_csv(buffer)
    else:
        table.write_parquet(buffer)
    return buffer.getvalue()


def _jsonable(value: Any) -> Any:  # noqa: ANN401  any JSON value
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: _jsonable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_jsonable(item) for item in value]
    return value
