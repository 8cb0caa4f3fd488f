"""What leaves the program is whole in files, and harmless on a terminal."""

import polars as pl
import pytest

from queries.frames import frame
from queries.output import encode
from queries.render import visible


@pytest.mark.parametrize(
    ("values", "written"),
    [
        ([1, 9223372036854775807, 2.5], ["1", "9223372036854775807", "2.5"]),
        ([True, 1], ["true", "1"]),
        ([1, 2.5, None], ["1.0", "2.5", ""]),
        ([1, 9223372036854775807], ["1", "9223372036854775807"]),
    ],
)
def test_csv_is_unrounded(values: list[object], written: list[str]) -> None:
    rows = [{"x": value, "row": at} for at, value in enumerate(values)]
    lines = encode(rows, None, "csv").decode().splitlines()[1:]
    assert [line.partition(",")[0] for line in lines] == written


def test_values_of_several_kinds_are_json_text() -> None:
    made = frame([{"x": "1"}, {"x": 1}, {"x": [1]}, {"x": None}])
    assert made["x"].dtype == pl.String
    assert made["x"].to_list() == ['"1"', "1", "[1]", None]


def test_what_a_terminal_obeys_is_written_out() -> None:
    assert visible("a\n\t\r") == "a\\n\\t\\r"
    assert visible("\x1b[2J\x9b\u202e\u200b") == "\\x1b[2J\\x9b\\u202e\\u200b"
    assert visible("é\u65e5 \U0001f642") == "é\u65e5 \U0001f642"
