"""Documents in local files: json lines, json, parquet, plain text."""

import json
from collections.abc import Iterator
from pathlib import Path

from analysis.errors import DataError, MisuseError
from ingest.sampling.failure import first_line
from ingest.sampling.paths import files_beside
from ingest.sampling.untyped import Json

SUFFIXES = (".jsonl", ".ndjson", ".json", ".parquet", ".txt")
_ROWS = 256
_PAGES = 1 << 16
"""Rows decoded and bytes read of a parquet file at once."""


def suffix_of(name: str) -> str:
    """Return the text suffix of a file name, empty if it has none of ours."""
    suffix = Path(name).suffix.lower()
    return suffix if suffix in SUFFIXES else ""


def text_files(source: str, out: Path) -> list[Path]:
    """List the text files behind a file, directory or glob, without what the job itself writes under `out`.

    Raises
    ------
    MisuseError
        There are files, but none of a kind that can be read.
    """
    files = [file for file in files_beside(source, out) if suffix_of(file.name)]
    if not files:
        raise MisuseError(
            f"--corpus {source!r} holds no text; expected files ending in {', '.join(SUFFIXES)}"
        )
    return files


def check(files: list[Path], column: str | None) -> None:
    """Refuse a column that the first file does not have, or one named for plain text.

    Raises
    ------
    MisuseError
        The column is not there; the ones that are get listed.
    """
    if all(suffix_of(file.name) == ".txt" for file in files):
        if column is not None:
            raise MisuseError(f"--text-column {column!r}: text files have no columns; leave it out")
        return
    next(documents([file for file in files if suffix_of(file.name) != ".txt"][:1], column), None)


def documents(files: list[Path], column: str | None) -> Iterator[str]:
    """Read the documents of all files, in the order of their names.

    Raises
    ------
    MisuseError
        A record has no text in the column.
    DataError
        A file is not what its name says.
    """
    name = column or "text"
    for file in files:
        kind = suffix_of(file.name)
        if kind == ".txt":
            yield plain(file.read_bytes())
        elif kind == ".parquet":
            yield from parquet(file, name)
        else:
            yield from _json(file, name)


def plain(data: bytes) -> str:
    """Decode plain text: UTF-8, or Latin-1 where it is not."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def row_groups(file: Path) -> list[int]:
    """Return the size of every row group of a parquet file, in bytes before compression.

    Raises
    ------
    DataError
        The file is not what its name says.
    """
    import pyarrow  # noqa: PLC0415  only this kind of file needs it
    import pyarrow.parquet  # noqa: PLC0415

    try:
        found = pyarrow.parquet.read_metadata(file)
        return [found.row_group(i).total_byte_size for i in range(found.num_row_groups)]
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise DataError(f"{file}: not readable as parquet ({first_line(error)}); fetch it again") from error


def parquet(file: Path, column: str, group: int | None = None) -> Iterator[str]:
    """Read the documents of a parquet file, or of one row group of it.

    Raises
    ------
    MisuseError
        There is no such column, or it holds no text.
    DataError
        The file is not what its name says.
    """
    import pyarrow  # noqa: PLC0415  only this kind of file needs it
    import pyarrow.parquet  # noqa: PLC0415

    where = str(file) if group is None else f"{file} row group {group}"
    try:
        # without buffering ahead a row group is read a few pages at a time, however large it is
        table = pyarrow.parquet.ParquetFile(file, pre_buffer=False, buffer_size=_PAGES)
        if column not in table.schema_arrow.names:
            raise _no_column(column, file, table.schema_arrow.names)
        groups = range(table.num_row_groups) if group is None else [group]
        number = 0
        for batch in table.iter_batches(_ROWS, row_groups=list(groups), columns=[column]):
            for text in batch.column(0).to_pylist():
                yield _text(text, column, f"{where} row {number}")
                number += 1
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise DataError(f"{file}: not readable as parquet ({first_line(error)}); fetch it again") from error


def _json(file: Path, column: str) -> Iterator[str]:
    """Read json lines, or one json array of records."""
    if file.suffix.lower() == ".json" and (records := _array(file)) is not None:
        for number, record in enumerate(records):
            yield _record(record, column, f"{file} record {number}", file)
        return
    with file.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            if line.strip():
                yield record_of(line, column, f"{file} line {number}", file)


def record_of(line: bytes, column: str, where: str, file: Path) -> str:
    """Return the text of one line of json; `where` is what a refusal calls it.

    Raises
    ------
    MisuseError
        The record has no text in the column.
    DataError
        The line is no record.
    """
    try:
        record = json.loads(_decoded(line, where))
    except ValueError as error:
        raise DataError(f"{where}: not JSON ({error}); expected one record per line") from error
    return _record(record, column, where, file)


def _array(file: Path) -> list[Json] | None:
    """Return the records of a file that is one json array or object, None if it holds a record per line."""
    data = file.read_bytes()
    try:
        value = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        number = 1 + data.count(b"\n", 0, error.start)
        raise _not_utf8(f"{file} line {number}", error) from error
    except ValueError:
        return None
    return value if isinstance(value, list) else [value]


def _decoded(line: bytes, where: str) -> str:
    try:
        return line.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_utf8(where, error) from error


def _not_utf8(where: str, error: UnicodeDecodeError) -> DataError:
    return DataError(
        f"{where}: byte 0x{error.object[error.start]:02x} is not UTF-8; expected JSON in UTF-8, "
        "convert the file (iconv -f latin1 -t utf-8)"
    )


def _record(record: Json, column: str, where: str, file: Path) -> str:
    if not isinstance(record, dict):
        raise DataError(f"{where} is {str(record)[:40]!r}; expected an object with a column {column!r}")
    if column not in record:
        raise _no_column(column, file, list(record))
    return _text(record[column], column, where)


def _text(value: Json, column: str, where: str) -> str:
    if not isinstance(value, str):
        raise MisuseError(
            f"{where}: column {column!r} holds {str(value)[:40]!r}, not text; name another --text-column"
        )
    return value


def _no_column(column: str, file: Path, there: list[str]) -> MisuseError:
    return MisuseError(f"--text-column {column!r} is not in {file}; its columns are {', '.join(there)}")
