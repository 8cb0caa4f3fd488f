"""A time limit over several questions: an answer that takes many of them keeps it as one question does."""

import time
from collections.abc import Mapping
from typing import Any

from analysis.errors import StoreError
from graphdb.refusals import explain
from graphdb.store import READ_TIMEOUT, Store
from graphdb.time_limit import check_time_limit
from queries.catalogue import Query

Row = dict[str, Any]


class Patience:
    """A store that is asked until a time has passed.

    Parameters
    ----------
    store
        An open database.
    seconds
        From now until the whole answer is given up.

    Raises
    ------
    MisuseError
        Nobody could mean such a limit.
    """

    def __init__(self, store: Store, seconds: float = READ_TIMEOUT) -> None:
        self.store, self._seconds = store, check_time_limit(seconds)
        self._until = time.monotonic() + seconds

    @property
    def address(self) -> str:
        """What a message calls the database."""
        return self.store.address

    def read(self, cypher: str, params: Mapping[str, Any] | None = None) -> list[Row]:
        """Answer one of the questions in the time that is left.

        Raises
        ------
        StoreError
            The time has passed, or the database refused.
        """
        self.check()
        try:
            return self.store.read(cypher, params, self._until - time.monotonic())
        except StoreError as error:
            # the database would name the time that was left for this one question
            self.check(error)
            raise

    def gather(self, asked: Query, params: Mapping[str, Any]) -> list[Row]:
        """Answer a query of the catalogue, its rows in no order.

        They come as one record: thousands of small ones take ArcadeDB and the driver three times as long.
        """
        (answer,) = self.read(gathered(asked), params)
        names = [column.name for column in asked.columns]
        return [dict(zip(names, row, strict=True)) for row in answer["rows"]]

    def check(self, cause: BaseException | None = None) -> None:
        """Refuse to go on when the time has passed; an answer that is not whole is none."""
        if time.monotonic() >= self._until:
            raise StoreError(explain(TimeoutError(), self.store.address, self._seconds)) from cause


def gathered(asked: Query) -> str:
    """Return the text of a query that answers with a list of its rows, unordered, in one record."""
    found, _, answer = asked.cypher.rpartition("\nRETURN ")
    columns, _, _ = answer.partition("\nORDER BY ")
    names = ", ".join(column.name for column in asked.columns)
    return f"{found}\nWITH {columns}\nRETURN collect([{names}]) AS rows"
