"""The verbs of `nascore plugins`."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from click.testing import CliRunner

from nascore.cli import main
from nascore.verbs.plugins import Health, doctor, facts


@pytest.fixture
def bad(tmp_path):
    path = tmp_path / "bad.py"
    path.write_text("1 / 0\n", encoding="utf-8")
    return path


def cli(*words, code=0):
    result = CliRunner().invoke(main, ["plugins", *map(str, words)])
    assert result.exit_code == code, result.output
    assert "--json" in words or "Traceback" not in result.output
    return result


def test_list_says_that_something_is_not_ready_and_where_to_look(bad):
    result = cli("list", "--with", bad)
    assert [line.split() for line in result.stdout.splitlines() if line.startswith("bad")] == [
        ["bad", "broken", "0"]
    ]
    assert "plugins not ready; see nascore plugins doctor" in result.stderr
    assert cli("list", "--only", "builtin").stderr == ""  # all others are switched off, which is no fault


def test_list_as_json_holds_reason_and_cure(bad):
    found = {one["name"]: one for one in json.loads(cli("list", "--json", "--with", bad).stdout)}
    assert found["bad"]["reason"] == f"ZeroDivisionError: division by zero ({bad}:1)"
    assert found["bad"]["cure"] == f"Correct {bad}."
    assert "uniform" in found["builtin"]["brings"]["updater"]


@pytest.mark.parametrize("name", ["builtin", "nascore"])
def test_show_finds_a_plugin_by_its_name_and_its_distribution(name):
    said = cli("show", name).stdout
    assert said.startswith(f"plugin builtin (nascore {version('nascore')}): ready\n")
    assert "module       nascore.builtin\n" in said
    assert "  relaxation   softmax, one-hot, linear\n" in said


def test_show_says_why_one_is_not_ready(bad):
    said = cli("show", "bad", "--with", bad).stdout
    assert said.startswith(f"plugin bad ({bad}): broken\n")
    assert "cause   ZeroDivisionError: division by zero" in said
    [found] = json.loads(cli("show", "bad", "--with", bad, "--json").stdout)
    assert found["traceback"].startswith("Traceback")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("bultin", "no plugin is called bultin. Did you mean builtin?"),
        ("nascore-quasar", "no plugin is called nascore-quasar. "),
        ("qqq", "no plugin is called qqq. Installed: builtin, nascore"),
    ],
)
def test_show_of_what_there_is_not(name, said):
    assert said in cli("show", name, code=4).stderr


def test_the_doctor_finds_nothing():
    result = cli("doctor")
    ready, _, of, *_ = result.stdout.split()
    assert ready == of
    assert result.stderr == ""


def test_the_doctor_names_cause_and_cure_and_ends_with_4(bad):
    result = cli("doctor", "--with", bad, code=4)
    assert f"plugin bad ({bad}): broken\n  cause  ZeroDivisionError: " in result.stdout
    assert f"\n  cure   Correct {bad}.\n" in result.stdout
    assert "--without NAME hides it" in result.stderr
    assert json.loads(cli("doctor", "--json", "--with", bad, code=4).stdout)["clashes"] == []


def test_what_is_switched_off_is_named_and_no_fault(bad):
    said = cli("doctor", "--with", bad, "--without", "bad").stdout
    assert f"plugin bad ({bad}): blocked\n  cause  --without names it\n" in said


def test_the_report_is_complete(bad, monkeypatch):
    monkeypatch.setenv("NASCORE_WITHOUT", "nobody")
    said = cli("doctor", "--report", "--with", bad, code=4).stdout
    for line in (
        f"nascore   {version('nascore')}",
        "python    3.",
        f"torch     {version('torch')}",
        "platform  ",
        "broken  ZeroDivisionError: division by zero",
        "clashes: none",
        "  NASCORE_WITHOUT=nobody",
    ):
        assert line in said
    found = json.loads(cli("doctor", "--report", "--json").stdout)
    assert found["environment"]["NASCORE_WITHOUT"] == "nobody"


def test_the_report_does_not_say_whose_machine_it_is(monkeypatch):
    monkeypatch.setenv("HOME", "/somewhere/ada")
    monkeypatch.setenv("NASCORE_RUNS", "/somewhere/ada/runs")
    assert Path.home() == Path("/somewhere/ada")
    found = facts(Health(plugins=doctor().plugins, clashes=()))
    assert found["environment"]["NASCORE_RUNS"] == "~/runs"


@pytest.mark.parametrize("words", [["doctor", "--report"], ["doctor"], ["show", "builtin"], ["list"]])
def test_nothing_heavy_is_imported(words):
    program = (
        "import sys\nfrom nascore.cli import main\n"
        f"main(['plugins', *{words!r}], standalone_mode=False)\n"
        "assert 'torch' not in sys.modules\n"
    )
    result = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "builtin" in result.stdout or "ready" in result.stdout
