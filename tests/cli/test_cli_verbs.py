"""A verb that there is not, or that cannot be used: what there is instead, and who brings it."""

from __future__ import annotations

from types import SimpleNamespace

import click
import pytest
from click.testing import CliRunner

from nascore.api import Command, hookimpl
from nascore.cli import main
from nascore.plugin import Plugin, Registry


def cli(*words):
    result = CliRunner().invoke(main, words)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.mark.parametrize(("typed", "meant"), [("serch", "search"), ("evalute", "evaluate")])
def test_a_misspelt_verb(typed, meant):
    result = cli(typed)
    assert result.exit_code == 2
    assert f"No such command '{typed}'. Did you mean {meant}?" in result.stderr
    assert "Usage: " in result.stderr


def test_a_verb_that_is_like_none():
    result = cli("qqqqqq")
    assert result.exit_code == 2
    assert "See nascore --help." in result.stderr


@pytest.fixture
def reporting(monkeypatch):
    """The repository has a distribution that brings a verb."""
    known = {"nascore-report": {"verb": ["report"]}}
    monkeypatch.setattr("nascore.plugin.known.distributions", lambda: known)


@pytest.mark.usefixtures("reporting")
def test_the_verb_of_a_plugin_that_is_not_installed():
    result = cli("report", "run")
    assert result.exit_code == 4
    assert "nascore-report provides it but is not installed. pip install nascore-report" in result.stderr


def test_a_verb_that_no_distribution_of_the_repository_brings_names_no_package():
    result = cli("report", "run")
    assert result.exit_code == 2
    assert "pip install" not in result.stderr


@pytest.mark.usefixtures("reporting")
def test_the_verb_of_a_plugin_that_is_installed_and_broken(monkeypatch):
    broken = Plugin(
        name="report", value="x", distribution="nascore-report", status="broken", reason="ImportError: jinja"
    )
    monkeypatch.setattr("nascore.cli.output.discover", lambda: Registry([broken]))
    result = cli("report", "run")
    assert result.exit_code == 4
    assert "no verb is called report; nascore-report is broken: ImportError: jinja." in result.stderr
    assert "Run nascore plugins doctor." in result.stderr
    assert "pip install" not in result.stderr


def test_a_verb_that_cannot_be_loaded_harms_only_itself(monkeypatch):
    def raising():
        raise ZeroDivisionError("no luck")

    builds = {"one": "nowhere_at_all:x", "two": raising, "three": lambda: 3, "good": click.Command("good")}

    @hookimpl
    def nascore_commands():
        return [Command(name=name, summary="s", build=build) for name, build in builds.items()]

    registry = Registry.of(mine=SimpleNamespace(nascore_commands=nascore_commands))
    monkeypatch.setattr("nascore.cli.output.discover", lambda: registry)
    assert "good" in cli("--help").stdout
    assert cli("good").exit_code == 0
    for name, why in (
        ("one", "nowhere_at_all"),
        ("two", "no luck"),
        ("three", "has type int, which is not a click command"),
    ):
        result = cli(name)
        assert result.exit_code == 4, result.output
        assert f"the verb {name} of the plugin mine cannot be used" in result.stderr
        assert why in result.stderr
