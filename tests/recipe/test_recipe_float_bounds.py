"""No setting takes a number that torch cannot hold; optimizers are refused before a search, not after it."""

from __future__ import annotations

from types import UnionType
from typing import Annotated, Union, get_args, get_origin

import pytest
from command_line import cli

from nascore.component import load
from nascore.config import settings_of
from nascore.config.setting import LARGEST
from nascore.errors import RecipeError
from nascore.plugin import discover
from nascore.recipe import EVALUATE_RUN, SEARCH_RUN, Request
from nascore.recipe.settling.request import resolved
from nascore.slots import SLOTS

BEYOND = (3.4e38, 1e39, 1e300, -1e300)
SMALL = ("search", "--space", "tiny", "--updater", "uniform", "--dataset", "synthetic", "--scale", "mini")


def arms(declared):
    kinds = get_args(declared) if get_origin(declared) in (Union, UnionType) else (declared,)
    return [get_args(kind)[0] if get_origin(kind) is Annotated else kind for kind in kinds]


def floats(config, prefix=""):
    for name, declared in settings_of(config).items():
        if declared.nested:
            yield from floats(declared.type, f"{prefix}{name}.")
        elif float in arms(declared.type):
            yield f"{prefix}{name}", declared


def every_float():
    registry = discover()
    parts = [SEARCH_RUN, EVALUATE_RUN, *(one for slot in SLOTS for one in registry.components(slot.name))]
    return {f"{part.slot} {part.name} {name}": one for part in parts for name, one in floats(part.config)}


def test_no_setting_of_any_component_takes_what_is_beyond_32_bits():
    found = every_float()
    assert len(found) > 20
    taken = [name for name, one in found.items() for value in BEYOND if one.setting.allows(value)]
    assert taken == []
    assert any(one.setting.allows(LARGEST) for one in found.values())


def test_it_is_refused_by_name_with_the_reason():
    done = cli(*SMALL, "--dry-run", "--set", "ranking.lr=1e300", "--set", "ranking.weight_decay=1e300")
    assert done.exit_code == 3
    for name in ("lr", "weight_decay"):
        wrong = f"ranking.{name}: 1e+300 is not a number "
        line = next(one for one in done.stderr.splitlines() if one.startswith(wrong))
        assert line.endswith(", at most 1e+18 in size. Larger numbers overflow torch's 32-bit floats.")


def test_whole_numbers_have_no_such_bound():
    done = cli(*SMALL, "--dry-run", "--set", f"seed={10**40}")
    assert done.exit_code == 0, done.stderr


@pytest.mark.parametrize("run", [SEARCH_RUN, EVALUATE_RUN])
def test_nesterov_without_momentum_is_refused_before_anything_is_built(run):
    group = "ranking" if run is SEARCH_RUN else "training"
    settings = {f"{group}.momentum": 0, f"{group}.nesterov": True}
    request = Request(scale="mini", names={"space": ["tiny"], "updater": ["uniform"]}, settings=settings)
    recipe = resolved(request, discover(), run=run)
    assert [(one.path, "Nesterov" in one.text) for one in recipe.refused] == [(f"{group}.momentum", True)]


def test_so_is_that_of_the_evaluation_behind_a_search(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = cli(*SMALL, "--evaluate", "--set", "training.momentum=0")
    assert done.exit_code == 3
    assert done.stderr.startswith("training.momentum: Nesterov's momentum")
    assert "from --set training.momentum=0" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("dataset", ["synthetic", "planted"])
def test_noise_is_bounded_and_the_facts_count_what_is_cut_off(dataset):
    registry = discover()
    component = registry.get("dataset", dataset)
    with pytest.raises(RecipeError, match=r"noise: .* is not a number at least 0 and at most 1"):
        component.config(noise=1e300)
    for noise in (0.1, 0.2, 0.3, 1.0):
        data = load(component.build)(component.config(noise=noise, count=2000))
        images = data.train().images
        assert images.mean().item() == pytest.approx(data.facts.mean[0], abs=0.01)
        assert images.std().item() == pytest.approx(data.facts.std[0], rel=0.05)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("space.channels=100000000", "must be at most 1,048,576"),
        ("space.cells=1000000", "must be at most 10,000"),
        ("ranking.channels=100000000", "must be at most 1,048,576"),
        ("ranking.cells=10000000", "must be at most 10,000"),
        (f"trainer.batch={10**24}", "is larger than the 500 available images"),
        (f"ranking.batch={10**24}", "is larger than the 500 available images"),
    ],
)
def test_a_whole_number_beyond_all_bounds_is_refused_by_its_setting(setting, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = cli(*SMALL, "--dry-run", "--set", setting)
    assert done.exit_code == 3, done.output
    assert done.stderr.startswith(f"{setting.partition('=')[0]}: ")
    assert said in done.stderr
    assert f"from --set {setting}" in done.stderr
