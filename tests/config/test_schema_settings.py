"""The schema of settings says what the reader takes, value by value."""

# ruff: noqa: RUF009 - setting(...) declares a field

from enum import Enum
from itertools import product
from pathlib import Path
from typing import Literal

import pytest
from attrs import frozen
from jsonschema import Draft202012Validator

from nascore.config import Count, Duration, SettingsOwner, setting, structure, wrap
from nascore.config.schema import settings_schema
from nascore.errors import Origin


class Rule(Enum):
    MEAN = "mean"
    TOP = 2


@frozen(kw_only=True)
class Inner:
    depth: int = setting(1, "How deep.", ge=1)


@frozen(kw_only=True)
class Everything:
    flag: bool = setting(default=True, help="A switch.")
    whole: int = setting(3, "A count.", ge=1, lt=10)
    number: float = setting(0.5, "A rate.", gt=0, le=1)
    free: float = setting(0.0, "Any number.")
    text: str = setting("a", "A word.")
    path: Path = setting(Path("x.yaml"), "A file.")
    word: Literal["first", "second", 2] = setting("first", "One of them.")
    rule: Rule = setting(Rule.MEAN, "One of them.")
    chosen: str = setting("b", "A word.", choices=["b", "c"])
    some_rules: Rule = setting(Rule.TOP, "One of fewer.", choices=[Rule.TOP])
    picked: int = setting(4, "A power of two.", choices=[2, 4])
    maybe: int | None = setting(None, "A count, or none.", ge=0)
    either: str | float = setting("auto", "A word or a number.", ge=0)
    many: list[int] = setting([1], "Counts.", ge=0)
    fixed: tuple[float, ...] = setting((0.5,), "Rates.", le=1)
    words: list[Literal["a", "b"]] | None = setting(None, "Words.")
    within: list[list[int]] = setting([[1]], "Lists; the bounds do not reach into them.", ge=5)
    inner: Inner = setting(Inner(), "A group.")
    time: Duration = setting(60.0, "How long.", ge=0)
    count: Count | None = setting(None, "How many.", ge=0)


VALUES = (
    *(None, True, False, 0, 1, 2, 4, 9, 10, 11, -1, 0.5, 0.0001, 1.5, -0.5, 10**20),
    *("", "a", "b", "c", "first", "mean", "auto", "x.yaml", "true", "1", "null", "1e-3"),
    *("45s", "30 min", "2h", "1.5d", "0s", "-1s", "45", "2w", "h", "2H", " 3h "),
    *("200K", "1.5G", "1.001K", "2.0001K", "0.5K", "4.35M", "1.5000000000G", "3k", "K", "1.5"),
    *([], [1], [0, 2], [-1], [0.5], [1.5], [None], [True], ["a"], ["a", "b"], ["c"], ["1"]),
    *([[1]], [[-1], [9]], [["a"]], [[0.5]], {}, {"depth": 2}, {"depth": 0}, {"deep": 2}, {"depth": "2"}),
)
"""No whole floats: ``2.0`` is a whole number to JSON Schema and none to the reader."""

SCHEMA = settings_schema(Everything)
NAMES = list(SCHEMA["properties"])


def taken(name, value):
    """Whether the reader takes a value for a setting."""
    node = wrap({name: value}, Origin(kind="recipe", file="test"))
    return not structure(Everything, node, SettingsOwner(owner="test")).problems


def test_it_is_valid_against_the_meta_schema():
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", NAMES)
def test_it_takes_what_the_reader_takes(name):
    valid = Draft202012Validator(SCHEMA).is_valid
    verdicts = [(value, taken(name, value)) for value in VALUES]

    assert [(value, valid({name: value})) for value, _ in verdicts] == verdicts
    assert {verdict for _, verdict in verdicts} == {True, False}


@pytest.mark.parametrize("name", NAMES)
def test_its_default_is_the_declared_one_and_valid(name):
    schema = SCHEMA["properties"][name]

    assert Draft202012Validator(schema).is_valid(schema["default"])
    assert taken(name, schema["default"])


def test_defaults_and_descriptions_are_those_of_the_declarations():
    found = {name: (one["description"], one["default"]) for name, one in SCHEMA["properties"].items()}

    assert found["rule"] == ("One of them.", "mean")
    assert found["path"] == ("A file.", "x.yaml")
    assert found["fixed"] == ("Rates.", [0.5])
    assert found["inner"] == ("A group.", {"depth": 1})


def test_an_unknown_key_is_refused_at_every_depth():
    valid = Draft202012Validator(SCHEMA).is_valid

    assert valid({"whole": 2, "inner": {"depth": 3}})
    assert not valid({"whle": 2})
    assert not valid({"inner": {"dept": 3}})


@pytest.mark.parametrize(("number", "unit"), [*product(["1.001", "2.3", "4.35", "0.999"], "KMG")])
def test_decimals_with_a_unit_are_whole_to_both(number, unit):
    text = f"{number}{unit}"

    assert Draft202012Validator(SCHEMA).is_valid({"count": text})
    assert taken("count", text)


def test_a_text_with_a_unit_escapes_the_bounds():
    @frozen(kw_only=True)
    class Wait:
        wait: Duration = setting(1.0, "How long.", gt=0)

    node = wrap({"wait": "0s"}, Origin(kind="recipe", file="test"))

    assert Draft202012Validator(settings_schema(Wait)).is_valid({"wait": "0s"})  # the known disagreement
    assert structure(Wait, node, SettingsOwner(owner="test")).problems


def test_a_text_with_a_unit_that_no_float_holds_is_refused():
    assert not taken("count", "9" * 400 + "K")
    assert not taken("time", "9" * 5000 + "h")
