"""What the database finds at once: all by their ids, which are unique, and communities by their run."""

from analysis.errors import StoreError
from graphdb.cypher import statements
from graphdb.foreign import twice
from graphdb.store import Store


def ensure_schema(store: Store) -> None:
    """Make the constraints and the index that are not there yet.

    Raises
    ------
    StoreError
        Nodes that somebody else wrote bear one of our labels and the same id, or the database refused.
    """
    for text in statements("schema"):
        try:
            store.write(text)
        except StoreError as error:
            sentence = twice(store)
            if sentence is None:
                raise
            raise StoreError(sentence) from error
