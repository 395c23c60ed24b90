"""A preset names the data that it is for, and does not run on others unless they are named."""

from pathlib import Path

import pytest
from recipe_sample import PRESET, recipe, registry

from nascore.component import Preset, hookimpl
from nascore.plugin import Registry, Selection
from nascore.recipe import Request
from nascore.verbs.evaluate import resolve_evaluation
from nascore.verbs.resolution import installed

FLOWERS = f"{PRESET}dataset: flowers\n"
IMAGES = f"{PRESET}dataset: images\n"


class Bringer:
    """A plugin with one preset."""

    def __init__(self, text: str) -> None:
        self.text = text

    @hookimpl
    def nascore_presets(self) -> list[Preset]:
        return [Preset(name="paper", summary="A paper's search.", text=self.text)]


def with_preset(text: str) -> Registry:
    return registry(bringer=Bringer(text))


def test_data_that_are_not_installed_are_asked_for() -> None:
    [problem] = recipe(with_preset(FLOWERS), preset="paper").problems

    assert problem.verdict == "refused"
    assert problem.text == "the preset is for data set flowers, which is not installed."
    assert "--dataset digits or --dataset images" in problem.hint


@pytest.mark.parametrize("scale", [None, "mini"])
def test_other_data_are_warned_of(scale: str | None) -> None:
    found = recipe(with_preset(FLOWERS), preset="paper", scale=scale, names={"dataset": ["digits"]})

    assert found.names("dataset") == ("digits",)
    [problem] = found.problems
    assert (problem.verdict, problem.path) == ("warned", "dataset")
    assert problem.text.startswith("preset paper is for flowers; with digits")
    assert str(problem.origin) == "--dataset digits"


def test_data_that_are_there_are_used() -> None:
    there = with_preset(IMAGES)

    assert recipe(there, preset="paper").names("dataset") == ("images",)
    assert recipe(there, preset="paper").problems == ()
    assert recipe(there, preset="paper", names={"dataset": ["sample:images"]}).problems == ()
    assert len(recipe(there, preset="paper", names={"dataset": ["digits"]}).problems) == 1


def test_a_recipe_that_includes_the_preset_is_asked_too(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("nascore: 2\ninclude: paper\n")
    [refused] = recipe(with_preset(FLOWERS), recipe=path).problems
    path.write_text("nascore: 2\ninclude: paper\ndataset: digits\n")
    [warned] = recipe(with_preset(FLOWERS), recipe=path).problems

    assert (refused.verdict, warned.verdict) == ("refused", "warned")
    assert warned.origin is not None
    assert str(warned.origin) == f"{path}:3:10"


PRESETS = ("nascore-darts", "nascore-data", "nascore-xnas", "nascore-petridish")


@pytest.mark.needs(*PRESETS, "nascore-vision")
def test_the_data_of_every_preset_is_installed_with_nascore_vision() -> None:
    every = installed(())
    for name in every.presets():
        found = recipe(every, preset=name)
        images = "imagenet" if name.startswith("timm-") else "cifar10"
        assert (found.names("dataset"), found.refused) == ((images,), ()), name


@pytest.mark.needs(*PRESETS)
def test_every_preset_that_is_installed_names_its_data() -> None:
    every = installed(Selection(only=PRESETS))
    presets = every.presets()
    assert len(presets) >= 6
    for name in presets:
        found = recipe(every, preset=name)
        # The search of Petridish has cutout too, which comes with the same plugin.
        lacking = ["dataset", "trick"] if name.startswith("petridish") else ["dataset"]
        assert [one.path for one in found.refused] == lacking, name


@pytest.mark.needs("nascore-darts")
def test_an_evaluation_keeps_the_data_of_its_run(tiny_run: Path) -> None:
    recipe = resolve_evaluation(tiny_run, Request(preset="darts-cifar10", scale="mini")).recipe

    assert recipe.names("dataset") == ("digits",)
    assert any("is for cifar10; with digits" in problem.text for problem in recipe.warned)
