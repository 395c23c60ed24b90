"""What the plugin declares, and its space and strings from the command line."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from click.testing import CliRunner

import nascore
import nascore.builtin
import nascore_nasbench
from nascore.api import fingerprint
from nascore.cli import main
from nascore.plugin import Registry
from nascore.recipe import Request, settled
from nascore_nasbench.strings import from_string

README = Path(__file__).parents[1] / "README.md"
TEXT = "|nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|+|skip_connect~0|nor_conv_1x1~1|avg_pool_3x3~2|"
EDGE = r"(none|skip_connect|nor_conv_1x1|nor_conv_3x3|avg_pool_3x3)"
STRING = re.compile(
    r"\|E~0\|\+\|E~0\|E~1\|\+\|E~0\|E~1\|E~2\|".replace("E", EDGE)
)  # written apart from what writes it
SMALL = {
    "dataset.count": 128,
    "dataset.size": 8,
    "trainer.epochs": 2,
    "trainer.warm_up": 0,
    "trainer.batch": 16,
    "ranking.channels": 4,
    "ranking.cells": 3,
    "ranking.epochs": 1,
}


@pytest.fixture(scope="module")
def registry():
    return Registry.of(builtin=nascore.builtin, nasbench=nascore_nasbench)


def typed(*words, code=0):
    result = CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result


def needs(name):
    try:
        distribution(name)
    except PackageNotFoundError:
        pytest.skip(f"{name} is not installed")


def search(out, updater, settings=()):
    return nascore.search(
        space="nb201",
        updater=updater,
        dataset="synthetic",
        scale="mini",
        settings={**SMALL, **dict(settings)},
        out=out,
    )


# ---- the declaration


def test_the_plugin_loads(registry):
    assert [(plugin.status, plugin.reason) for plugin in registry.plugins] == [("ready", ""), ("ready", "")]
    space = registry.get("space", "nb201")
    assert (space.paper, space.provides) == ("arXiv 2001.00326", ("fixed",))
    assert set(registry.translators()) == {"nb201"}


def test_the_plugin_imports_no_torch():
    code = "import sys, nascore_nasbench; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_defaults_are_the_papers_and_mini_is_not(registry):
    found = {}
    for scale in ("paper", "mini"):
        recipe = settled(Request(names={"space": ["nb201"], "updater": ["uniform"]}, scale=scale), registry)
        values = {path: value for path, value, _ in recipe.rows()}
        found[scale] = (values["space.channels"], values["space.cells"])
    assert found == {"paper": (16, 5), "mini": (4, 1)}


# ---- strings as they are typed


def test_draw_reads_a_string():
    said = typed("draw", TEXT).stdout
    assert "n3 = skip_connect(n0) + nor_conv_1x1(n1) + avg_pool_3x3(n2)" in said
    assert "used by a x5, b x5, c x5" in said
    assert "a x1 = cell(-1)" in typed("draw", TEXT, "--cells", "3", "--classes", "100").stdout


def test_draw_says_where_a_string_is_wrong(tmp_path):
    file = tmp_path / "cell.txt"
    file.write_text(TEXT.replace("skip_connect", "skip"), encoding="utf-8")
    said = typed("draw", file, code=3).stderr
    assert "3<-0: there is no operation 'skip'. Known: none, skip_connect, nor_conv_1x1" in said
    assert f"from {file}:1:43" in said


def test_a_string_is_exported_as_itself():
    assert typed("export", TEXT, "--to", "nb201").stdout == f"{TEXT}\n"


def test_another_network_is_not_exported():
    needs("nascore-darts")
    said = typed("export", "DARTS_V2", "--to", "nb201", code=3).stderr
    assert "cells.normal: a cell of NAS-Bench-201 has one input and 3 nodes" in said
    assert "cells.normal" in typed("export", TEXT, "--to", "genotype", code=3).stderr


def test_a_string_is_trained_and_tested(tmp_path):
    settings = [
        word
        for path in SMALL
        if not path.startswith("trainer")
        for word in ("--set", f"{path.replace('ranking', 'training')}={SMALL[path]}")
    ]
    out = tmp_path / "run"
    typed("evaluate", TEXT, "--dataset", "synthetic", "--scale", "mini", *settings, "--out", out)
    assert json.loads((out / "result.json").read_text(encoding="utf-8"))["status"] == "done"
    assert typed("export", out, "--to", "nb201").stdout.strip() == TEXT


# ---- searches


def test_a_search_with_darts_exports_what_it_derived(tmp_path):
    needs("nascore-darts")
    run = search(tmp_path / "run", "darts")
    text = typed("export", run.path, "--to", "nb201").stdout.strip()
    assert STRING.fullmatch(text)
    # Read back at the run's size it is the run's architecture.
    again = from_string(text, channels=4, cells=3, in_channels=3)
    assert fingerprint(again) == fingerprint(run.best)


@pytest.mark.parametrize("settings", [{}, {"updater.exclude_none": False}], ids=["default", "with none"])
def test_a_search_with_xnas_runs(tmp_path, settings):
    needs("nascore-xnas")
    run = search(tmp_path / "run", "xnas", settings)
    text = typed("export", run.path, "--to", "nb201").stdout.strip()
    assert STRING.fullmatch(text)
    if not settings:
        assert "none" not in text


# ---- the page


def test_the_page_is_true():
    page = README.read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(compile(code, str(README), "exec"), {"__name__": "readme"})  # noqa: S102 - the page is ours
    for setting in ("channels", "cells"):
        assert f"| `{setting}` |" in page
    for operation in ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"):
        assert f"`{operation}`" in page
