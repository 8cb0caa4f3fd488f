"""Answers found by asking the database once a hop: of paths, lineages, neighbourhoods and components."""

from collections.abc import Callable, Mapping
from typing import Any

from queries.patience import Patience
from queries.walks.component import component
from queries.walks.lineage import lineage
from queries.walks.neighborhood import neighborhood
from queries.walks.paths import paths

WALKS: Mapping[str, Callable[[Patience, Mapping[str, Any]], list[dict[str, Any]]]] = {
    "component": component,
    "lineage": lineage,
    "neighborhood": neighborhood,
    "paths": paths,
}
"""By the name of the query that each answers; the values are those of its parameters."""
