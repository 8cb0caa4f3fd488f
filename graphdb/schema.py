"""What the database keeps unique, and so finds at once: the ids of sites, features, runs and communities."""

from graphdb.cypher import statements
from graphdb.store import Store


def ensure_schema(store: Store) -> None:
    """Make the constraints that are not there yet."""
    for text in statements("schema"):
        store.write(text)
