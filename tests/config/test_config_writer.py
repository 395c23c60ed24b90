"""Writing YAML, of which what is read is the same."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from nascore.config import parse_document
from nascore.config.writer import Commented, Flow, Verbatim, write_yaml


class Colour(Enum):
    """A value that stands as its text."""

    RED = "red: not green"


DOCUMENT = {
    "none": None,
    "2": [1, 2.5, True, "true", "a b", [], {}],
    "path": Path("a/b"),
    "colour": Colour.RED,
    "empty": {},
    "inner": {"deep": {"x": "1"}, "flow": Flow({"a": [1], Verbatim("n0"): Verbatim("op;k=3")})},
}


def plain(node):
    if isinstance(node.value, dict):
        return {key: plain(item) for key, item in node.value.items()}
    return [plain(item) for item in node.value] if isinstance(node.value, list) else node.value


def test_a_document_is_read_as_it_was_written():
    text = write_yaml(DOCUMENT)
    found = parse_document(text, where="a.yaml")
    assert found.problems == []
    assert plain(found.root) == {
        **DOCUMENT,
        "path": "a/b",
        "colour": "red: not green",
        "inner": {"deep": {"x": "1"}, "flow": {"a": [1], "n0": "op;k=3"}},
    }


def test_maps_stand_over_several_lines_and_the_rest_in_one():
    assert write_yaml({"a": {"b": Flow({"c": [1, {"d": "e f"}]})}, "g": {}}) == (
        'a:\n  b: {c: [1, {d: "e f"}]}\ng: {}\n'
    )


def test_comments_stand_at_the_end_of_the_line_of_their_key():
    inner = Commented(value={"b": Commented(value=1, comment="two\n words")}, comment="a map")
    assert write_yaml({"a": inner, "c": Commented(value=2, comment="")}) == (
        "a:  # a map\n  b: 1  # two words\nc: 2\n"
    )
