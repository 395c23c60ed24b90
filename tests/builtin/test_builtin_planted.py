"""A small form of the planted test: learners find what is useful, the control does not."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

import nascore.builtin
from nascore.plugin import Registry

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "planted.py"


@pytest.fixture(scope="module")
def planted():
    spec = importlib.util.spec_from_file_location("benchmark_planted", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["benchmark_planted"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["benchmark_planted"]


@pytest.fixture(scope="module")
def registry():
    import nascore_darts  # noqa: PLC0415 - the plugin may be missing, and then this is skipped

    return Registry.of(builtin=nascore.builtin, darts=nascore_darts)


@pytest.mark.needs("nascore-darts")
@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_learner_finds_every_useful_layer_of_the_chain(index, planted, registry):
    method = planted.METHODS[index]
    outcomes = [planted.search(method, "chain", seed, registry) for seed in range(2)]
    assert [outcome.found for outcome in outcomes] == [3, 3]
    # The margin: twice the mean of four.
    assert min(weight for outcome in outcomes for weight in outcome.weights) >= 0.5


@pytest.mark.needs("nascore-darts")
def test_the_cell_of_one_group(planted, registry):
    outcome = planted.search(planted.METHODS[0], "cell", 0, registry)
    assert outcome.found == 3


@pytest.mark.needs("nascore-data")
def test_codes_find_the_cell_too(planted):
    import nascore_data  # noqa: PLC0415 - the plugin may be missing, and then this is skipped

    (data,) = (method for method in planted.METHODS if method.updater == "data")
    outcome = planted.search(data, "cell", 0, Registry.of(builtin=nascore.builtin, data=nascore_data))
    assert outcome.found == 3
    assert min(outcome.weights) >= 0.5


def test_of_a_code_of_everything_the_strongest_counts(planted):
    assert sorted(planted.strongest([(1, 3), (0, 2), (1, 0), (0, 1)])) == [2, 3]


@pytest.mark.needs("nascore-darts")
def test_the_control_is_not_above_chance(planted, registry):
    (control,) = (method for method in planted.METHODS if not method.learns)
    outcomes = [planted.search(control, "chain", seed, registry) for seed in range(6)]
    # Of 18 places 4.5 are expected; 10 or more would be a chance of 1 in 150.
    assert sum(outcome.found for outcome in outcomes) < 10
    assert {weight for outcome in outcomes for weight in outcome.weights} == {0.25}


def outcome(planted, found):
    return planted.Outcome(found=found, weights=(0.25,) * 3, steps=1, seconds=0.0)


@pytest.mark.parametrize(
    ("index", "found", "holds"),
    [
        (0, [3] * 19 + [0], True),
        (0, [3] * 18 + [2, 0], False),
        (3, [1] * 15 + [2] * 5, True),
        (3, [1] * 14 + [2] * 6, False),
    ],
)
def test_the_bars_of_twenty_seeds(index, found, holds, planted):
    row = planted.Row(
        method=planted.METHODS[index], form="chain", outcomes=tuple(outcome(planted, each) for each in found)
    )
    assert row.holds is holds
    assert ("MISSED" in str(row)) is not holds
