"""The option that names where finished work is kept, and the names of the places in it."""

import argparse
import hashlib
import json
from pathlib import Path


def add_work(parser: argparse.ArgumentParser, what: str) -> None:
    """Add ``--work``: where `what` is kept."""
    parser.add_argument(
        "--work",
        type=Path,
        default=Path("stratigraph-work"),
        metavar="DIR",
        help=f"where {what} is kept (./stratigraph-work)",
    )


def key_of(config: object) -> str:
    """Name a directory after the configuration of what it holds, JSON values only."""
    return hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()[:12]
