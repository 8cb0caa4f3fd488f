"""The catalogue as it is listed: what each query takes and gives, with types, defaults and meaning."""

import json
from collections.abc import Sequence
from typing import Any

from queries.catalogue import Column, Parameter, Query

LISTED = ("name", "parameters", "answers", "takes", "gives")
"""Keys of a listed query."""


def listed(query: Query) -> dict[str, Any]:
    """Return a query as a row: `LISTED`, of which ``takes`` and ``gives`` are lists of objects."""
    return {
        "name": query.name,
        "parameters": ", ".join(map(_named, query.parameters)),
        "answers": query.title,
        "takes": [
            {
                "name": part.name,
                "kind": part.kind,
                "required": part.required,
                "default": part.default,
                "choices": list(part.choices),
                "about": part.about,
            }
            for part in query.parameters
        ],
        "gives": [
            {"name": column.name, "kind": column.kind, "about": column.about} for column in query.columns
        ],
    }


def show(queries: Sequence[Query]) -> None:
    """Print queries, each with what it takes and gives on lines of their own; one alone with all meanings."""
    from rich.padding import Padding  # noqa: PLC0415  json is written without it
    from rich.text import Text  # noqa: PLC0415

    from queries.render import console, table  # noqa: PLC0415

    out = console()
    for at, query in enumerate(queries):
        out.print(Text(("\n" if at else "") + query.name, style="bold"))
        out.print(Padding(Text(query.title), (0, 0, 0, 2)))
        if len(queries) > 1:
            for word, parts in (("takes", query.parameters), ("gives", query.columns)):
                line = Text(f"{word}  ", style="dim").append(_line(parts), style="none")
                out.print(Padding(line, (0, 0, 0, 2)))
            continue
        takes = [_meaning(part) for part in query.parameters]
        gives = [{"gives": part.name, "kind": part.kind, "meaning": part.about} for part in query.columns]
        for rows in (takes, gives):
            if rows:
                out.print(Padding(table(rows, list(rows[0])), (1, 0, 0, 2)))
    out.print(Text("\n? may be left out; a run left out is the newest complete one", style="dim"))


def _meaning(part: Parameter) -> dict[str, str | None]:
    """Return a parameter as a row."""
    of = f": one of {', '.join(part.choices)}" if part.choices else ""
    default = None if part.default is None else json.dumps(part.default, ensure_ascii=False)
    return {
        "takes": _marked(part),
        "kind": part.kind,
        "default": default,
        "meaning": part.about + of,
    }


def _line(parts: Sequence[Parameter | Column]) -> str:
    return ", ".join(map(_typed, parts)) or "nothing"


def _typed(part: Parameter | Column) -> str:
    """Return a name with its kind, and of a parameter what it may be and is by default."""
    if isinstance(part, Column):
        return f"{part.name}: {part.kind}"
    default = "" if part.default is None else f" = {json.dumps(part.default, ensure_ascii=False)}"
    return f"{_marked(part)}: {part.kind}{_choices(part)}{default}"


def _named(part: Parameter) -> str:
    """Return a parameter's name, with a question mark if it may be left out, and what it may be."""
    return f"{_marked(part)}{_choices(part)}"


def _marked(part: Parameter) -> str:
    return f"{part.name}{'' if part.required else '?'}"


def _choices(part: Parameter) -> str:
    return f" ({'|'.join(part.choices)})" if part.choices else ""
