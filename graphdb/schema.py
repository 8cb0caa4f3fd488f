"""What the database finds at once: all by their ids, which are unique, and communities by their run."""

from graphdb.cypher import statements
from graphdb.store import Store


def ensure_schema(store: Store) -> None:
    """Make the constraints and the index that are not there yet."""
    for text in statements("schema"):
        store.write(text)
