"""A search reads the settings `ranking`, an evaluation `training` and the key `evaluate`."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from recipe_sample import TABLE, hooks, recipe, registry

from nascore.component import Component
from nascore.plugin import Registry
from nascore.recipe import EVALUATE_RUN, Request, resolve

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """\
nascore: 2
space: darts
ranking: {lr: 0.5, batch: 8}
training: {lr: 0.25, epochs: 77, channels: 36}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "recipe.yaml"
    file.write_text(TEXT)
    return file


def test_a_search_reads_the_group_ranking(path: Path) -> None:
    training = recipe(registry(), recipe=path).training

    assert (training.lr, training.batch, training.epochs, training.channels) == (0.5, 8, 20, None)


@pytest.mark.parametrize(("scale", "expected"), [(None, (0.25, 96, 77, 36)), ("mini", (0.05, 64, 12, None))])
def test_an_evaluation_reads_the_group_training_and_a_scale_lies_over_it(
    path: Path, scale: str | None, expected: tuple[object, ...]
) -> None:
    sample = registry()
    layers = Request(recipe=path, scale=scale).layers(sample, slots=TABLE)
    training = resolve(layers, sample, run=EVALUATE_RUN, slots=()).training

    assert (training.lr, training.batch, training.epochs, training.channels) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("evaluate: 3", "evaluate: 3 is not a group of settings."),
        ("evaluate: {seed: x}", "evaluate.seed: 'x' is not a whole number at least 0."),
        ("evaluate: {training: {lr: 1}}", "evaluate.training: training is a key of the recipe itself."),
        ("training: {lr: fast}", "training.lr: 'fast' is not a number above 0."),
        ("evaluate: {seeed: 1}", "evaluate.seeed: evaluate has no setting seeed."),
        ("evaluate: {trick: magic}", "evaluate.trick: no trick is called magic."),
    ],
)
def test_a_search_finds_mistakes_there(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text(f"nascore: 2\n{text}\n")
    [problem] = recipe(registry(), recipe=file).problems

    assert f"{problem.path}: {problem.text}" == said
    assert problem.origin is not None
    assert f"{file}:2:" in str(problem.origin)


@pytest.mark.parametrize(
    ("slot", "sizes", "said"),
    [
        ("updater", {"mini": {"cells": 3}}, "mine: only a space declares sizes."),
        ("space", {"large": {"cells": 3}}, "mine: it declares a size for 'large', which is not a scale:"),
        ("space", {"mini": {"depth": 3}}, "mine: its size depth=3 is wrong: give channels or cells"),
        ("space", {"mini": {"cells": 0}}, "mine: its size cells=0 is wrong:"),
    ],
)
def test_a_size_that_cannot_be_is_a_fault_of_the_plugin(slot: str, sizes: object, said: str) -> None:
    mine = Component(name="mine", slot=slot, summary="M.", build=object, sizes=sizes)  # type: ignore[arg-type]
    [plugin] = Registry.of(mine=SimpleNamespace(**hooks([mine]))).plugins

    assert plugin.status == "broken"
    assert said in plugin.reason
