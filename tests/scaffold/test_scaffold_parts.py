"""A new plugin of each slot: what is written, that it conforms, that a search runs with it, and its style."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import nascore.builtin
from nascore.comparison import Member
from nascore.engine.multi_search import search_several
from nascore.engine.search import search
from nascore.plugin import Registry
from nascore.recipe import Request, settled
from nascore.scaffold import BLUEPRINTS, make
from nascore.slots import SLOTS
from nascore.testing import BY_SLOT, PluginConformance, examined

ROOT = Path(__file__).parents[2]
SMALL = (
    "trainer.epochs=1",
    "trainer.warm_up=0",
    "trainer.batch=16",
    "ranking.epochs=1",
    "ranking.batch=16",
    "dataset.count=64",
    "dataset.size=8",
)
LONG = "a-name-of-forty-letters-is-the-longest-o"


@pytest.fixture(params=BLUEPRINTS)
def slot(request):
    return request.param


@pytest.fixture
def made(slot, tmp_path):
    return make(f"my-{slot}", BLUEPRINTS[slot], tmp_path / "made")


@pytest.fixture
def registry(made, monkeypatch):
    """The plugin's module beside the core's own, found by its folder."""
    package = made.name.replace("-", "_")
    monkeypatch.syspath_prepend(made.folder / "src")
    for name in [one for one in sys.modules if one.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    yield Registry.of(**{"builtin": nascore.builtin, made.name: importlib.import_module(package)})
    for name in [one for one in sys.modules if one.partition(".")[0] == package]:
        del sys.modules[name]


def test_what_is_written(made, slot):
    package = f"my_{slot}"

    assert set(made.files) == {
        "README.md",
        "pyproject.toml",
        f"src/{package}/__init__.py",
        f"src/{package}/py.typed",
        f"src/{package}/settings.py",
        f"src/{package}/{slot}.py",
        f"tests/test_{package}_conformance.py",
    }
    assert all((made.folder / file).is_file() for file in made.files)
    left = [file for file in made.files if "$" in (made.folder / file).read_text(encoding="utf-8")]
    assert left == ["README.md"]  # the prompts of its commands


def test_a_folder_of_templates_is_a_blueprint():
    templates = ROOT / "nascore" / "scaffold" / "templates"
    folders = {one.name: {file.name for file in one.iterdir()} for one in templates.iterdir()}
    assert set(folders) - {"shared"} == set(BLUEPRINTS)
    assert list(BLUEPRINTS) == [slot.name for slot in SLOTS]
    needed = {"__init__.py.txt", "part.py.txt", "settings.py.txt", "summary.txt"}
    assert all(files == needed for name, files in folders.items() if name != "shared")


def test_it_conforms(registry, made, slot):
    part = type("Checked", (BY_SLOT[slot],), {"component": made.name, "registry": registry})
    whole = type("Checked", (PluginConformance,), {"plugin": made.name, "registry": registry})

    failures = [one.failure for checked in (part, whole) for one in examined(checked) if one.failure]

    assert failures == []


def test_it_is_searched_with(registry, made, tmp_path):
    words = made.search.removeprefix("nascore search ").replace("--", "").split()
    asked = dict(zip(words[::2], words[1::2], strict=True))
    scale, seeds = asked.pop("scale"), asked.pop("seeds", "0").split(",")
    names = {"observer": ["none"], **{slot: [name] for slot, name in asked.items()}}
    recipes = [
        settled(
            Request(names=names, scale=scale, sets=SMALL, run={"device": "cpu", "seed": int(seed)}),
            registry,
        )
        for seed in seeds
    ]

    if len(seeds) == 1:
        folder = search(recipes[0], registry, out=tmp_path / "run")
        assert made.name in (folder / "recipe.yaml").read_text(encoding="utf-8")
    else:
        members = [Member(choice={}, recipe=recipe) for recipe in recipes]
        folder = search_several(members, registry, out=tmp_path / "run")
        assert made.name in (folder / "environment.json").read_text(encoding="utf-8")
    assert '"status": "done"' in (folder / "result.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["x", LONG])
def test_it_is_written_in_the_style_of_the_project(slot, name, tmp_path):
    folder = make(name, BLUEPRINTS[slot], tmp_path / "made").folder
    # The project's rules, with nascore as the code that is not from elsewhere.
    given = ["--config", ROOT / "pyproject.toml", "--config", f'src = ["{ROOT.as_posix()}"]', "--no-cache"]

    for check in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *check, *given, "."],
            capture_output=True,
            check=False,
            cwd=folder,
            encoding="utf-8",
        )
        assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_all_are_typed(tmp_path):
    names = [f"typed-{slot}" for slot in BLUEPRINTS]
    for name, blueprint in zip(names, BLUEPRINTS.values(), strict=True):
        made = make(name, blueprint, tmp_path / name)
        shutil.copytree(made.folder / "src", tmp_path / "all", dirs_exist_ok=True)
    packages = [word for name in names for word in ("-p", name.replace("-", "_"))]

    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path / "cache", *packages],
        capture_output=True,
        check=False,
        cwd=tmp_path / "all",
        encoding="utf-8",
    )

    assert done.returncode == 0, done.stdout
