"""The notebook in docs, run cell by cell on the demo's database."""

import ast
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

NOTEBOOK = Path(__file__).parents[2] / "docs" / "notebook.ipynb"


def values_of(cells: list[str]) -> list[Any]:
    """Run the cells in one namespace; what a cell ends with is its value, as in a notebook."""
    names: dict[str, Any] = {}
    values = []
    for cell in cells:
        body = ast.parse(cell).body
        last = body.pop() if isinstance(body[-1], ast.Expr) else None
        exec(compile(ast.Module(body, []), str(NOTEBOOK), "exec"), names)
        if isinstance(last, ast.Expr):
            values.append(eval(compile(ast.Expression(last.value), str(NOTEBOOK), "eval"), names))
    return values


def test_every_cell_answers(told: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    monkeypatch.chdir(home)
    values = values_of(["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"])
    frames = [value for value in values if isinstance(value, pl.DataFrame)]
    assert len(frames) == 6
    assert all(frame.height for frame in frames)
