"""Where nascore-darts is not installed, the rest works, and what needs it says how to install it."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from alone import make_alone

if TYPE_CHECKING:
    from pathlib import Path

RECIPES = {
    "updater": "nascore: 1\nspace: tiny\nupdater: {name: darts, lr: 0.1}\ndataset: synthetic\nscale: mini\n",
    "space": "nascore: 1\nspace: darts\nupdater: uniform\ndataset: synthetic\nscale: mini\n",
    "preset": "nascore: 1\ninclude: darts-cifar10\ndataset: synthetic\n",
}


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the interpreter of an environment without nascore-darts."""
    return make_alone(tmp_path_factory.mktemp("alone") / "env")


def nascore(python: Path, folder: Path, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(
        [python, "-m", "nascore", *words],
        capture_output=True,
        check=False,
        cwd=folder,
        encoding="utf-8",
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr
    return result


def test_it_is_listed_without_it(python: Path, tmp_path: Path) -> None:
    found = json.loads(nascore(python, tmp_path, "list", "--json").stdout)

    assert {one["plugin"] for one in found} == {"builtin"}
    assert {"tiny", "uniform", "alternating", "softmax", "digits"} <= {one["name"] for one in found}
    assert nascore(python, tmp_path, "plugins", "doctor").stdout == "1 of 1 plugins ready\n"


@pytest.mark.parametrize("which", RECIPES)
def test_a_recipe_that_uses_it_says_how_to_install_it(python: Path, tmp_path: Path, which: str) -> None:
    (tmp_path / "recipe.yaml").write_text(RECIPES[which], encoding="utf-8")

    said = nascore(python, tmp_path, "check", "recipe.yaml", code=4).stderr

    assert "pip install nascore-darts" in said
    assert f"{tmp_path.joinpath('recipe.yaml').name}:2" in said or "recipe.yaml:3" in said


def test_a_flag_that_asks_for_it_says_how_to_install_it(python: Path, tmp_path: Path) -> None:
    words = ("search", "--space", "tiny", "--updater", "darts", "--out", "run")

    said = nascore(python, tmp_path, *words, code=4).stderr

    assert "no updater is called darts; nascore-darts provides it but is not installed." in said
    assert not (tmp_path / "run").exists()


def test_the_core_searches_alone(python: Path, tmp_path: Path) -> None:
    words = ("search", "--space", "tiny", "--updater", "uniform", "--dataset", "synthetic")

    assert "supernet:" in nascore(python, tmp_path, *words, "--scale", "mini", "--dry-run").stdout
