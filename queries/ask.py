"""A question by name from the catalogue, or as Cypher."""

from collections.abc import Mapping
from typing import Any

from analysis.errors import DataError, MisuseError
from graphdb.store import READ_TIMEOUT, Store
from graphdb.time_limit import check_time_limit
from queries.bind import bind
from queries.catalogue import Query, named
from queries.patience import Patience
from queries.walks import WALKS

Row = dict[str, Any]


def query(
    store: Store,
    name_or_cypher: str,
    params: Mapping[str, Any] | None = None,
    timeout: float = READ_TIMEOUT,
    write: bool = False,
) -> list[Row]:
    """Answer a query of the catalogue, or Cypher.

    Parameters
    ----------
    store
        An open database, for writing if `write`.
    name_or_cypher
        One word is a name, anything longer is Cypher.
    params
        Values for the text's ``$names``; always bound, never written into the text. For a query of the
        catalogue a text may stand for a value of the declared kind.
    timeout
        Seconds until the answer is given up, with all that is asked to find it.
    write
        The text changes the database; there is no time limit then.

    Raises
    ------
    MisuseError
        There is no such query, a parameter or the limit does not fit, or nothing would keep the Cypher from
        writing.
    StoreError
        The database refused, or the time has passed: never an empty answer instead.
    """
    given = dict(params or {})
    if is_cypher(name_or_cypher):
        if write:
            return store.write(name_or_cypher, given)
        store.check_kept_from_writing()
        return store.read(name_or_cypher, given, check_time_limit(timeout))
    chosen = named(name_or_cypher)
    patience = Patience(store, timeout)
    values = bind(patience, chosen, given)
    if chosen.walk is not None:
        answer = WALKS[chosen.name](patience, values)
    else:
        _check_stored(patience, chosen, values)
        answer = patience.read(chosen.cypher, values)
    patience.check()
    return answer


def is_cypher(text: str) -> bool:
    """Whether a text is Cypher and no name: it holds white space or a parenthesis."""
    return any(letter.isspace() or letter in "()" for letter in text.strip())


def split_param(text: str) -> tuple[str, str]:
    """Split ``name=value``."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise MisuseError(f"--param {text!r}: expected NAME=VALUE, such as --param limit=5")
    return name, value


def _check_stored(patience: Patience, chosen: Query, values: Row) -> None:
    """Refuse to answer from numbers that the run does not hold."""
    if not chosen.stored:
        return
    # the names are those of the catalogue, letters and underscores
    absent = ", ".join(f"r.{name} IS NULL AS {name}" for name in chosen.stored)
    (found,) = patience.read(f"MATCH (r:Run {{id: $run}}) RETURN {absent}", {"run": values["run"]})
    if missing := [name for name in chosen.stored if found[name]]:
        raise DataError(
            f"run {values['run']} was loaded without the numbers that {chosen.name} reads "
            f"({', '.join(missing)}); load its graph again: stratigraph load GRAPH_DIR"
        )
