"""Fixtures: the small model's two SAEs and what fires on some of its text; what databases are tested on."""

import pytest

from tests.graphdb.stores import address, reader, store
from tests.sampling.conftest import Tiny, pytest_configure, tiny
from tests.verification.small import Read, read_rows

__all__ = ["Tiny", "address", "pytest_configure", "reader", "store", "tiny"]


@pytest.fixture(scope="session")
def small() -> Read:
    """Layers 1 and 2 of the built-in model and what fires on 8,000 tokens."""
    return read_rows(1, 2, 8000)
