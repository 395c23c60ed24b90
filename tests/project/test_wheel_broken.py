"""Plugins that are broken in every known way are installed at once, as wheels: everything else works."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from broken_plugins import write_wheels

if TYPE_CHECKING:
    from pathlib import Path

SEARCH = ("search", "--space", "tiny", "--dataset", "synthetic", "--scale", "mini", "--dry-run")

CAUSES = {
    "nb-import-error": ("broken", "No module named 'nothing_of_the_kind'", "the module nothing_of_the_kind"),
    "nb-exits": ("broken", "SystemExit: no licence (", "Tell its authors"),
    "nb-syntax": ("broken", "SyntaxError: invalid syntax (__init__.py, line 1)", "Tell its authors"),
    "nb-unknown-hook": ("broken", "no hook is called nascore_updatters", "Did you mean nascore_updaters?"),
    "nb-wrong-arguments": ("broken", "has the argument registry", "def nascore_updaters():"),
    "nb-raises-at-once": ("broken", "RuntimeError: no network (", "Tell its authors"),
    "nb-raises-midway": ("broken", "RuntimeError: half way (", "Tell its authors"),
    "nb-endless": ("broken", "nascore_updaters yields more than 10,000 items", "that it ends"),
    "nb-no-package": ("broken", "the package nb_no_package is empty", "pip install --force-reinstall"),
    "nb-no-hook": ("broken", "no function marked with @hookimpl", "entry point"),
    "nb-unmarked": ("broken", "nascore_updaters is not marked with @hookimpl", "Put @hookimpl above it."),
    "nb-bad-name": ("broken", "component 'Bad Name': a name is lower-case letters", "authors"),
    "nb-twice": ("broken", "it declares updater same 2 times", "authors"),
    "nb-borrowed": ("broken", "nascore_updaters is imported from nascore.builtin", "Import the module"),
    "nb-foreign": ("foreign", "nb-foreign 1.0 requires nascore<100,>=99, and", "pip install"),
    "nb-twin-a": (
        "clash",
        "2 plugins are called twin: nb-twin-a 1.0 and nb-twin-b 1.0",
        "--without nb-twin-a",
    ),
    "nb-twin-b": (
        "clash",
        "2 plugins are called twin: nb-twin-a 1.0 and nb-twin-b 1.0",
        "--without nb-twin-b",
    ),
}
"""By distribution: status, and a piece of the cause and of the cure."""

PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that the wheels are installed to."""
    root = tmp_path_factory.mktemp("broken")
    target = root / "site"
    wheels = write_wheels(root)
    subprocess.run(
        [*PIP, "install", "--quiet", "--no-deps", "--no-index", "--target", target, *wheels],
        check=True,
        cwd=root,
    )
    return target


@pytest.fixture(scope="module")
def said(installed: Path) -> dict:
    """Return what the doctor says as JSON."""
    return json.loads(nascore(installed, "plugins", "doctor", "--json", code=4).stdout)


def nascore(installed: Path, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(installed), *filter(None, [os.environ.get("PYTHONPATH")])])
    result = subprocess.run(
        [sys.executable, "-m", "nascore", *words],
        capture_output=True,
        check=False,
        cwd=installed.parent,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
    )
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stdout + result.stderr
    return result


@pytest.mark.parametrize("distribution", CAUSES)
def test_the_doctor_names_status_cause_and_cure(said: dict, distribution: str) -> None:
    (plugin,) = (one for one in said["plugins"] if one["distribution"] == distribution)
    status, cause, cure = CAUSES[distribution]

    assert plugin["status"] == status
    assert cause in plugin["reason"]
    assert cure in plugin["cure"]
    assert plugin["brings"] == {}


def test_all_others_are_ready(said: dict) -> None:
    idle = {one["distribution"] for one in said["plugins"] if one["status"] != "ready"}

    assert idle == set(CAUSES)


def test_the_doctor_names_what_two_plugins_bring(said: dict) -> None:
    clashes = {(one["kind"], one["name"]): one for one in said["clashes"]}

    assert set(clashes) == {
        ("updater", "shared"),
        ("operation", "shared_op"),
        ("preset", "shared-preset"),
        ("verb", "shared-verb"),
    }
    assert all(one["plugins"] == ["nb-share-a", "nb-share-b"] for one in clashes.values())
    assert "nb-share-a:shared or nb-share-b:shared" in clashes["updater", "shared"]["cure"]
    assert "--without nb-share-a or --without nb-share-b" in clashes["operation", "shared_op"]["cure"]


def test_the_doctor_says_it_in_words(installed: Path) -> None:
    text = nascore(installed, "plugins", "doctor", code=4).stdout

    assert "plugin nb-exits (nb-exits 1.0): broken\n  cause  SystemExit: no licence (" in text
    assert "updater shared: provided by nb-share-a and nb-share-b\n  cure  Write " in text


def test_everything_else_is_listed(installed: Path) -> None:
    found = json.loads(nascore(installed, "list", "updater", "--json").stdout)

    names = [(one["plugin"], one["name"]) for one in found]
    assert {("builtin", "uniform"), ("nb-sound", "sound")} < set(names)
    assert [one for one in names if one[0].startswith("nb-")] == [
        ("nb-share-a", "shared"),
        ("nb-share-b", "shared"),
        ("nb-sound", "sound"),
    ]


@pytest.mark.parametrize("updater", ["sound", "uniform", "nb-share-a:shared", "nb-share-b:shared"])
def test_everything_else_searches(installed: Path, updater: str) -> None:
    assert "supernet:" in nascore(installed, *SEARCH, "--updater", updater).stdout


@pytest.mark.parametrize(
    ("words", "full"),
    [
        ((*SEARCH, "--updater", "shared"), "nb-share-a:shared or nb-share-b:shared"),
        ((*SEARCH, "--preset", "shared-preset"), "nb-share-a:shared-preset or nb-share-b:shared-preset"),
        (("shared-verb",), "nascore nb-share-a:shared-verb or nascore nb-share-b:shared-verb"),
    ],
)
def test_a_bare_name_that_two_have_names_both(installed: Path, words: tuple[str, ...], full: str) -> None:
    assert full in nascore(installed, *words, code=4).stderr


def test_full_names_of_a_preset_and_a_verb_work(installed: Path) -> None:
    dry = ("--dataset", "synthetic", "--scale", "mini", "--dry-run")

    assert "tiny" in nascore(installed, "search", "--preset", "nb-share-b:shared-preset", *dry).stdout
    assert "uniform" in nascore(installed, "nb-share-a:shared-verb", "updater").stdout


def test_what_is_switched_off_counts_for_no_clash(installed: Path) -> None:
    found = json.loads(nascore(installed, "list", "updater", "--json", "--without", "nb-twin-a").stdout)

    assert "right" in {one["name"] for one in found}
    assert "left" not in {one["name"] for one in found}


def test_one_plugin_alone(installed: Path) -> None:
    words = ("plugins", "doctor", "--only", "nb-sound")

    assert "2 of " in nascore(installed, *words).stdout
    assert "cannot be used: SystemExit" in nascore(installed, "list", "--only", "nb-exits", code=4).stderr


def test_the_report_holds_every_plugin(installed: Path) -> None:
    text = nascore(installed, "plugins", "doctor", "--report", code=4).stdout

    assert text.startswith("nascore ")
    assert all(distribution in text for distribution in CAUSES)
    assert "no network" in text
