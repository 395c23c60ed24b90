"""`nascore search --growth random` where architectures cannot be trained."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from command_line import done
from random_growth import grown

from nascore.verbs.runs import load_run

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

POISONED = """\
nascore: 1
channels: 2
in_channels: 3
classes: 10
groups:
  first: {ops: [conv_3x3, poison]}
  second: {ops: OPS}
network:
  nodes:
    stem: {from: images, op: stem}
    l0: {from: -1, choose: first}
    l1: {from: -1, choose: second}
    head: {from: -1, op: classifier, width: classes}
"""

POISON = """\
from nascore.api import Operation, hookimpl


def poison(c_in, c_out, stride):
    from torch import nn

    class Poison(nn.Module):
        def forward(self, x):
            return x * float("nan")

    return Poison()


@hookimpl
def nascore_operations():
    yield Operation(name="poison", build=poison)
"""


@pytest.fixture
def poisoned(tmp_path: Path) -> Path:
    (tmp_path / "ops.py").write_text(POISON, encoding="utf-8")
    return tmp_path


def poisoned_run(folder: Path, ops: str) -> Result:
    space = folder / "space.yaml"
    space.write_text(POISONED.replace("OPS", ops), encoding="utf-8")
    words = ("--with", str(folder / "ops.py"))
    return grown(folder / "run", *words, space=f"file:{space}", growth__count=4)


def test_architectures_that_cannot_be_trained_are_left_out(poisoned: Path) -> None:
    result = poisoned_run(poisoned, "[skip_connect, max_pool_3x3]")

    assert result.exit_code == 0, result.output
    assert "2 of 4 jobs failed; run.log says why" in result.stdout
    run = load_run(poisoned / "run")
    assert run.result["jobs"] == {"done": 2, "failed": 2}
    assert [error.count("the loss is nan") for error in run.result["failures"].values()] == [1, 1]
    assert "failed: 2 of 4 jobs (" in result.stderr
    assert "the loss is nan" in result.stderr
    texts = [(run.path / entry.description).read_text(encoding="utf-8") for entry in run.gallery]
    assert len(texts) == 2
    assert not any("poison" in text for text in texts)
    log = (run.path / "run.log").read_text(encoding="utf-8")
    assert log.count("failed: phase train, step 0: the loss is nan") == 2


def test_a_run_without_any_that_can_fails(poisoned: Path) -> None:
    result = poisoned_run(poisoned, "[poison]")

    assert result.exit_code == 1
    assert "all 2 architectures failed" in result.stderr
    assert "the loss is nan" in result.stderr
    (listed,) = json.loads(done("runs", poisoned, "--json"))
    assert listed["status"] == "failed"
