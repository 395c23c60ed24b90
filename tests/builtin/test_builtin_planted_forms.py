"""The planted test in the shape of NAS-Bench-201: which edges are places, and that each is needed."""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from pathlib import Path

import pytest
import torch

from nascore.api import Op, choose, derive, dump, expand, final, load
from nascore.builtin.components import PlantedSpaceSettings
from nascore.builtin.operations import OPERATIONS
from nascore.builtin.spaces import NOISE, USEFUL, Planted
from nascore.contract import DataFacts
from nascore.nn import compile  # noqa: A004 - the name of the compiler
from nascore.verbs.resolution import found

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "planted.py"
CATALOGUE = {entry.name: entry for entry in OPERATIONS}
FACTS = DataFacts(channels=1, height=8, width=8, classes=7, train=10, test=10, mean=(0.5,), std=(0.25,))
NONE = Op("none")
PATH = (0, 2, 5)
"""Rows of the edges 1<-0, 2<-1 and 3<-2."""
DETOURS = (1, 3, 4)
"""Rows of the edges 2<-0, 3<-0 and 3<-1."""


def space(seed=0):
    return Planted(PlantedSpaceSettings(form="nb201", seed=seed)).describe(FACTS)


def layout(description):
    (group,) = expand(description, CATALOGUE).layouts.values()
    return group


def closed(operations, seed=0):
    """Return the network with an operation on each of the six edges."""
    description = space(seed)
    group = layout(description)
    picks = [(row, group.ops.index(operation)) for row, operation in enumerate(operations)]
    return compile(final(derive(description, {"cell": picks})), CATALOGUE)


def sees(net):
    """Return whether the image reaches the output; noise is drawn alike for both images."""
    one, other = torch.rand(2, 2, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    outputs = []
    for images in (one, other):
        torch.manual_seed(1)
        outputs.append(net(images))
    return not torch.equal(*outputs)


def test_it_has_the_edges_of_the_benchmark_and_is_used_once():
    group = layout(space())
    assert [(node, source) for _, node, source in group.rows] == [
        ("n1", "n0"), ("n2", "n0"), ("n2", "n1"), ("n3", "n0"), ("n3", "n1"), ("n3", "n2"),
    ]  # fmt: skip
    assert group.replicas == 1
    assert load(dump(space())) == space()


def test_the_path_offers_what_is_useful_and_nothing_else_does():
    places = Counter()
    for seed in range(40):
        group = layout(space(seed))
        assert Counter(op.name for op in group.ops) == {"noise": 2, "none": 1, "conv_3x3": 1}
        offered = [{op for op, on in zip(group.ops, row, strict=True) if on} for row in group.mask]
        assert all(offered[row] == {*NOISE, NONE, USEFUL} for row in PATH)
        assert all(offered[row] == {*NOISE, NONE} for row in DETOURS)
        places[group.ops.index(USEFUL)] += 1
    assert set(places) == {0, 1, 2, 3}


def test_every_place_is_needed_and_no_detour_stands_in():
    right = [USEFUL if row in PATH else NONE for row in range(6)]
    assert sees(closed(right))
    for row in PATH:
        for other in (NONE, NOISE[0]):
            for detour in (NONE, NOISE[1]):
                wrong = [detour if at in DETOURS else operation for at, operation in enumerate(right)]
                wrong[row] = other
                assert not sees(closed(wrong)), (row, other, detour)


def test_a_detour_with_noise_hides_the_image_in_noise():
    """What is right on a detour is `none`: with noise the same image gives another output each time."""
    images = torch.rand(2, 1, 8, 8)
    right = [USEFUL if row in PATH else NONE for row in range(6)]
    clean = closed(right).eval()
    assert torch.equal(clean(images), clean(images))
    for row in DETOURS:
        noisy = closed([NOISE[0] if at == row else operation for at, operation in enumerate(right)]).eval()
        assert not torch.equal(noisy(images), noisy(images))


def test_deriving_takes_the_best_of_what_an_edge_offers():
    description = space()
    group = layout(description)
    column = group.ops.index(USEFUL)
    strength = [[1.0 if at == column else 0.5 for at in range(4)] for _ in range(6)]
    picks = choose(description, {"cell": strength})["cell"]
    assert {row for row, picked in picks if picked == column} == set(PATH)
    assert len(picks) == 6


# ---- the benchmark


@pytest.fixture(scope="module")
def planted():
    spec = importlib.util.spec_from_file_location("benchmark_planted_forms", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["benchmark_planted_forms"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["benchmark_planted_forms"]


def outcomes(planted, name, seeds):
    (method,) = (method for method in planted.METHODS if method.name == name)
    return [planted.search(method, "nb201", seed, found()) for seed in range(seeds)]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("darts, first order", marks=pytest.mark.needs("nascore-darts")),
        pytest.param("xnas", marks=pytest.mark.needs("nascore-xnas")),
        pytest.param("geonas", marks=pytest.mark.needs("nascore-geonas")),
    ],
)
def test_a_learner_finds_the_path(planted, name):
    (outcome,) = outcomes(planted, name, 1)
    assert outcome.found == 3
    assert len(outcome.weights) == 3
    assert min(outcome.weights) > 0.3


def test_the_control_is_not_above_chance(planted):
    found_by_chance = outcomes(planted, "uniform", 4)
    # Of 12 places 3 are expected; 8 or more would be a chance of 1 in 350.
    assert sum(outcome.found for outcome in found_by_chance) < 8
    assert {weight for outcome in found_by_chance for weight in outcome.weights} == {0.25}


@pytest.mark.parametrize(
    ("name", "each", "holds"),
    [
        ("xnas", [3] * 18 + [0, 0], True),
        ("xnas", [3] * 17 + [2, 0, 0], False),
        ("uniform", [1] * 15 + [2] * 5, True),
        ("uniform", [1] * 14 + [2] * 6, False),
    ],
)
def test_the_bars_of_twenty_seeds(planted, name, each, holds):
    (method,) = (method for method in planted.METHODS if method.name == name)
    ran = tuple(planted.Outcome(found=found, weights=(0.25,) * 3, steps=1, seconds=0.0) for found in each)
    row = planted.Row(method=method, form="nb201", outcomes=ran)
    assert row.places == 60
    assert row.holds is holds
    assert ("MISSED" in str(row)) is not holds
