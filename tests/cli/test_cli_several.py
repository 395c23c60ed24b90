"""An architecture with several operations on an edge, from the command line: found, trained, exported."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import cli, done
from tiny import TINY

from nascore.description import load
from nascore.recipe import Request
from nascore.verbs.several import resolve_searches

pytestmark = pytest.mark.needs("nascore-darts", "nascore-data")

SMALL = {**TINY, "trainer.batch": 64, "ranking.batch": 64}
SIZE = {path: value for path, value in SMALL.items() if path.startswith("training.")}
SYNTHETIC = {"dataset.count": 128, "dataset.size": 8}
PROGRAM = """
import sys
sys.modules["nascore"] = None  # an import of it fails now
import torch
from model import load
print(tuple(load().eval()(torch.zeros(2, 3, 8, 8)).shape))
"""


def sets(settings):
    return [word for path, value in settings.items() for word in ("--set", f"{path}={value}")]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """A run whose architecture has an edge with two operations."""
    out = tmp_path_factory.mktemp("runs") / "several"
    words = ["search", "--space", "darts", "--updater", "data", "--dataset", "synthetic"]
    done(*words, "--scale", "mini", "--seed", 1, "--out", out, *sets({**SMALL, **SYNTHETIC}))
    return out


def crowded(file):
    """The edges of a description that hold several operations, as (graph, node)."""
    edges = load(Path(file).read_text(encoding="utf-8")).edges()
    return [(graph, node.name) for graph, node, edge in edges if len(edge.ops) > 1]


def test_several_operations_stand_on_one_edge(found):
    file = found / "best" / "architecture.yaml"
    assert crowded(file)
    assert "none" not in file.read_text(encoding="utf-8")


def test_it_is_evaluated(found, tmp_path):
    out = tmp_path / "evaluated"
    given = sets({**SIZE, **SYNTHETIC, "training.channels": 4})
    done("evaluate", found, "--dataset", "synthetic", "--scale", "mini", "--out", out, *given)
    assert crowded(out / "best" / "architecture.yaml") == crowded(found / "best" / "architecture.yaml")
    assert 0 <= json.loads((out / "result.json").read_text(encoding="utf-8"))["test_accuracy"] <= 1


def test_its_program_needs_torch_alone(found):
    """`best/model.py` is run where nascore cannot be imported."""
    words = [sys.executable, "-c", PROGRAM]
    ran = subprocess.run(words, cwd=found / "best", capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "(2, 10)"


def test_a_genotype_cannot_say_it(found):
    refused = cli("export", found, "--to", "genotype")
    assert refused.exit_code == 3
    assert "a genotype has two operations per node, and this node has: " in refused.output
    assert not refused.stdout


@pytest.mark.parametrize("typed", [("--seed", "4"), ("--threads", "1"), ("--set", "dataset.count=100")])
def test_a_setting_of_the_evaluation_lies_over_the_shared_one(typed):
    own = {"--seed": "seed=9", "--threads": "threads=2"}.get(typed[0], "dataset.count=90")
    names = {"space": ["tiny"], "updater": ["uniform"], "dataset": ["synthetic"]}
    run = {} if typed[0] == "--set" else {typed[0].removeprefix("--"): int(typed[1])}
    sets = [f"evaluate.{own}", *([typed[1]] if typed[0] == "--set" else [])]
    asked = resolve_searches(
        Request(names=names, run=run, sets=sets, scale="mini"), seeds=None, evaluate=True
    )

    path, value = own.split("=")
    evaluation = asked.members[0].evaluation
    assert str(evaluation.setting(path)) == value
    assert str(asked.members[0].recipe.setting(path)) == typed[1].rpartition("=")[2]
