"""A plugin built as a wheel outside this repository is found, listed, shown, checked and searched with."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

PYPROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "nascore-follow"
version = "1.2.3"
description = "Follows the mean."
requires-python = ">=3.11"
dependencies = ["nascore"]

[project.entry-points.nascore]
nascore-follow = "nascore_follow"

[tool.hatch.build.targets.wheel]
packages = ["src/nascore_follow"]
"""

HOOKS = '''
"""Plain descent on theta."""

from attrs import frozen

from nascore.api import Component, hookimpl, setting


@frozen(kw_only=True)
class Settings:
    """Settings of `follow`."""

    rate: float = setting(0.3, "Step size.", gt=0)


@hookimpl
def nascore_updaters():
    yield Component(
        name="follow",
        slot="updater",
        summary="Plain descent on theta.",
        config=Settings,
        build="nascore_follow.updater:Follow",
        provides=("learns",),
    )
'''

UPDATER = '''
"""The class, apart from the hooks: these load without torch."""

import torch


class Follow:
    gradient = "theta"
    granularity = "batch"

    def __init__(self, settings):
        self.settings = settings

    def start(self, state, horizon, generator):
        pass

    def step(self, state, gradients):
        with torch.no_grad():
            for name, gradient in gradients.theta.items():
                state.theta[name] -= self.settings.rate * gradient

    def strength(self, state, expected):
        return expected

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass
'''

PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that the plugin's wheel is installed to."""
    root = tmp_path_factory.mktemp("outside")
    package = root / "project" / "src" / "nascore_follow"
    package.mkdir(parents=True)
    (root / "project" / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    (package / "__init__.py").write_text(HOOKS, encoding="utf-8")
    (package / "updater.py").write_text(UPDATER, encoding="utf-8")
    offline = ["--no-deps", "--no-build-isolation", "--no-index"]
    wheels, target = root / "wheels", root / "site"
    subprocess.run([*PIP, "wheel", *offline, "--wheel-dir", wheels, root / "project"], check=True, cwd=root)
    (wheel,) = wheels.glob("*.whl")
    subprocess.run([*PIP, "install", *offline, "--target", target, wheel], check=True, cwd=root)
    return target


def nascore(installed: Path, folder: Path, *words: str) -> str:
    path = os.pathsep.join([str(installed), *filter(None, [os.environ.get("PYTHONPATH")])])
    result = subprocess.run(
        [sys.executable, "-m", "nascore", *words],
        capture_output=True,
        check=False,
        cwd=folder,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_listed(installed: Path, tmp_path: Path) -> None:
    assert "follow" in nascore(installed, tmp_path, "list", "updater")


def test_shown(installed: Path, tmp_path: Path) -> None:
    assert "updater.rate" in nascore(installed, tmp_path, "show", "follow")


def test_known_with_its_version(installed: Path, tmp_path: Path) -> None:
    assert "nascore-follow" in nascore(installed, tmp_path, "plugins", "list")
    assert "1.2.3" in nascore(installed, tmp_path, "plugins", "list", "--json")


def test_checked(installed: Path, tmp_path: Path) -> None:
    recipe = "nascore: 1\nspace: tiny\nupdater: {name: follow, rate: 0.25}\ndataset: synthetic\nscale: mini\n"
    (tmp_path / "recipe.yaml").write_text(recipe, encoding="utf-8")

    said = nascore(installed, tmp_path, "check", "recipe.yaml")

    assert "updater.rate" in said
    assert "0.25" in said


def test_searched_with(installed: Path, tmp_path: Path) -> None:
    parts = ["--space", "tiny", "--updater", "follow", "--dataset", "synthetic", "--scale", "mini"]
    values = [
        "trainer.epochs=1",
        "trainer.warm_up=0",
        "ranking.epochs=1",
        "dataset.count=128",
        "dataset.size=8",
    ]
    sets = [word for value in values for word in ("--set", value)]

    nascore(installed, tmp_path, "search", *parts, *sets, "--out", "run")

    recipe = (tmp_path / "run" / "recipe.yaml").read_text(encoding="utf-8")
    assert "follow" in recipe
    assert (tmp_path / "run" / "result.json").is_file()
