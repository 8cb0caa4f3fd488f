"""Fixtures: the small model's two SAEs and what fires on some of its text; what databases are tested on."""

from pathlib import Path

import pytest

from ingest.sampling import SampleConfig
from ingest.verification import VerifyConfig
from tests.graphdb.stores import address, reader, store
from tests.sampling.conftest import Tiny, pytest_configure, tiny
from tests.verification.small import Read, read_rows

__all__ = ["Tiny", "address", "pytest_configure", "reader", "store", "tiny"]


def organism(**changes: object) -> VerifyConfig:
    """A small verification on the built-in model."""
    reading = SampleConfig("organism", "organism", "organism", Path("/dev/null"))
    return VerifyConfig(reading, **{"links": 40, "tokens": 8000, **changes})  # type: ignore[arg-type]  # as various as the fields


@pytest.fixture(scope="session")
def small() -> Read:
    """Layers 1 and 2 of the built-in model and what fires on 8,000 tokens."""
    return read_rows(1, 2, 8000)
