"""A parameter that is one of a few words takes those and no other; the database is not asked."""

import argparse
import json
from typing import Any

import pytest

from analysis.errors import DataError, MisuseError
from graphdb.store import Store
from queries.bind import bind, typed
from queries.catalogue import Parameter, Query, catalogue, named, parse
from queries.commands import add_commands
from queries.patience import Patience

CHOSEN = {
    ("fates", "fate"): ("carried", "made", "gone"),
    ("links", "direction"): ("to", "from"),
    ("links", "kinds"): ("CARRIES", "DRIVES"),
    ("lineage", "kinds"): ("CARRIES", "DRIVES"),
    ("paths", "kinds"): ("CARRIES", "DRIVES", "DEPENDS"),
    ("hop", "kinds"): ("CARRIES", "DRIVES", "DEPENDS"),
    ("neighbors", "q"): ("q_shuffle", "q_value"),
}
NEEDED = {"feature": "a/b/0", "features": ["a/b/0"], "from": "a/b/0"}


class Silent(Store):
    """A database that is not asked anything."""

    def __init__(self) -> None:
        self.address = "nowhere"


def chosen(name: str, parameter: str) -> tuple[Query, Parameter]:
    found = catalogue()[name]
    return found, next(part for part in found.parameters if part.name == parameter)


def test_which_parameters_have_choices() -> None:
    assert {
        (name, part.name): part.choices
        for name, found in catalogue().items()
        for part in found.parameters
        if part.choices
    } == CHOSEN


@pytest.mark.parametrize(("name", "parameter"), CHOSEN)
@pytest.mark.parametrize(
    "wrong", ["caried", "CARIES", "upp", "", "null", "q_value ", "$q", 7, True, ["made"]]
)
def test_another_word_is_refused(name: str, parameter: str, wrong: Any) -> None:  # noqa: ANN401  any value
    found, part = chosen(name, parameter)
    given = {part.name: NEEDED[part.name] for part in found.parameters if part.required}
    wrongs = [wrong] if part.kind == "string" else [[part.choices[0], wrong], json.dumps([wrong]), [wrong]]
    for value in wrongs:
        with pytest.raises(MisuseError) as refused:
            bind(Patience(Silent()), found, {**given, parameter: value})
        said = str(refused.value)
        assert said.startswith(f"query {name}: --param {parameter} ")
        assert said.endswith(f"; expected {' or '.join(part.choices)}")
        assert (str(wrong) if part.kind == "string" else repr(wrong)) in said


def test_a_long_value_is_shortened() -> None:
    found, _ = chosen("fates", "fate")
    with pytest.raises(MisuseError) as refused:
        bind(Patience(Silent()), found, {"fate": "made" * 100_000})
    assert len(str(refused.value)) < 500


@pytest.mark.parametrize("value", ["NaN", float("nan"), 10**30])
def test_a_number_that_no_database_compares_is_refused(value: object) -> None:
    found, _ = chosen("unexplained", "max_cosine")
    with pytest.raises(MisuseError, match="--param max_cosine is "):
        bind(Patience(Silent()), found, {"max_cosine": value})


def test_what_is_given_is_read_as_meant() -> None:
    found, limit = chosen("hubs", "limit")
    assert typed(found, limit, "1e3") == 1000
    found, features = chosen("neighbors", "features")
    assert typed(found, features, ["a/b/1", "a/b/0", "a/b/1"]) == ["a/b/1", "a/b/0"]
    assert named(" hubs ").name == "hubs"


def test_the_listing_says_what_may_be_given(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers(required=True))
    arguments = parser.parse_args(["query", "--list", "--format", "json"])
    assert arguments.run(arguments) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    listed = {name: row["parameters"] for name, row in rows.items()}
    assert listed["fates"] == "run?, fate? (carried|made|gone), limit?"
    assert listed["hubs"] == "run?, limit?"
    assert listed["links"].startswith("feature, direction? (to|from), kinds? (CARRIES|DRIVES)")
    for name, found in catalogue().items():
        assert [part["name"] for part in rows[name]["takes"]] == [part.name for part in found.parameters]
        assert [column["name"] for column in rows[name]["gives"]] == [column.name for column in found.columns]
    assert rows["fates"]["takes"][1] == {
        "name": "fate",
        "kind": "string",
        "required": False,
        "default": "made",
        "choices": ["carried", "made", "gone"],
        "about": "what became of them",
    }
    assert rows["hubs"]["gives"][0] == {"name": "id", "kind": "string", "about": "model/source/index"}


def test_the_listing_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers(required=True))

    def ask(*words: str) -> str:
        arguments = parser.parse_args(["query", "--list", *words])
        assert arguments.run(arguments) == 0
        shown = capsys.readouterr().out
        assert max(map(len, shown.splitlines())) <= 80
        return " ".join(shown.split())

    everything = ask()
    for query, found in catalogue().items():
        assert found.title in everything
        one = ask(query)
        for name, about in [(part.name, part.about) for part in found.parameters] + [
            (column.name, column.about) for column in found.columns
        ]:
            assert name in one
            assert about.split()[0] in one
    assert 'fate?: string (carried|made|gone) = "made"' in everything
    assert "limit?: integer = 20" in everything
    assert "fate? string" in ask("fates")
    with pytest.raises(MisuseError, match="no query 'hub' in the catalogue; the nearest are hubs"):
        ask("hub")


def test_a_map_of_numbers_holds_numbers() -> None:
    found, least = chosen("hop", "least")
    assert typed(found, least, '{"a/b/1": 1, "a/b/2": 0.5}') == {"a/b/1": 1, "a/b/2": 0.5}
    assert typed(found, least, "null") is None
    for wrong in ("abc", "0.5", "[1]", "true"):
        with pytest.raises(
            MisuseError, match=r"--param least is .*; expected a map of numbers, as JSON such as"
        ):
            typed(found, least, wrong)
    for wrong in ('{"a": "x"}', '{"a": null}', '{"a": true}', '{"a": [1]}', '{"a": NaN}'):
        with pytest.raises(MisuseError, match=r"--param least has .* for 'a'; expected a number"):
            typed(found, least, wrong)


def test_headers_with_choices() -> None:
    (part,) = parse("good", "// param x: string in a, b -- what").parameters
    assert (part.choices, part.required) == (("a", "b"), True)
    (part,) = parse("good", '// param x: list in a, b = ["b"] -- what').parameters
    assert (part.choices, part.default) == (("a", "b"), ["b"])
    (part,) = parse("good", "// param x: string in a, b = null -- what").parameters
    assert (part.default, part.required) == (None, False)
    assert parse("good", "// param x: string = null -- a or b").parameters[0].choices == ()


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ('x: string in a, b = "c"', "the default of x is"),
        ('x: list in a, b = ["a", "c"]', "the default of x is"),
        ("x: integer in a, b = 1", "only string and list have choices"),
        ("x: string in = null", "cannot read"),
        ("x: string in a b = null", "cannot read"),
    ],
)
def test_headers_with_choices_that_cannot_be(header: str, said: str) -> None:
    with pytest.raises(DataError, match=rf"bad\.cypher: .*{said}"):
        parse("bad", f"// param {header} -- what")
