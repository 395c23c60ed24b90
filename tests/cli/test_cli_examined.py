"""`nascore check-plugin`: settings that a part needs, what was not examined, and operations."""

from __future__ import annotations

import json

import pytest
from command_line import cli, done


@pytest.fixture
def written(tmp_path):
    def write(name, text):
        path = tmp_path / f"{name}.py"
        path.write_text(text, encoding="utf-8")
        return path

    return write


READER = """
from pathlib import Path

from attrs import frozen

from nascore.api import Component, hookimpl, setting
from nascore.builtin.datasets import Synthetic
from nascore.builtin.components import SyntheticSettings


@frozen(kw_only=True)
class Settings:
    path: Path | None = setting(None, "A file that says how many images there are.")


class Reader(Synthetic):
    def __init__(self, settings):
        super().__init__(SyntheticSettings(count=int(settings.path.read_text()), size=4, classes=3))


@hookimpl
def nascore_datasets():
    yield Component(
        name="reader",
        slot="dataset",
        summary="As many images as a file says.",
        config=Settings,
        build=Reader,
        provides=("halves",),
        argument="path",
        EXAMPLE
    )
"""


def test_what_was_not_examined_is_no_pass(written):
    result = cli(
        "check-plugin",
        "reader",
        "--slot",
        "dataset",
        "--with",
        written("reader", READER.replace("EXAMPLE", "")),
    )

    assert result.exit_code == 1
    assert "dataset reader  not examined: its setting path has no default: set it with --set path=VALUE" in (
        result.stdout
    )
    assert result.stdout.splitlines()[-1] == "0 of 0 checks passed; not examined: dataset reader"


@pytest.mark.parametrize("typed", ["path", "reader.path", "dataset.path"])
def test_settings_that_a_part_needs_are_given(typed, written, tmp_path):
    file = tmp_path / "how many.txt"
    file.write_text("24", encoding="utf-8")
    refusing = READER.replace("EXAMPLE", "check=lambda settings, recipe: refused(settings),") + REFUSING
    reader = written("reader", refusing)

    said = done("check-plugin", "reader", "--slot", "dataset", "--with", reader, "--set", f"{typed}={file}")

    # Without a path it cannot work, and its check says so: no bound to try.
    assert said.splitlines()[-1] == "13 of 13 checks passed"


REFUSING = """

def refused(settings):
    from nascore.api import Problem

    if settings.path is None:
        yield Problem(path="dataset.path", text="no file is named.")
"""


def test_a_setting_that_no_part_has_is_refused():
    result = cli("check-plugin", "softmax", "--set", "nois=1", "--set", "noise=many")

    assert result.exit_code == 3
    assert "no examined part has this setting. Did you mean noise?" in result.stderr
    assert "'many' is not a number" in result.stderr


def test_a_part_brings_an_example_of_its_settings(written, tmp_path):
    file = tmp_path / "many.txt"
    file.write_text("24", encoding="utf-8")
    example = READER.replace(
        "EXAMPLE", f'check=lambda settings, recipe: refused(settings), example={{"path": {str(file)!r}}},'
    )

    reader = written("reader", example + REFUSING)

    said = done("check-plugin", "reader", "--slot", "dataset", "--with", reader)

    assert said.splitlines()[-1] == "13 of 13 checks passed"


def test_the_files_space_has_an_example():
    assert done("check-plugin", "file").splitlines()[-1] == "14 of 14 checks passed"


def test_an_operation_alone():
    rows = json.loads(done("check-plugin", "nor_conv_1x1", "--slot", "operation", "--json"))

    assert [(row["kind"], row["name"]) for row in rows] == [("operation", "nor_conv_1x1")]
    assert {check["check"] for check in rows[0]["checks"]} > {"gives_its_shape", "can_be_exported"}
