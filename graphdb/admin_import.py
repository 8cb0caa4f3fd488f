"""Layer graphs as the files that ``neo4j-admin database import`` reads: a first load of millions of rows.

::

    OUT/
        sites.csv  runs.csv  of.csv
        features-0.csv  in-0.csv            of each site
        measured-0.csv  depends-0.csv       of each run, in the order of runs.csv
        import.args                         the options of the import, for ``neo4j-admin ... @import.args``
        finish.cypher                       what is left to do once the database runs

The database is then what `graphdb.load` would have made of the same graphs, one after the other. Text is
quoted and what has no value is an empty field, so the two stay apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import polars as pl

from analysis.errors import MisuseError, StoreError
from analysis.layer_graph import LayerGraph
from graphdb.cypher import statement, statements
from graphdb.one_width import check_width
from graphdb.properties import run_properties, site_properties
from graphdb.schema import ensure_schema
from graphdb.store import Store
from graphdb.tables import edge_table, feature_table, labelled, measurement_table

_ARRAY = ";"
_OPTIONS = ("--multiline-fields=true", f"--array-delimiter={_ARRAY}")
_TYPES: Mapping[Any, str] = {
    pl.String: "",
    pl.Boolean: ":boolean",
    pl.Int32: ":long",
    pl.Int64: ":long",
    pl.Float64: ":double",
    # of a list that is empty in all rows; all lists are of whole numbers
    pl.Null: ":long",
}


@dataclass(frozen=True)
class _End:
    """A column of ids: of the nodes themselves, or of those that a relationship joins."""

    column: str
    role: str
    group: str

    @property
    def header(self) -> str:
        """What the file calls it; only a node keeps the id as a property."""
        name = self.column if self.role == "ID" else ""
        return f"{name}:{self.role}({self.group})"


def write_import(out: Path, graphs: Sequence[LayerGraph]) -> None:
    """Write the files of an import into directory `out`, made if absent.

    Parameters
    ----------
    out
        Absent or empty.
    graphs
        Any number, of any sites; the same run twice counts once.

    Raises
    ------
    DataError
        Two graphs say that one site has different numbers of features.
    StoreError
        A file cannot be written.
    """
    graphs = list({graph.run.id: graph for graph in graphs}.values())
    try:
        out.mkdir(parents=True, exist_ok=True)
        arguments = _write_all(out, graphs)
        finish = f"{statement('schema')}{statement('fill_lists')}"
        (out / "finish.cypher").write_text(finish, encoding="utf-8")
        # the last one: a directory that has it is whole
        (out / "import.args").write_text("".join(f"{line}\n" for line in arguments), encoding="utf-8")
    except OSError as error:
        raise StoreError(
            f"cannot write {error.filename or out}: {error.strerror}; make room or allow it"
        ) from error


def check_import(files: Path) -> None:
    """Refuse a folder that is not what `write_import` makes.

    Raises
    ------
    MisuseError
        It has no import.args.
    """
    if not (files / "import.args").is_file():
        raise MisuseError(
            f"{files} has no import.args; expected what `stratigraph export GRAPH_DIR --to neo4j-admin --out "
            f"{files}` makes"
        )


def finish_import(store: Store) -> None:
    """Do in a database that was imported what is left to do."""
    ensure_schema(store)
    for text in statements("fill_lists"):
        store.write(text)


def _write_all(out: Path, graphs: Sequence[LayerGraph]) -> list[str]:
    arguments = [*_OPTIONS]
    site, run, feature = _End("id", "ID", "Site"), _End("id", "ID", "Run"), _End("id", "ID", "Feature")
    sites = {
        graph.site.id: {"id": graph.site.id, **site_properties(graph.site, graph.n_features)}
        for graph in graphs
    }
    runs = [{"id": graph.run.id, "complete": True, **run_properties(graph)} for graph in graphs]
    of = [{"run": graph.run.id, "site": graph.site.id} for graph in graphs]
    arguments += [
        _nodes(out, "sites", "Site", _frame(list(sites.values())), site),
        _nodes(out, "runs", "Run", _frame(runs), run),
        _relationships(out, "of", "OF", _frame(of), _from("run", "Run"), _to("site", "Site")),
    ]
    by_site = sorted(graphs, key=lambda graph: graph.site.id)
    for place, (_, some) in enumerate(groupby(by_site, key=lambda graph: graph.site.id)):
        there = list(some)
        features = _features(there)
        arguments += [
            _nodes(out, f"features-{place}", "Feature", features, feature),
            _relationships(
                out,
                f"in-{place}",
                "IN",
                features.select("id", "site"),
                _from("id", "Feature"),
                _to("site", "Site"),
            ),
        ]
    for place, graph in enumerate(graphs):
        ends = _from("feature", "Feature"), _to("run", "Run")
        arguments.append(
            _relationships(out, f"measured-{place}", "MEASURED_IN", measurement_table(graph), *ends)
        )
        ends = _from("source", "Feature"), _to("target", "Feature")
        arguments.append(_relationships(out, f"depends-{place}", "DEPENDS", edge_table(graph), *ends))
    return arguments


def _features(graphs: Sequence[LayerGraph]) -> pl.DataFrame:
    """Return the features of one site with their labels: of the run with most tokens, then the newest."""
    check_width(graphs[0].site.id, {f"in run {graph.run.id}": graph.n_features for graph in graphs})
    order = sorted(graphs, key=lambda graph: graph.run.id)
    order.sort(key=lambda graph: (graph.n_tokens, graph.run.created), reverse=True)
    label = pl.select(pl.coalesce([graph.features["label"] for graph in order])).to_series()
    return labelled(feature_table(graphs[0].site, graphs[0].n_features), label)


def _from(column: str, group: str) -> _End:
    return _End(column, "START_ID", group)


def _to(column: str, group: str) -> _End:
    return _End(column, "END_ID", group)


def _nodes(out: Path, name: str, label: str, table: pl.DataFrame, key: _End) -> str:
    return f"--nodes={label}={_write(out, name, table, key)}"


def _relationships(out: Path, name: str, kind: str, table: pl.DataFrame, start: _End, end: _End) -> str:
    return f"--relationships={kind}={_write(out, name, table, start, end)}"


def _write(out: Path, name: str, table: pl.DataFrame, *ends: _End) -> str:
    """Write one file; returns its name."""
    roles = {end.column: end.header for end in ends}
    headers = {column: roles.get(column) or f"{column}{_type(table[column])}" for column in table.columns}
    lists = [column for column, kind in table.schema.items() if isinstance(kind, pl.List)]
    flat = table.with_columns(pl.col(column).cast(pl.List(pl.String)).list.join(_ARRAY) for column in lists)
    file = f"{name}.csv"
    flat.rename(headers).write_csv(out / file, quote_style="non_numeric")
    return file


def _type(column: pl.Series) -> str:
    if isinstance(column.dtype, pl.List):
        return f"{_TYPES[column.dtype.inner.base_type()]}[]"
    return _TYPES[column.dtype.base_type()]


def _frame(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, infer_schema_length=None)
