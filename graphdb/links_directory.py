"""The links directory (``stratigraph-links``, version 1): what `link` leaves beside what it stores.

``links.parquet`` and ``fates.parquet`` have the columns of ``analysis.layer_links``; ``links.json`` is
written last and by one rename, so a directory that has it is whole.
"""

import json
from pathlib import Path
from typing import Any

import polars as pl

from analysis.errors import DataError
from analysis.layer_links import LayerLinks
from analysis.run import Run
from analysis.site import Site
from graphdb.graph_directory import write_whole

FORMAT = "stratigraph-links"
VERSION = 1
_COUNTS = ("n_lower", "n_upper", "n_tokens", "n_replicates", "carried", "made", "gone")


def write_links(path: Path, links: LayerLinks) -> None:
    """Write `links` into directory `path`; ``links.json`` comes last."""
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "lower": links.lower.to_json(),
        "upper": links.upper.to_json(),
        "run": links.run.to_json(),
        **{name: getattr(links, name) for name in _COUNTS},
        "links": links.links.height,
        "left_out": dict(links.left_out),
    }
    write_whole(path, {"links": links.links, "fates": links.fates}, "links.json", manifest)


def has_links(path: Path) -> bool:
    """Say whether `path` holds finished links."""
    return (path / "links.json").is_file()


def is_links(path: Path) -> bool:
    """Whether a directory is one of links, rather than of a graph."""
    return (path / "links.json").is_file()


def read_links(path: Path) -> LayerLinks:
    """Read a finished links directory.

    Raises
    ------
    DataError
        It is of another format or version, or something of it is missing or broken.
    """
    file = path / "links.json"
    remedy = f"; remove {path} and run link again"
    try:
        manifest: dict[str, Any] = json.loads(file.read_text())
        if manifest["format"] != FORMAT or manifest["version"] != VERSION:
            raise DataError(f"{file}: not a {FORMAT} file of version {VERSION}{remedy}")
        found = LayerLinks(
            lower=Site.from_json(manifest["lower"], str(file)),
            upper=Site.from_json(manifest["upper"], str(file)),
            run=Run(**manifest["run"]),
            **{name: manifest[name] for name in _COUNTS},
            links=pl.read_parquet(path / "links.parquet"),
            fates=pl.read_parquet(path / "fates.parquet"),
            left_out=manifest["left_out"],
        )
    except (ValueError, KeyError, TypeError, OSError, pl.exceptions.PolarsError) as error:
        raise DataError(f"{path}: cannot be read ({error}){remedy}") from error
    if found.links.height != manifest["links"]:
        raise DataError(
            f"{path}: links.parquet holds {found.links.height} links, links.json says {manifest['links']}"
            f"{remedy}"
        )
    return found
