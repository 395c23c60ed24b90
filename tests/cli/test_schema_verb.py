"""``nascore schema`` and ``nascore show NAME --schema``."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from command_line import done
from jsonschema import Draft202012Validator

from nascore.cli import main

PLUGIN = """
from attrs import frozen
from nascore.api import Component, hookimpl, setting

@frozen(kw_only=True)
class Settings:
    rate: float = setting(0.5, "How fast.", gt=0)

@hookimpl
def nascore_updaters():
    return [Component(name="mine", slot="updater", summary="Mine.", build="m:M", config=Settings)]
"""


@pytest.mark.needs("nascore-darts")
def test_it_prints_the_schema_of_what_is_installed():
    schema = json.loads(done("schema"))
    valid = Draft202012Validator(schema).is_valid

    Draft202012Validator.check_schema(schema)
    assert "yaml-language-server" in schema["$comment"]
    assert valid({"nascore": 2, "trainer": {"name": "alternating", "lr": 0.1}, "updater": "uniform"})
    assert not valid({"nascore": 2, "trainer": {"name": "alternating", "lrr": 0.1}})
    assert not valid({"nascore": 2, "updater": {"name": "uniform", "lr": 0.1}})


def test_indent_only_changes_the_layout():
    assert done("schema").count("\n") == 1
    assert done("schema", "--indent", "1").splitlines()[1].startswith(' "$schema"')
    assert json.loads(done("schema", "--indent", "3")) == json.loads(done("schema"))


def test_a_file_with_a_plugin_is_in_it(tmp_path):
    (tmp_path / "mine.py").write_text(PLUGIN, encoding="utf-8")
    schema = json.loads(done("schema", "--with", str(tmp_path / "mine.py")))

    assert Draft202012Validator(schema).is_valid({"nascore": 2, "updater": {"name": "mine", "rate": 2}})
    assert "updater.mine" not in json.loads(done("schema"))["$defs"]


def test_show_prints_the_schema_of_a_component():
    schema = json.loads(done("show", "alternating", "--schema"))

    assert schema["title"] == "trainer.alternating"
    assert schema["properties"]["epochs"]["minimum"] == 1
    assert not Draft202012Validator(schema).is_valid({"epochs": 2.7})


@pytest.mark.needs("nascore-darts")
@pytest.mark.parametrize(
    ("name", "right", "wrong"), [("planted", {"noise": 0.1}, {"noisy": 1}), ("run", {"seed": 3}, {"lr": 0.1})]
)
def test_show_prints_one_schema_for_all_of_a_name(name, right, wrong):
    schema = json.loads(done("show", name, "--schema"))
    valid = Draft202012Validator(schema).is_valid

    Draft202012Validator.check_schema(schema)
    assert valid(right)
    assert not valid(wrong)


def test_show_refuses_a_name_that_nothing_has():
    result = CliRunner().invoke(main, ["show", "alternatin", "--schema"])

    assert result.exit_code == 3
    assert "Did you mean alternating?" in result.output
