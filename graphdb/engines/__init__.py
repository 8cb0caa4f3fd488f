"""The database servers that a directory of ours can have, one file each."""

from graphdb.engines import arcadedb, neo4j
from graphdb.engines.engine import Engine

_ENGINES = {engine.name: engine for engine in (arcadedb.ENGINE, neo4j.ENGINE)}


def engine_called(name: str) -> Engine:
    """Return the engine that a directory's state file or ``--engine`` names."""
    return _ENGINES[name]
