from tests.graphdb.stores import address, reader, store

__all__ = ["address", "reader", "store"]
