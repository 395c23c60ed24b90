"""The nearest valid value to a wrong one; what is said of no YAML; where paths are looked up."""

# ruff: noqa: RUF009 - setting(...) declares a field
from pathlib import Path
from typing import Literal

import pytest
from attrs import frozen

from nascore.config import Duration, SettingsOwner, parse_document, setting, structure


@frozen(kw_only=True)
class Hinted:
    count: int = setting(3, "how many", ge=1)
    lr: float = setting(0.1, "step", gt=0)
    nesterov: bool = setting(default=False, help="momentum")
    estimate: Literal["first", "unrolled"] | None = setting("first", "gradient")
    mode: str = setting("sum", "one of two", choices=("sum", "mean"))
    note: str = setting("", "free text")
    budget: Duration = setting(1.0, "time", gt=0)
    betas: list[float] = setting([0.5], "momenta", ge=0)
    path: Path | None = setting(None, "file")
    paths: list[Path] = setting([], "files")


def read(text, folder=None):
    root = parse_document(text, where="a.yaml", folder=folder).root
    return structure(Hinted, root, SettingsOwner(owner="sample", path="updater"))


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("nesterov: on", "Write true."),
        ("nesterov: No", "Write false."),
        ("nesterov: 'true'", "Write true."),
        ("count: '7'", "Write 7."),
        ("count: 4.0", "Write 4."),
        ("count: 1e3", "Write 1000."),
        ("count: 2.7", ""),
        ("count: '0'", ""),
        ("lr: '1e-3'", "Write 0.001."),
        ("lr: 1:30", ""),
        ("estimate: firs", "Did you mean first?"),
        ("estimate: UNROLLED", "Did you mean unrolled?"),
        ("mode: meen", "Did you mean mean?"),
        ("note: 1e3", "Put it in quotes."),
        ("note: true", "Put it in quotes."),
        ("budget: many", ""),
        ("betas: [0, '1']", "Write 1."),
        ("zzz: 1", "Known: betas, budget, count, estimate, lr, mode, nesterov, note, path, paths."),
    ],
)
def test_the_nearest_valid_value_is_told(text, hint):
    [problem] = read(text).problems
    assert problem.hint == hint


def test_a_long_wrong_value_is_cut():
    [problem] = read("count: " + "x" * 5000).problems
    assert len(str(problem)) < 200


def test_a_key_that_is_no_word_is_shown_in_quotes():
    problems = read('"": 1\n"a b": 2\n').problems
    assert [problem.path for problem in problems] == ["updater.''", "updater.'a b'"]


@pytest.mark.parametrize(
    ("text", "said", "place"),
    [
        ("a: 1\n\tb: 2\n", "Indent with spaces, not with tabs.", "2:1"),
        ("a: @x\n", "Put text that begins with this character in quotes.", "1:4"),
        ("a: b: c\n", "Put text that contains ': ' in quotes, or begin a new line.", "1:5"),
        ("a: *x\n", "Put text that begins with * in quotes.", "1:4"),
        ("a: 1\n---\nb: 2\n", "remove the line ---.", "2:1"),
        ("a: 1\nb: \x07\n", "Remove the character.", "2:4"),
        ("a: [1\n", "but got the end of the text.", "1:4"),
        ("a: 1\nb: 'x\n", "while scanning a quoted scalar", "2:4"),
    ],
)
def test_what_is_no_yaml_says_what_to_change_and_where(text, said, place):
    [problem] = parse_document(text, where="a.yaml").problems
    assert problem.text.startswith("not YAML: ")
    assert said in str(problem)
    assert str(problem.origin) == f"a.yaml:{place}"


def test_messages_name_the_kind_of_document():
    [recipe] = parse_document("a: !x 1", where="a.yaml").problems
    [description] = parse_document("a: !x 1", where="a.yaml", what="description").problems
    assert recipe.text.endswith("in a recipe.")
    assert description.text.endswith("in a description.")


def test_relative_paths_are_looked_up_from_the_file_that_holds_them():
    found = read("path: b/c.yaml\npaths: [d, /e, ~/f]\n", folder=Path("here")).settings
    assert found.path == Path("here/b/c.yaml")
    assert found.paths == [Path("here/d"), Path("/e"), Path("~/f").expanduser()]
    assert read("path: b/c.yaml").settings.path == Path("b/c.yaml")
