"""ArcadeDB's batch endpoint: nodes and relationships by the ten thousand, where none of them is there yet.

It creates and does not merge, and what is committed stays when a later line fails. A property that is null
would be stored as one, so rows that lack a value are sent apart, without it. The write-ahead log, which the
endpoint leaves out by default, is kept: a server that is killed in the middle opens again.
"""

import io
import json
from base64 import b64encode
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from typing import Any

import polars as pl

from analysis.errors import StoreError
from graphdb.directory import Directory
from graphdb.engines.engine import Advance, RefusedError

_KNOWN = {"id": pl.String, "record": pl.String}
_ROWS = 100_000
"""Rows of a request: what is written of pages that many rows share is then half of what it is with 20,000."""
_SECONDS = 600.0


class Batch:
    """The batch endpoint of a running server.

    Parameters
    ----------
    directory
        Whose server; the user that writes has its password there.
    port
        Where it listens for HTTP, on loopback.
    database
        Name of the database on it.
    """

    def __init__(self, directory: Directory, port: int, database: str) -> None:
        self._directory, self._port, self._database = directory, port, database

    def make_types(self, kinds: tuple[str, ...]) -> None:
        """Make the types of relationships that are not there yet."""
        for kind in kinds:
            body = json.dumps({"language": "sql", "command": f"CREATE EDGE TYPE {kind} IF NOT EXISTS"})
            self._post("command", "application/json", body.encode())

    def nodes(self, label: str, table: pl.DataFrame, advance: Advance) -> pl.DataFrame:
        """Create a node for each row; see `Bulk.nodes`."""
        kind, name = pl.lit("vertex").alias("@type"), pl.lit(label).alias("@class")
        made: dict[str, str] = {}
        for part in _parts(table.select(kind, name, pl.col("id").alias("@id"), pl.all())):
            made |= self._batch(part)["idMapping"]
            advance(part.height)
        return pl.DataFrame({"id": list(made), "record": list(made.values())}, schema=_KNOWN)

    def relationships(self, kind: str, table: pl.DataFrame, advance: Advance) -> None:
        """Create a relationship for each row; see `Bulk.relationships`."""
        edge, name = pl.lit("edge").alias("@type"), pl.lit(kind).alias("@class")
        ends = pl.col("from").alias("@from"), pl.col("to").alias("@to")
        for part in _parts(table.select(edge, name, *ends, pl.exclude("from", "to"))):
            self._batch(part)
            advance(part.height)

    def _batch(self, part: pl.DataFrame) -> Any:  # noqa: ANN401  what the server says
        lines = io.BytesIO()
        part.write_ndjson(lines)
        return self._post("batch", "application/x-ndjson", lines.getvalue(), "?wal=true&idMapping=true")

    def _post(self, verb: str, kind: str, body: bytes, options: str = "") -> Any:  # noqa: ANN401  likewise
        user = self._directory.writer
        secret = b64encode(f"{user}:{self._directory.password(user)}".encode()).decode()
        headers = {"Authorization": f"Basic {secret}", "Content-Type": kind}
        connection = HTTPConnection("127.0.0.1", self._port, timeout=_SECONDS)
        try:
            connection.request("POST", f"/api/v1/{verb}/{self._database}{options}", body, headers)
            answer = connection.getresponse()
            status, said = answer.status, json.loads(answer.read())
        except (OSError, HTTPException, ValueError) as error:
            raise StoreError(f"the server of {self._directory.path} went away: {error}") from error
        finally:
            connection.close()
        if status != 200:
            raise RefusedError(
                f"the server of {self._directory.path} refused a batch: {said.get('detail', said)}"
            )
        return said


def _parts(table: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Yield the rows, those together that lack the same values, without the columns that they lack."""
    for part in table.iter_slices(_ROWS):
        lacking = [name for name in part.columns if part[name].null_count()]
        if not lacking:
            yield part
            continue
        by = pl.struct(pl.col(name).is_null() for name in lacking)
        for _, alike in part.group_by(by, maintain_order=True):
            yield alike.select(name for name in alike.columns if not alike[name].null_count())
