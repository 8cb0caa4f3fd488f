"""The catalogue: every query that stands beside this file as a ``.cypher`` text, with its types.

A text opens with comment lines: what it answers, then ``param NAME: KIND [in CHOICE, ...] [= DEFAULT] --
meaning`` and ``column NAME: KIND -- meaning``. A string, and each item of a list, is one of the choices where
there are any. A default is JSON; a parameter without one must be given, unless its kind says which value
stands for it.

Two more lines may follow. ``walk: NAME`` says that the query has no text of its own: it is answered by asking
the query NAME once a hop, in the Python function that bears this query's name. ``stored: PROPERTY ...`` names
the properties of the run that hold its answer, made when the run was loaded.
"""

import difflib
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from analysis.errors import DataError, MisuseError

KINDS = (
    *("string", "integer", "number", "boolean", "list", "map", "numbers"),
    *("feature", "features", "run", "runs", "links", "clustering", "community"),
)
"""``feature`` is the id of a feature, ``features`` a list of them; ``run`` is the id of a run or its
beginning, and the one called ``run`` may be left out for the newest complete one of the site in question.
``runs`` is a list of runs, left out for the newest complete one of each site and of each pair of sites;
``links`` is a run that links two sites and ``clustering`` one that made communities, left out for the
newest complete one; ``community`` is the id of a community. ``numbers`` is a map whose values are numbers."""

CHOSEN = ("string", "list")
"""Kinds of parameters that may have choices."""

FOUND_BY_ITSELF = ("runs", "links", "clustering")
"""Kinds of parameters that may be left out whatever they are called."""

_PARAMETER = re.compile(r"param (\w+): (\w+)(?: in (\w+(?:, \w+)*))?(?: = (.+?))? -- (.+)")
_COLUMN = re.compile(r"column (\w+): (\w+) -- (.+)")
_WALK = re.compile(r"walk: (\w+)")
_STORED = re.compile(r"stored: (\w+(?: \w+)*)")


@dataclass(frozen=True)
class Parameter:
    """One ``$name`` of a query; `required` if it has no default, one of `choices` if it has any."""

    name: str
    kind: str
    about: str
    required: bool
    default: Any = None
    choices: tuple[str, ...] = ()

    def unfit(self, value: Any) -> list[Any]:  # noqa: ANN401  any JSON value
        """Return what a value holds that is none of the choices; a value that is left out holds nothing."""
        if not self.choices or value is None:
            return []
        return [item for item in (value if self.kind == "list" else [value]) if item not in self.choices]


@dataclass(frozen=True)
class Column:
    """One column of a query's answer."""

    name: str
    kind: str
    about: str


@dataclass(frozen=True)
class Query:
    """A query of the catalogue: its name, what it answers, its types and its text.

    `walk` is the query that it asks once a hop, if it has no text of its own; `stored` the properties of the
    run that hold its answer.
    """

    name: str
    title: str
    parameters: tuple[Parameter, ...]
    columns: tuple[Column, ...]
    cypher: str
    walk: str | None = None
    stored: tuple[str, ...] = ()


@cache
def catalogue() -> dict[str, Query]:
    """Return every query by name."""
    texts = sorted(Path(__file__).parent.glob("*.cypher"))
    return {path.stem: parse(path.stem, path.read_text(encoding="utf-8")) for path in texts}


def named(name: str) -> Query:
    """Return the query called `name`.

    Raises
    ------
    MisuseError
        There is none; the nearest names are offered.
    """
    name = name.strip()
    known = catalogue()
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
    nearest = f"; the nearest are {', '.join(near)}" if near else ""
    raise MisuseError(
        f"there is no query {name!r} in the catalogue{nearest} (`stratigraph query --list` shows all); "
        "or give Cypher, such as 'MATCH (s:Site) RETURN s.id'"
    )


def parse(name: str, text: str) -> Query:
    """Read a query from its text.

    Raises
    ------
    DataError
        A header line is not understood.
    """
    header: list[str] = []
    for line in text.splitlines():
        if not line.startswith("//"):
            break
        header.append(line.removeprefix("//").strip())
    body = "\n".join(text.splitlines()[len(header) :]).strip()
    parameters: list[Parameter] = []
    columns: list[Column] = []
    prose: list[str] = []
    walk: str | None = None
    stored: tuple[str, ...] = ()
    for line in header:
        if found := _PARAMETER.fullmatch(line):
            parameters.append(_parameter(name, *found.groups()))
        elif found := _COLUMN.fullmatch(line):
            columns.append(Column(*found.groups()))
        elif found := _WALK.fullmatch(line):
            walk = found[1]
        elif found := _STORED.fullmatch(line):
            stored = tuple(found[1].split())
        elif line.startswith(("param ", "column ")):
            raise DataError(
                f"{name}.cypher: cannot read {line!r}; "
                "expected 'param NAME: KIND [in CHOICE, ...] [= JSON] -- TEXT'"
            )
        elif line:
            prose.append(line)
    for of, kind in ((part.name, part.kind) for group in (parameters, columns) for part in group):
        if kind not in KINDS:
            raise DataError(f"{name}.cypher: {of} is of kind {kind!r}; expected one of {KINDS}")
    return Query(name, " ".join(prose), tuple(parameters), tuple(columns), body, walk, stored)


def _parameter(
    query: str, name: str, kind: str, listed: str | None, default: str | None, about: str
) -> Parameter:
    choices = tuple(listed.split(", ")) if listed else ()
    if choices and kind not in CHOSEN:
        raise DataError(
            f"{query}.cypher: {name} is of kind {kind!r}; only {' and '.join(CHOSEN)} have choices"
        )
    if default is None:
        found = kind in FOUND_BY_ITSELF or (kind, name) == ("run", "run")
        return Parameter(name, kind, about, not found, choices=choices)
    try:
        made = Parameter(name, kind, about, False, json.loads(default), choices)
    except ValueError as error:
        raise DataError(f"{query}.cypher: the default of {name} is {default}; expected JSON") from error
    if made.unfit(made.default):
        raise DataError(f"{query}.cypher: the default of {name} is {default}; expected of {listed}")
    return made
