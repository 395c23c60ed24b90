"""A small form of the planted graft: what is useful is kept, and by chance it is not."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

import nascore.builtin
from nascore.plugin import Registry

pytestmark = pytest.mark.needs("nascore-petridish")

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "graft.py"


@pytest.fixture(scope="module")
def graft():
    spec = importlib.util.spec_from_file_location("benchmark_graft", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["benchmark_graft"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["benchmark_graft"]


@pytest.fixture(scope="module")
def registry():
    import nascore_petridish  # noqa: PLC0415 - the plugin may be missing, and then this is skipped

    return Registry.of(builtin=nascore.builtin, petridish=nascore_petridish)


def grower(graft, updater):
    (found,) = (one for one in graft.GROWERS if one.updater == updater)
    return found


@pytest.mark.parametrize("estimate", ["single-level", "first"])
def test_beside_a_parent_that_cannot_solve_the_task(estimate, graft, registry):
    outcomes = [graft.graft(grower(graft, "sgd"), "graft", estimate, seed, registry) for seed in range(2)]
    assert [(outcome.found, outcome.steps) for outcome in outcomes] == [(True, 44)] * 2
    assert min(outcome.share for outcome in outcomes) > 1.2


def test_beside_a_fitted_parent(graft, registry):
    outcome = graft.graft(grower(graft, "sgd"), "fitted", "single-level", 0, registry)
    assert outcome.found
    assert outcome.fitted > 0.9
    assert outcome.steps == 44 + 176


def test_the_control_is_not_above_chance(graft, registry):
    uniform = grower(graft, "uniform")
    found = [graft.graft(uniform, "graft", "single-level", seed, registry).found for seed in range(6)]
    # Of 6 grafts 1.5 are expected.
    assert 0 < sum(found) < 5


@pytest.mark.parametrize(
    ("updater", "form", "found", "holds"),
    [
        ("sgd", "graft", 18, True),
        ("sgd", "graft", 17, False),
        ("sgd", "fitted", 16, True),
        ("sgd", "fitted", 15, False),
        ("uniform", "graft", 10, True),
        ("uniform", "fitted", 11, False),
    ],
)
def test_the_bars_of_twenty_seeds(updater, form, found, holds, graft):
    outcomes = [
        graft.Outcome(found=number < found, share=1.0, fitted=None, steps=44, seconds=0.0)
        for number in range(20)
    ]
    row = graft.Row(
        grower=grower(graft, updater), form=form, estimate="single-level", outcomes=tuple(outcomes)
    )
    assert row.holds is holds
    assert ("MISSED" in str(row)) is not holds
