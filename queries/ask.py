"""A question by name from the catalogue, or as Cypher."""

import json
from collections.abc import Mapping
from typing import Any

from analysis.errors import MisuseError
from graphdb.runs import find_run
from graphdb.store import READ_TIMEOUT, Store
from queries.catalogue import Parameter, Query, named
from queries.features import site_of

Row = dict[str, Any]

_EXPECTED: Mapping[str, tuple[type, ...]] = {"integer": (int,), "number": (int, float), "boolean": (bool,)}


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
        Seconds until the question is given up.
    write
        The text changes the database; there is no time limit then.
    """
    given = dict(params or {})
    if is_cypher(name_or_cypher):
        return store.write(name_or_cypher, given) if write else store.read(name_or_cypher, given, timeout)
    chosen = named(name_or_cypher)
    return store.read(chosen.cypher, bind(store, chosen, given), timeout)


def is_cypher(text: str) -> bool:
    """Whether a text is Cypher and no name: it holds white space or a parenthesis."""
    return any(letter.isspace() or letter in "()" for letter in text.strip())


def split_param(text: str) -> tuple[str, str]:
    """Split ``name=value``."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise MisuseError(f"--param {text!r}: expected NAME=VALUE, such as --param limit=5")
    return name, value


def literal(text: str) -> Any:  # noqa: ANN401  any JSON value
    """Return the value that a text is as JSON, or the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def bind(store: Store, chosen: Query, given: Mapping[str, Any]) -> Row:
    """Return a value for each parameter of a query of the catalogue: given, default, or the newest run."""
    known = {parameter.name: parameter for parameter in chosen.parameters}
    if unknown := sorted(set(given) - set(known)):
        names = ", ".join(known) or "none"
        raise MisuseError(f"query {chosen.name} has no parameter {unknown[0]!r}; it has: {names}")
    values: Row = {}
    for name, parameter in known.items():
        if parameter.required and given.get(name) is None:
            raise MisuseError(
                f"query {chosen.name} needs --param {name}=... ({parameter.kind}: {parameter.about})"
            )
        if parameter.kind != "run":
            values[name] = _typed(chosen, parameter, given.get(name, parameter.default))
        if parameter.kind == "feature":
            site_of(store, values[name])
    site = next((site_of(store, values[p.name]) for p in chosen.parameters if p.kind == "feature"), None)
    for name, parameter in known.items():
        if parameter.kind == "run":
            run = given.get(name)
            values[name] = find_run(store, None if run is None else str(run), site)["id"]
    return values


def _typed(chosen: Query, parameter: Parameter, value: Any) -> Any:  # noqa: ANN401  any JSON value
    if parameter.kind in {"string", "feature"}:
        return None if value is None else str(value)
    if isinstance(value, str):
        value = literal(value)
    if value is None:
        return None
    if parameter.kind == "list":
        return value if isinstance(value, list) else [value]
    fits = isinstance(value, _EXPECTED[parameter.kind])
    if not fits or (isinstance(value, bool) and parameter.kind != "boolean"):
        raise MisuseError(
            f"query {chosen.name}: --param {parameter.name} is {value!r}; expected {parameter.kind} "
            f"({parameter.about})"
        )
    return value
