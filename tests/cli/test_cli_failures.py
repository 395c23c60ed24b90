"""What nobody foresaw: one clear block, an exit code, the log's path, and never a traceback."""

from __future__ import annotations

import errno
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from failing_plugins import QUICK, UNIFORM, updater

from nascore.cli import main
from nascore.plugin import Plugin
from nascore.plugin.guard import plugin_at_fault


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def cli(*words, **more):
    result = CliRunner().invoke(main, words, **more)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def with_updater(body):
    Path("idea.py").write_text(updater(body), encoding="utf-8")
    return *QUICK, "--with", "idea.py", "--updater", "bad"


def logged(said):
    """The text of the log that a message names."""
    return Path(re.search(r"log: +(\S+\.log)", said)[1]).read_text(encoding="utf-8")


def broken_verb(monkeypatch, error=None):
    def listing(*_, **__):
        raise error or ZeroDivisionError("no luck")

    monkeypatch.setattr("nascore.cli.listing.listing", listing)


def test_an_exception_outside_a_run_is_one_block_and_a_log_among_temporary_files(monkeypatch, tmp_path):
    broken_verb(monkeypatch)
    result = cli("list")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("unexpected: ZeroDivisionError: no luck\n")
    assert "nascore plugins doctor --report" in result.stderr
    assert "Traceback" not in result.stderr
    assert "raised in" not in result.stderr
    assert 'raise error or ZeroDivisionError("no luck")' in logged(result.stderr)
    assert [path.suffix for path in tmp_path.iterdir()] == [".log"]


def test_debug_shows_the_traceback(monkeypatch):
    broken_verb(monkeypatch)
    for result in (cli("--debug", "list"), cli("list", env={"NASCORE_DEBUG": "1"})):
        assert result.exit_code == 1
        assert "Traceback (most recent call last)" in result.stderr
        assert "unexpected: ZeroDivisionError" in result.stderr


def test_debug_shows_the_traceback_of_a_refusal_too():
    result = cli("--debug", "show", "sofmax")
    assert result.exit_code == 3
    assert "Traceback" in result.stderr
    assert result.stderr.endswith("Did you mean softmax?\n")


def test_debug_after_the_verb_is_told_where_it_stands():
    result = cli("list", "--debug")
    assert result.exit_code == 2
    assert "nascore --debug list" in result.stderr


def test_debug_is_in_the_help_with_its_variable():
    assert "NASCORE_DEBUG" in cli("--help").stdout


def test_no_log_can_be_written(monkeypatch):
    broken_verb(monkeypatch)
    monkeypatch.setattr("tempfile.tempdir", "/nowhere/at/all")
    result = cli("list")
    assert result.exit_code == 1
    assert "nascore --debug shows the traceback" in result.stderr


def test_a_text_that_cannot_be_told_does_not_hide_the_exception(monkeypatch):
    class Mute(Exception):  # noqa: N818 - short
        def __str__(self):
            raise ValueError

    broken_verb(monkeypatch, Mute())
    result = cli("list")
    assert result.exit_code == 1
    assert "Mute: its text cannot be read" in result.stderr


def test_a_plugin_that_fails_in_a_run_is_named_and_the_run_has_the_traceback():
    result = cli(*with_updater("raise ZeroDivisionError('no luck')"))
    assert result.exit_code == 1
    said = result.stderr
    assert "unexpected: ZeroDivisionError: no luck" in said
    assert re.search(r"raised in: +the plugin idea \(.*idea\.py\)", said)
    assert re.search(rf"log: +{Path('run') / 'run.log'}", said)
    assert "to the plugin's authors" in said
    assert "Traceback" not in said
    assert "Traceback" in Path("run/run.log").read_text(encoding="utf-8")
    left = json.loads(Path("run/result.json").read_text(encoding="utf-8"))
    assert (left["status"], left["error"]) == ("failed", "ZeroDivisionError: no luck")


def test_a_plugin_that_exits_leaves_a_run_that_failed():
    result = cli(*with_updater("raise SystemExit(0)"))
    assert result.exit_code == 1
    assert "unexpected: SystemExit: 0" in result.stderr
    left = json.loads(Path("run/result.json").read_text(encoding="utf-8"))
    assert left["status"] == "failed"


def test_a_component_that_cannot_be_built_is_a_broken_plugin_and_leaves_nothing(tmp_path):
    Path("idea.py").write_text(
        updater("raise ZeroDivisionError('no luck')", "__init__(self, settings)"),
        encoding="utf-8",
    )
    result = cli(*QUICK, "--with", "idea.py", "--updater", "bad")
    assert result.exit_code == 4
    assert "the building of bad raised ZeroDivisionError: no luck" in result.stderr
    assert "plugin idea" in result.stderr
    assert not (tmp_path / "run").exists()


def test_a_loss_that_is_not_finite_says_what_to_try():
    result = cli(*UNIFORM, "--set", "trainer.lr=1e17", "--set", "trainer.clip=0")
    assert result.exit_code == 1
    assert "phase search, step" in result.stderr
    assert "Try a lower --set trainer.lr, which was 1e+17" in result.stderr
    assert "run: run, with the files that it has written" in result.stderr
    assert "unexpected" not in result.stderr


def test_a_disk_that_fills_up_ends_the_run_with_its_own_code(monkeypatch):
    calls = iter(range(100))

    def full(_descriptor):
        if next(calls) > 9:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("nascore.run.atomic.os.fsync", full)
    result = cli(*UNIFORM)
    assert result.exit_code == 5
    assert "the run cannot write this file: the disk is full." in result.stderr
    assert "run: run, with the files that it has written" in result.stderr
    assert "Traceback" not in result.stderr
    assert cli("runs", ".").exit_code == 0


def test_a_reader_that_goes_away_ends_quietly():
    line = [sys.executable, "-m", "nascore", "list"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        # Before it has written anything: `head` would hardly ever be that quick.
        process.stdout.close()
        assert process.stderr.read() == ""


@pytest.mark.needs("nascore-darts")
@pytest.mark.parametrize("words", [("search",), ("search", "--dry-run"), ("evaluate", "DARTS_V2")])
def test_digits_without_scikit_learn(monkeypatch, tmp_path, words):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    result = cli(*words)
    assert result.exit_code == 4
    assert "digits needs scikit-learn" in result.stderr
    assert "pip install scikit-learn" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_cuda_that_is_not_there_says_who_asked(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    Path("mine.yaml").write_text(
        "nascore: 1\nscale: mini\nspace: tiny\nupdater: uniform\ndevice: cuda\n", encoding="utf-8"
    )
    result = cli("search", "--recipe", "mine.yaml")
    assert result.exit_code == 3
    assert "no CUDA" in result.stderr
    assert "mine.yaml:5:9" in result.stderr


def raised(module):
    """An exception that a function of a module of this name raised."""
    scope = {"__name__": module}
    exec("def fail():\n    raise ZeroDivisionError", scope)  # noqa: S102 - to have a module of any name
    try:
        scope["fail"]()
    except ZeroDivisionError as error:
        return error


def test_the_innermost_frame_of_core_or_plugin_is_blamed():
    one = Plugin(name="one", value="one_package.hooks", version="1.2")
    core = Plugin(name="builtin", value="nascore.builtin")
    assert plugin_at_fault(raised("one_package.deep.inside"), [one, core]) == "one 1.2"
    assert plugin_at_fault(raised("one_package_too"), [one, core]) == ""
    assert plugin_at_fault(raised("nascore.engine.loop"), [one, core]) == ""
    assert plugin_at_fault(raised("nascore_file_idea"), [one, core]).startswith("idea (")
