"""What databases links are loaded into."""

from tests.graphdb.stores import address, store

__all__ = ["address", "store"]
