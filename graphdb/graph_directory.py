"""The graph directory (``stratigraph-graph``, version 1): what `infer` leaves and `load` reads.

``graph.json`` is written last and by one rename, so a directory that has it is whole.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from analysis.errors import DataError, MisuseError
from analysis.layer_graph import REPLICATE_COLUMNS, LayerGraph
from analysis.run import Run
from analysis.site import Site

FORMAT = "stratigraph-graph"
VERSION = 1
_REMEDY = "; run infer again"


def write_graph(path: Path, graph: LayerGraph) -> None:
    """Write `graph` into directory `path`, replacing tables that are there; ``graph.json`` comes last."""
    tables = {"features": graph.features, "edges": graph.edges, "contexts": graph.contexts}
    write_whole(path, tables, "graph.json", _manifest(graph))


def write_whole(
    path: Path, tables: Mapping[str, pl.DataFrame | None], last: str, manifest: Mapping[str, Any]
) -> None:
    """Write tables and then a manifest into directory `path`, each whole or not at all.

    Parameters
    ----------
    path
        Made if absent.
    tables
        By the name of their file without its end; None where there is none.
    last, manifest
        Name of the manifest's file, and what it says, JSON values only.
    """
    path.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        if table is not None:
            temporary = path / f"{name}.parquet.part"
            table.write_parquet(temporary)
            temporary.replace(path / f"{name}.parquet")
    temporary = path / f"{last}.part"
    temporary.write_text(json.dumps(dict(manifest), indent=1) + "\n")
    temporary.replace(path / last)


def _manifest(graph: LayerGraph) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "site": graph.site.to_json(),
        "run": graph.run.to_json(),
        "n_features": graph.n_features,
        "n_tokens": graph.n_tokens,
        "n_replicates": graph.n_replicates,
        "replicate_table": graph.replicate_table.to_dicts(),
        "r_star": graph.r_star,
        "edges": graph.edges.height,
        "kept": graph.kept,
        "left_out": dict(graph.left_out),
        "certificate": dict(graph.certificate),
    }


def is_finished(path: Path) -> bool:
    """Say whether `path` holds a finished graph."""
    return (path / "graph.json").is_file()


def fault_of(path: Path) -> str | None:
    """Say what does not read of the finished graph in `path`; None where all of it does."""
    try:
        graph = read_graph(path)
        listed = read_manifest(path).get("edges")
    except DataError as error:
        return str(error).removesuffix(_REMEDY)
    if graph.edges.height != listed:
        return f"{path}: edges.parquet holds {graph.edges.height} edges; graph.json says {listed}"
    # Labels are made of the same words.
    if graph.contexts is None and graph.features["label"].is_not_null().any():
        return f"{path}: contexts.parquet is missing"
    return None


def read_manifest(path: Path) -> dict[str, Any]:
    """Read ``graph.json`` of a graph directory and check its format.

    Raises
    ------
    MisuseError
        `path` is no finished graph directory.
    DataError
        It is of another format or version.
    """
    file = path / "graph.json"
    if not file.is_file():
        raise MisuseError(
            f"{path} is not a finished graph directory: it has no graph.json; make one with infer"
        )
    try:
        manifest = json.loads(file.read_text())
    except (ValueError, OSError) as error:
        raise DataError(f"{file}: not readable as JSON ({error}){_REMEDY}") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise DataError(f"{file}: not a {FORMAT} file")
    if manifest.get("version") != VERSION:
        raise DataError(
            f"{file}: version is {manifest.get('version')!r}; this program reads version {VERSION}"
        )
    return manifest


def read_graph(path: Path) -> LayerGraph:
    """Read a finished graph directory.

    Raises
    ------
    MisuseError
        `path` is no finished graph directory.
    DataError
        It is of another format or version, or a table is missing or broken.
    """
    manifest = read_manifest(path)
    try:
        run = Run(**manifest["run"])
        contexts = path / "contexts.parquet"
        return LayerGraph(
            site=Site.from_json(manifest["site"], str(path / "graph.json")),
            run=run,
            n_features=manifest["n_features"],
            n_tokens=manifest["n_tokens"],
            n_replicates=manifest["n_replicates"],
            features=_read_table(path / "features.parquet"),
            edges=_read_table(path / "edges.parquet"),
            replicate_table=_replicate_table(manifest["replicate_table"]),
            contexts=_read_table(contexts) if contexts.exists() else None,
            r_star=manifest["r_star"],
            certificate=manifest["certificate"],
            left_out=manifest["left_out"],
        )
    except (KeyError, TypeError) as error:
        raise DataError(f"{path / 'graph.json'}: incomplete or malformed ({error}){_REMEDY}") from error
    except DataError as error:
        raise DataError(f"{path}: {error}{_REMEDY}") from error


def _replicate_table(rows: Any) -> pl.DataFrame:  # noqa: ANN401  any JSON value
    expected = f"replicate_table is no list of objects with {', '.join(REPLICATE_COLUMNS)}"
    if not isinstance(rows, list):
        raise DataError(f"graph.json: {expected}")
    try:
        named = [{name: row[name] for name in REPLICATE_COLUMNS} for row in rows]
        return pl.DataFrame(named, schema=dict(REPLICATE_COLUMNS))
    except (KeyError, TypeError, ValueError, OverflowError, pl.exceptions.PolarsError) as error:
        raise DataError(f"graph.json: {expected}") from error


def _read_table(file: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(file)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"{file.name} cannot be read ({error})") from error
