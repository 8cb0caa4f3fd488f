"""A value for each parameter of a query of the catalogue: given, its default, or found in the database."""

import json
from collections.abc import Mapping
from typing import Any

from analysis.errors import MisuseError
from graphdb.refusals import shortened
from graphdb.runs import find_run, list_runs, newest_runs, sites_and_runs
from queries.catalogue import Parameter, Query, named
from queries.features import features_there
from queries.patience import Patience

Row = dict[str, Any]

_EXPECTED: Mapping[str, tuple[type, ...]] = {
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "map": (dict,),
    "numbers": (dict,),
}
_IN_WORDS = {
    "map": 'a map, as JSON such as {"gpt2-small/8-res-jb/14057": true}',
    "numbers": 'a map of numbers, as JSON such as {"gpt2-small/8-res-jb/14057": 0.5}',
}
_TEXTS = ("string", "feature", "community")
_OF_RUNS = {"run", "runs", "links", "clustering"}
_LISTS = ("list", "features", "runs")
_EDGES_OF = ("layer", "links")
"""Kinds of runs whose edges and links are followed."""
_ALL = 10**9
"""What a limit of 0 is to the database; ArcadeDB takes larger ones for negative."""


def bind(patience: Patience, chosen: Query, given: Mapping[str, Any]) -> Row:
    """Return a value for each parameter of a query.

    Raises
    ------
    MisuseError
        A parameter is unknown, missing, of another kind or none of its choices, or names what is not there.
    """
    known = {parameter.name: parameter for parameter in chosen.parameters}
    if unknown := sorted(set(given) - set(known)):
        names = ", ".join(known) or "none"
        raise MisuseError(f"query {chosen.name} has no parameter {unknown[0]!r}; it has: {names}")
    check_limit(given.get("limit"))
    values = {}
    for name, parameter in known.items():
        value = typed(chosen, parameter, given.get(name))
        if value is None and parameter.required:
            raise MisuseError(
                f"query {chosen.name} needs --param {name}=... ({parameter.kind}: {parameter.about})"
            )
        _check_choice(chosen, parameter, value)
        values[name] = parameter.default if value is None else value
    if "limit" in values:
        values["limit"] = values["limit"] or _ALL
    kinds = {name: parameter.kind for name, parameter in known.items()}
    sites, runs = _sites_of_features(patience, values, kinds)
    return values | _runs(patience, values, kinds, sites, runs) | _communities(patience, values, kinds)


def check_limit(limit: Any) -> None:  # noqa: ANN401  any JSON value
    """Refuse a limit below 0; other values that are none are refused by their kind."""
    if isinstance(limit, str):
        limit = literal(limit)
    if isinstance(limit, int | float) and limit < 0:
        raise MisuseError(f"limit is {limit}; expected 1 or more, or 0 for all")


def literal(text: str) -> Any:  # noqa: ANN401  any JSON value
    """Return the value that a text is as JSON, or the text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def typed(chosen: Query, parameter: Parameter, value: Any) -> Any:  # noqa: ANN401  any JSON value
    """Return a value as the declared kind; a text may stand for one of any kind."""
    if parameter.kind in {*_TEXTS, "run", "links", "clustering"}:
        return None if value is None else str(value)
    if isinstance(value, str):
        value = literal(value)
    if value is None:
        return None
    if parameter.kind in _LISTS:
        items = value if isinstance(value, list) else [value]
        # a feature given twice would have each of its rows twice
        return list(dict.fromkeys(map(str, items))) if parameter.kind == "features" else items
    if parameter.kind == "integer" and isinstance(value, float) and value.is_integer():
        # as 1e3 is
        value = int(value)
    fits = isinstance(value, _EXPECTED[parameter.kind])
    if not fits or (isinstance(value, bool) and parameter.kind != "boolean"):
        expected = _IN_WORDS.get(parameter.kind, parameter.kind)
        raise MisuseError(
            f"query {chosen.name}: --param {parameter.name} is {shortened(repr(value))}; expected {expected} "
            f"({parameter.about})"
        )
    if parameter.kind == "numbers":
        _check_numbers(chosen, parameter, value)
    if parameter.kind == "integer":
        if value < 0:
            raise MisuseError(
                f"query {chosen.name}: --param {parameter.name} is {value}; expected 0 or more "
                f"({parameter.about})"
            )
        # they all count something, of which there is less
        return min(value, _ALL)
    if parameter.kind == "number" and not -(2**63) <= value < 2**63 and not isinstance(value, float):
        raise MisuseError(
            f"query {chosen.name}: --param {parameter.name} is {shortened(str(value))}; "
            "expected a whole number of 64 bits or one with a point"
        )
    if parameter.kind == "number" and value != value:  # noqa: PLR0124  only NaN differs from itself
        raise MisuseError(
            f"query {chosen.name}: --param {parameter.name} is NaN; expected a number ({parameter.about})"
        )
    return value


def _check_numbers(chosen: Query, parameter: Parameter, value: Mapping[str, Any]) -> None:
    """Refuse a map with a value that is no number: the database would compare it, and find nothing."""
    for key, item in value.items():
        if isinstance(item, bool) or not isinstance(item, int | float) or item != item:  # noqa: PLR0124  NaN
            raise MisuseError(
                f"query {chosen.name}: --param {parameter.name} has {shortened(repr(item))} for "
                f"{shortened(repr(key))}; expected a number ({parameter.about})"
            )


def _check_choice(chosen: Query, parameter: Parameter, value: Any) -> None:  # noqa: ANN401  any JSON value
    """Refuse a misspelt word, to which the database would answer that there is nothing."""
    if not (unfit := parameter.unfit(value)):
        return
    holds = "has" if parameter.kind == "list" else "is"
    raise MisuseError(
        f"query {chosen.name}: --param {parameter.name} {holds} {shortened(repr(unfit[0]))}; "
        f"expected {' or '.join(parameter.choices)}"
    )


def _sites_of_features(
    patience: Patience, values: Row, kinds: Mapping[str, str]
) -> tuple[list[str], list[Row]]:
    """Return the sites of the features that the values name, and the runs if any is to be found."""
    ids: list[str] = []
    for name, kind in kinds.items():
        if kind == "feature" and values[name] is not None:
            ids.append(values[name])
        elif kind == "features":
            ids += [str(item) for item in values[name]]
    of_runs = not _OF_RUNS.isdisjoint(kinds.values())
    if not ids:
        return [], list_runs(patience) if of_runs else []
    if not of_runs:
        return sorted({row["site"] for row in features_there(patience, ids).values()}), []
    sites, runs = sites_and_runs(patience, ids)
    if not sites.keys() >= set(ids):
        # says which is not there, and what is near
        features_there(patience, ids)
    return sorted(set(sites.values())), runs


def _runs(
    patience: Patience, values: Row, kinds: Mapping[str, str], sites: list[str], known: list[Row]
) -> Row:
    """Find the runs, in the order in which one says what another is about."""
    found: Row = {}
    for name, kind in kinds.items():
        given = values[name]
        if kind == "runs":
            found[name] = (
                newest_runs(known, _EDGES_OF)
                if given is None
                else [find_run(patience.store, str(run), known=known)["id"] for run in given]
            )
        elif kind == "links":
            found[name] = (
                _newest_links(patience, known) if given is None else _of_kind(patience, given, "links", known)
            )
        elif kind == "clustering":
            found[name] = (
                _newest_clustering(patience)
                if given is None
                else _of_kind(patience, given, "communities", known)
            )
    asked = [name for name, kind in kinds.items() if kind == "run"]
    if asked and len(sites) > 1:
        raise MisuseError(
            f"the features are of {' and '.join(sites)}; a run is about one site: ask each alone"
        )
    site = sites[0] if sites else None
    # a run that is given says of which site the newest is meant where another is left out
    for name in sorted(asked, key=lambda name: values[name] is None):
        chosen = _checked(find_run(patience.store, values[name], site, known=known), "layer")
        found[name], site = chosen["id"], site or next(iter(chosen["sites"]), None)
    if len(asked) > 1 and len({found[name] for name in asked}) == 1:
        raise MisuseError(f"{' and '.join(asked)} are both run {found[asked[0]]}; name two runs of one site")
    return found


def _of_kind(patience: Patience, given: str, kind: str, known: list[Row]) -> str:
    return str(_checked(find_run(patience.store, given, known=known), kind)["id"])


def _checked(run: Row, kind: str) -> Row:
    if run["kind"] != kind:
        raise MisuseError(f"run {run['id']} is of kind {run['kind']}; expected one of kind {kind}")
    return run


def _newest_links(patience: Patience, known: list[Row]) -> str:
    for run in known:
        if run["complete"] and run["kind"] == "links":
            return str(run["id"])
    raise MisuseError(f"{patience.address} has no run that links two sites; `stratigraph link` makes one")


def _newest_clustering(patience: Patience) -> str:
    rows = patience.read(named("clusterings").cypher)
    if not rows:
        raise MisuseError(f"{patience.address} has no communities; `stratigraph cluster` makes some")
    return str(rows[0]["run"])


def _communities(patience: Patience, values: Row, kinds: Mapping[str, str]) -> Row:
    for name in (name for name, kind in kinds.items() if kind == "community"):
        text = "MATCH (c:Community {id: $id}) MATCH (r:Run {id: c.run}) WHERE r.complete RETURN c.id AS id"
        if not patience.read(text, {"id": values[name]}):
            raise MisuseError(
                f"there is no community {values[name]!r} in {patience.address}; "
                "`stratigraph communities` lists them"
            )
    return {}
