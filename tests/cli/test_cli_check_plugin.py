"""`nascore check-plugin`: what is examined, the sentences about broken plugins, and how it ends."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from checked_plugins import DRAWER, MOVER, OFFSET, OFFSET_HOOKS, PYPROJECT, SETTINGS
from command_line import cli, done

if TYPE_CHECKING:
    from pathlib import Path

PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
OFFLINE = ["--no-deps", "--no-build-isolation", "--no-index"]


@pytest.fixture
def written(tmp_path):
    def write(name, text):
        path = tmp_path / f"{name}.py"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_sound_component_passes_all():
    said = done("check-plugin", "softmax")

    assert said.splitlines()[0].startswith("relaxation softmax  ")
    assert said.splitlines()[-1] == "20 of 20 checks passed"


def test_what_is_promised_is_dim_in_a_terminal_and_plain_elsewhere(written):
    words = ("check-plugin", "mover", "--with", written("mover", MOVER), "--slot", "updater")
    promise = "    promised: It never changes masked or dead entries"

    assert f"\n{promise}" in cli(*words).stdout
    in_colour = cli(*words, color=True)
    assert f"\n\x1b[2m{promise}" in in_colour.stdout


@pytest.mark.parametrize("slot", ["growth", "observer"])
def test_parts_of_a_slot_alone(slot):
    said = done("check-plugin", "builtin", "--slot", slot)

    parts = [line for line in said.splitlines()[:-1] if not line.startswith("  not examined, because ")]
    assert all(line.startswith(slot) for line in parts)
    assert "failed" not in said


@pytest.mark.needs("nascore-geonas")
def test_a_plugin_by_its_distribution():
    rows = json.loads(done("check-plugin", "Nascore_Geonas", "--json"))

    assert [(row["kind"], row["name"]) for row in rows] == [
        ("plugin", "nascore-geonas"),
        ("updater", "geonas"),
    ]
    assert all(check["passed"] or check["unseen"] for row in rows for check in row["checks"])
    assert all(check["promise"].endswith(".") for row in rows for check in row["checks"])


BROKEN = {
    "mover": ({"__init__": MOVER}, "mover changes entries that are masked or dead."),
    "drawer": (
        {"__init__": DRAWER},
        "drawer declares deterministic, but gives a different mixture for a different seed.",
    ),
    "offset": (
        {"__init__": OFFSET_HOOKS, "settings": SETTINGS, "penalty": OFFSET},
        "offset gives the penalty NUMBER with weight 0.",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_one_sentence_for_one_fault_of_an_installed_plugin(name, tmp_path):
    files, sentence = BROKEN[name]
    package = tmp_path / "project" / "src" / f"nascore_{name}"
    package.mkdir(parents=True)
    (tmp_path / "project" / "pyproject.toml").write_text(PYPROJECT.replace("NAME", name), encoding="utf-8")
    (tmp_path / "project" / "README.md").write_text(f"# nascore-{name}\n", encoding="utf-8")
    for file, text in files.items():
        (package / f"{file}.py").write_text(text, encoding="utf-8")
    target = tmp_path / "site"
    subprocess.run(
        [*PIP, "install", *OFFLINE, "--target", target, tmp_path / "project"], check=True, cwd=tmp_path
    )

    result = nascore(target, tmp_path, "check-plugin", f"nascore-{name}")

    assert result.returncode == 1, result.stderr
    beside = ("    promised: ", "  not examined, because ")
    told = (line for line in result.stdout.splitlines() if line.startswith("  "))
    faults = [line for line in told if not line.startswith(beside)]
    assert [re.sub(r"\d\S*(?= with)", "NUMBER", line) for line in faults] == [f"  {sentence}"]
    assert result.stdout.splitlines()[-1].endswith("checks passed, 1 failed")
    assert f"plugin nascore-{name}  14 of 14 checks passed" in result.stdout


def nascore(target: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(target), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.run(
        [sys.executable, "-m", "nascore", *words],
        capture_output=True,
        check=False,
        cwd=folder,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
    )


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("softmx", "Did you mean softmax?"),
        ("nascore-sound", "no plugin or component is called nascore-sound."),
        ("lsun", "Installed: builtin, "),
        ("qqqqqqq", "Installed: builtin, "),
    ],
)
def test_what_is_not_there(name, hint):
    result = cli("check-plugin", name)

    assert result.exit_code == 4
    assert name in result.stderr
    assert hint in result.stderr


def test_nothing_of_a_slot():
    result = cli("check-plugin", "softmax", "--slot", "updater")

    assert result.exit_code == 4
    assert "no updater is called softmax" in result.stderr


def test_a_plugin_that_cannot_be_loaded(written):
    result = cli("check-plugin", "torn", "--with", written("torn", "import no_such_module"))

    assert result.exit_code == 4
    assert "no_such_module" in result.stderr


def test_what_a_plugin_declares_is_examined(written):
    careless = MOVER.replace("Moves everything.", "moves everything that there is, whether or not " * 2)
    careless = careless.replace('"mover", slot', '"mo_ver", slot').replace(
        'provides=("learns",)', 'needs=(Need(terms=("trainr.two-halves",), why="it is so"),)'
    )
    careless = careless.replace("Component, hookimpl", "Component, Need, hookimpl\nimport torch")

    result = cli("check-plugin", "careless", "--with", written("careless", careless))

    assert result.exit_code == 1
    assert "careless imports torch when it is listed, in " in result.stdout
    assert "careless.py:5" in result.stdout
    assert "careless has names with characters other than a-z, 0-9 and dashes: mo_ver." in result.stdout
    assert "careless has a summary of mo_ver without a full stop" in result.stdout
    assert "but no slot is called trainr. Did you mean trainer?" in result.stdout


def test_a_check_that_is_excused_is_not_hidden(monkeypatch):
    from nascore.testing import GrowthConformance  # noqa: PLC0415 - torch is imported by it

    def excused(self):
        """Its initial architectures differ."""

    pytest.mark.xfail(reason="for this test")(excused)
    monkeypatch.setattr(GrowthConformance, "test_seeds_differ", excused)

    said = done("check-plugin", "none", "--slot", "growth")

    assert "not run: Its initial architectures differ. for this test" in said
    assert "  not examined, because it searches in a supernet: parents_are_of_the_" in said
    assert said.splitlines()[-1] == "12 of 12 checks passed"


def test_what_lies_here_and_is_not_installed_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done("new-plugin", "my-updater", "--slot", "updater")
    (tmp_path / "steps.py").write_text("", encoding="utf-8")

    folder, file = cli("check-plugin", "my-updater"), cli("check-plugin", "steps")

    assert (folder.exit_code, file.exit_code) == (4, 4)
    assert "The folder my-updater is not installed: pip install -e my-updater" in folder.stderr
    assert "write nascore check-plugin steps --with steps.py" in file.stderr
