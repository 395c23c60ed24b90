"""What benchmarks/gap.py measures: it stands on the inside of a search, and must not be left behind."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from nascore.verbs.resolution import found

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "gap.py"
SHORT = (
    "dataset.count=64",
    "dataset.size=8",
    "trainer.epochs=1",
    "trainer.warm_up=0",
    "trainer.batch=16",
    "ranking.epochs=1",
    "ranking.batch=16",
)


@pytest.fixture(scope="module")
def gap():
    spec = importlib.util.spec_from_file_location("benchmark_gap", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["benchmark_gap"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["benchmark_gap"]


def test_the_derived_network_inherits_all_that_it_has(gap):
    names = {"space": ["tiny"], "updater": ["data"], "dataset": ["synthetic"]}
    method = gap.Method(name="data", names=names, sets=SHORT)
    outcome = gap.run(method, 0, found())
    shares = (outcome.supernet, outcome.drawn, outcome.derived, outcome.trained)
    assert all(0 <= share <= 1 for share in shares)
    assert outcome.operations > 0
