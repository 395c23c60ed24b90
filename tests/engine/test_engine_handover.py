"""What a search hands over: its size is the space's business, and bounds on costs hold or are told."""

from __future__ import annotations

import json
import shutil
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from command_line import cli
from tiny import TINY

import nascore
from nascore.api import draw_picks
from nascore.description import derive
from nascore.engine import jobs
from nascore.engine.build import build_parts
from nascore.engine.handover import extremes, handover, span
from nascore.engine.results import costs_of
from nascore.recipe import Request, dump_recipe, settled
from nascore.verbs.dry_run import check, with_build_warnings
from nascore.verbs.evaluate import resolve_evaluation
from nascore.verbs.resolution import installed, resolve_request
from nascore.verbs.search import search

if TYPE_CHECKING:
    from pathlib import Path

    from nascore.gallery import Score

SHORT = ["trainer.epochs=1", "trainer.warm_up=0", "ranking.epochs=1"]
TARGET = "regularizer.cost.target"


def warnings(names: dict[str, list[str]], *sets: str) -> list[str]:
    asked = with_build_warnings(resolve_request(Request(names=names, sets=sets, scale="mini")))
    return [f"{one.path}: {one.text}" for one in asked.recipe.warned]


@pytest.mark.needs("nascore-darts", "nascore-spaces", "nascore-nasbench")
@pytest.mark.parametrize("space", ["tiny", "darts", "mbconv", "resnet", "nb201", "nb101", "planted"])
def test_no_architecture_of_a_space_is_cheaper_or_costlier(space: str) -> None:
    asked = resolve_request(Request(names={"space": [space]}, scale="mini"))
    dataset, parts = build_parts(asked.recipe, asked.registry)
    facts, known = dataset.facts, asked.registry.operations()
    least_and_most = span([costs_of(one, known, facts) for one in extremes(parts.description, facts, known)])

    for seed in range(10):
        picks = draw_picks(parts.description, Random(seed))  # noqa: S311 - nothing secret
        drawn = costs_of(derive(parts.description, picks), known, facts)
        assert least_and_most.params[0] <= drawn["params"] <= least_and_most.params[1]
        assert least_and_most.macs[0] <= drawn["macs"] <= least_and_most.macs[1]


@pytest.mark.needs("nascore-darts", "nascore-spaces")
@pytest.mark.parametrize("space", ["tiny", "darts", "mbconv", "resnet"])
def test_a_search_trains_at_its_own_size_and_evaluate_at_that_of_the_space(space: str) -> None:
    asked = resolve_request(Request(names={"space": [space]}, scale="mini"))
    dataset, parts = build_parts(asked.recipe, asked.registry)
    known = handover(asked.recipe, parts, dataset.facts, asked.registry.operations())

    assert known.trained == known.searched
    assert known.size == ({"channels": 16, "cells": 4} if space in {"tiny", "darts"} else {})
    assert (known.evaluated == known.searched) == (space in {"mbconv", "resnet"})


@pytest.mark.needs("nascore-darts", "nascore-spaces")
def test_what_was_searched_with_a_target_is_what_is_evaluated(tmp_path: Path) -> None:
    data = {"dataset.count": 480, "dataset.size": 16}
    settings = {"trainer.epochs": 1, "trainer.warm_up": 0, "ranking.epochs": 1, TARGET: 200_000, **data}
    run = search(
        space="mbconv", updater="darts", regularizer="cost", dataset="synthetic", scale="mini", seed=1,
        settings=settings, out=tmp_path / "run",
    )  # fmt: skip
    asked = resolve_evaluation(run, Request())

    assert run.best.channels == 1
    assert asked.recipe.training.channels is None
    assert asked.recipe.training.cells is None
    [entry] = run.gallery
    warned = " ".join(run.result["warnings"])
    assert entry.costs["macs"] < 300_000
    assert "evaluate trains" not in warned


@pytest.mark.needs("nascore-darts", "nascore-spaces")
def test_a_target_that_evaluate_misses_is_told_before() -> None:
    names = {"space": ["darts"], "updater": ["darts"], "regularizer": ["cost"]}
    found = warnings(names, f"{TARGET}=100K")
    assert len(found) == 1
    assert found[0].startswith(
        f"{TARGET}: this bound holds at the size of the search, but evaluate trains with "
        "training.channels=16, training.cells=4: 9.38 to 16.2 times the MACs."
    )
    assert any(", which is more" in text for text in warnings(names, f"{TARGET}=1K"))
    assert any(", which is less" in text for text in warnings(names, f"{TARGET}=1G"))
    assert not warnings({**names, "space": ["mbconv"]}, f"{TARGET}=100K")
    [typed] = warnings({**names, "space": ["mbconv"]}, f"{TARGET}=100K", "ranking.channels=8")
    assert "the search trains its result with ranking.channels=8:" in typed
    assert warnings({**names, "regularizer": ["entropy"]}) == []


@pytest.mark.needs("nascore-darts")
def test_a_target_that_is_missed_is_told_once(tmp_path: Path) -> None:
    few = {"trainer.epochs": 1, "trainer.warm_up": 0, "ranking.epochs": 1, "dataset.count": 64}
    run = nascore.search(
        space="tiny",
        dataset="planted",
        scale="mini",
        regularizer="cost",
        settings={**few, TARGET: 10},
        out=tmp_path / "run",
    )
    kept = json.loads((run.path / "result.json").read_text(encoding="utf-8"))["warnings"]
    assert sum(TARGET in text for text in kept) == 2
    assert len(set(kept)) == len(kept)


@pytest.mark.needs("nascore-darts", "nascore-petridish")
def test_a_limit_of_growth_is_told_with_what_exceeds_it() -> None:
    names = {"space": ["darts"], "growth": ["petridish"]}
    found = [text for text in warnings(names, "growth.limit=70K") if text.startswith("growth.limit")]
    begun = [text for text in warnings(names, "growth.limit=7K") if text.startswith("growth.limit")]

    assert any("the first growth adds up to" in text for text in found)
    assert any("evaluate trains with training.channels=16, training.cells=4:" in text for text in found)
    assert not any("already" in text for text in found)
    assert any("the initial architectures already have" in text for text in begun)
    assert not any(text.startswith("growth.limit") for text in warnings(names))


@pytest.mark.needs("nascore-darts")
def test_a_dry_run_tells_what_will_be_trained() -> None:
    checked = check(Request(names={"space": ["darts"], "updater": ["darts"]}, scale="mini"))
    output = cli("search", "--space", "darts", "--updater", "darts", "--dry-run").output

    assert f"trained by the search: {checked.trained}" in output
    line = f"trained by evaluate (training.channels=16, training.cells=4): {checked.evaluated}"
    assert line in output


@pytest.mark.needs("nascore-darts")
def test_the_last_epoch_is_measured_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    measured: list[float] = []
    real = jobs.measure

    def counting(*args: object, **named: object) -> tuple[Score, ...]:
        scores = real(*args, **named)  # type: ignore[arg-type]
        measured.append(scores[0].value)
        return scores

    monkeypatch.setattr(jobs, "measure", counting)
    run = search(space="tiny", updater="darts", settings={**TINY, "ranking.epochs": 2}, out=tmp_path / "run")

    assert len(measured) == 2
    assert run.result["validation_accuracy"] == pytest.approx(measured[-1], abs=1e-12)


@pytest.mark.needs("nascore-darts", "nascore-spaces")
def test_an_architecture_by_name_keeps_its_published_size(tmp_path: Path) -> None:
    def training(target: str, **asked: str) -> tuple[int | None, int | None]:
        run = resolve_evaluation(target, Request(**asked)).recipe.training  # type: ignore[arg-type]
        return run.channels, run.cells

    assert training("mobilenetv2") == (None, None)
    assert training("DARTS_V2") == (16, 4)
    assert training("DARTS_V2", scale="paper") == (None, None)
    file = tmp_path / "mine.yaml"
    file.write_text(
        "nascore: 1\nchannels: 4\nin_channels: 1\nclasses: 10\nnetwork:\n  nodes:\n"
        "    stem: {from: images, op: stem}\n    head: {from: -1, op: classifier, width: classes}\n"
    )
    assert training(str(file)) == (None, None)


@pytest.mark.needs("nascore-darts")
@pytest.mark.parametrize(
    ("searched", "asked", "expected"),
    [
        ({}, {}, (9, 16, 0.25)),
        ({}, {"sets": ["training.epochs=3"]}, (3, 16, 0.25)),
        ({}, {"preset": "darts-cifar10"}, (600, 36, 0.0)),
        ({}, {"scale": "paper"}, (9, 36, 0.25)),
        ({"scale": "mini"}, {}, (12, 16, 0.1)),
        ({"scale": "mini", "recipe": None, "preset": "darts-cifar10"}, {}, (12, 16, 0.1)),
        ({"recipe": None, "preset": "darts-cifar10"}, {}, (600, 36, 0.0)),
        ({"recipe": None, "preset": "darts-cifar10"}, {"scale": "mini"}, (12, 16, 0.1)),
    ],
)
def test_what_a_search_was_told_of_the_evaluation_counts_for_its_run(
    searched: dict[str, Any],
    asked: dict[str, Any],
    expected: tuple[object, ...],
    tiny_run: Path,
    tmp_path: Path,
) -> None:
    """The settings `training` of a recipe or a preset are part of the run's own recipe."""
    recipe = tmp_path / "mine.yaml"
    recipe.write_text(
        "nascore: 2\nscale: mini\nspace: darts\nupdater: darts\n"
        "training: {epochs: 9, label_smoothing: 0.25}\n"
    )
    registry = installed()
    request = Request(**{"recipe": recipe, "names": {"dataset": ["digits"]}, **searched})
    search_recipe = settled(request, registry)
    run = shutil.copytree(tiny_run, tmp_path / "run")
    (run / "checksums.jsonl").unlink()
    (run / "recipe.yaml").write_text(dump_recipe(search_recipe), encoding="utf-8")

    training = resolve_evaluation(run, Request(**asked)).recipe.training
    assert (training.epochs, training.channels, training.label_smoothing) == expected
    again = settled(Request(recipe=run / "recipe.yaml"), registry)
    assert [row[:2] for row in again.evaluation] == [row[:2] for row in search_recipe.evaluation]


@pytest.mark.needs("nascore-darts")
def test_a_run_is_evaluated_at_the_size_of_its_space(tiny_run: Path) -> None:
    def training(**asked: object) -> tuple[int | None, int | None, int]:
        run = resolve_evaluation(tiny_run, Request(**asked)).recipe.training  # type: ignore[arg-type]
        return run.channels, run.cells, run.epochs

    assert training() == (16, 4, 12)
    assert training(scale="paper") == (36, 20, 600)
    assert training(preset="darts-cifar10") == (36, 20, 600)
    assert training(preset="darts-cifar10", scale="mini") == (16, 4, 12)
    assert training(sets=["training.channels=null"]) == (None, 4, 12)


@pytest.mark.needs("nascore-darts")
def test_a_search_does_not_pay_for_an_evaluation() -> None:
    for asked in (Request(preset="darts-cifar10", names={"dataset": ["digits"]}), Request(scale="paper")):
        training = resolve_request(asked).recipe.training
        assert (training.channels, training.cells) == (None, None)
        assert training.epochs <= 20
        assert (training.auxiliary, training.drop_path) == (0, 0)


@pytest.mark.needs("nascore-darts", "nascore-data", "nascore-xnas", "nascore-petridish")
def test_no_preset_makes_a_search_train_for_long() -> None:
    registry = installed(())
    for name in registry.presets():
        recipe = resolve_request(Request(preset=name, names={"dataset": ["digits"]})).recipe
        assert recipe.training.epochs <= 20, name
        assert recipe.training.channels is None, name
