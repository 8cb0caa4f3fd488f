"""Graph directories that are damaged are refused in one sentence that names the file."""

import json
from pathlib import Path
from typing import Any

import pytest

from analysis.errors import DataError
from graphdb.graph_directory import read_graph, write_graph
from tests.graphdb.small_graphs import planted

ROW = {"replicates": 1, "observed": 2, "null": 0.5, "fdr": 0.25}


def with_replicate_table(path: Path, table: Any) -> Path:  # noqa: ANN401  any JSON value
    write_graph(path, planted(3))
    manifest = json.loads((path / "graph.json").read_text())
    manifest["replicate_table"] = table
    (path / "graph.json").write_text(json.dumps(manifest))
    return path


@pytest.mark.parametrize(
    "table",
    [
        None,
        "much",
        5,
        {},
        {"replicates": [1]},
        [1],
        ["r"],
        [{"replicates": 1}],
        [{**ROW, "null": "few"}],
        [ROW, {**ROW, "observed": "z"}],
        [{**ROW, "replicates": 10**20}],
        [{**ROW, "fdr": {"a": 1}}],
    ],
)
def test_a_replicate_table_that_cannot_be_read(tmp_path: Path, table: object) -> None:
    with pytest.raises(DataError) as refusal:
        read_graph(with_replicate_table(tmp_path, table))
    said = str(refusal.value)
    assert said.startswith(f"{tmp_path}: graph.json: replicate_table is no list of")
    assert said.endswith("; run infer again")
    assert "\n" not in said


def test_whole_numbers_and_no_value_are_read(tmp_path: Path) -> None:
    table = read_graph(with_replicate_table(tmp_path, [{**ROW, "null": 3, "fdr": None}])).replicate_table
    assert table.rows() == [(1, 2, 3.0, None)]
