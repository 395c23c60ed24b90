"""Who watches can neither stop a run nor change it."""

from __future__ import annotations

import json
import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from attrs import frozen
from engine_runs import NAMES, SMALL, evaluation_of

import nascore.builtin
from nascore.api import Component, Observer, hookimpl, setting
from nascore.description import load
from nascore.engine.evaluate import evaluate
from nascore.engine.search import search
from nascore.errors import LONGEST, error_line
from nascore.plugin import Registry
from nascore.recipe import SEARCH_RUN, Request, dump_recipe, settled
from nascore.run import read
from nascore.slots import SLOTS

EVENTS = [name for name in vars(Observer) if not name.startswith("_")]


def raising(error):
    """Return a class of observers that raise in every method."""

    def method(self, *details):
        del self, details
        raise error

    return type("Raising", (Observer,), dict.fromkeys(EVENTS, method))


class Unspeakable(Exception):  # noqa: N818 - what it is
    def __str__(self):
        raise SystemExit(3)


@frozen(kw_only=True)
class Loud:
    level: int = setting(1, "how loud", ge=1)


def unbuilt(settings):
    raise SystemExit(f"level {settings.level}")


@hookimpl
def nascore_observers():
    for name, build in (
        ("raising", lambda _: raising(RuntimeError("each time"))()),
        ("exiting", lambda _: raising(SystemExit(9))()),
        ("unbuilt", unbuilt),
        ("absent", "nowhere.at.all:Observer"),
    ):
        yield Component(name=name, slot="observer", summary="Fails.", build=build, config=Loud)


REGISTRY = Registry.of(
    SLOTS, builtin=nascore.builtin, failing=SimpleNamespace(nascore_observers=nascore_observers)
)


def recipe_of(*observers, run=SEARCH_RUN, **settings):
    names = {**NAMES, "observer": list(observers)}
    request = Request(scale="mini", names=names, run={"device": "cpu"}, settings={**SMALL, **settings})
    return settled(request, REGISTRY, run=run)


def contents(path):
    """Return all that a run found, byte for byte, but for the seconds."""
    record = read(path)
    files = [file for file in sorted(path.rglob("*")) if file.suffix in {".safetensors", ".yaml", ".py"}]
    files.append(path / "gallery.json")
    loaded = {str(file.relative_to(path)): file.read_bytes() for file in files if file.name != "recipe.yaml"}
    return (
        loaded,
        [{**line, "seconds": None} for line in record.metrics()],
        {**record.result, "seconds": None, "observers": None},
    )


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    return search(recipe_of(), REGISTRY, out=tmp_path_factory.mktemp("alone"))


def test_a_search_without_observers_counts_none(alone):
    assert read(alone).result["observers"] == {}


def test_observers_that_raise_in_every_method_change_nothing(alone, tmp_path):
    recipe = recipe_of("raising", "exiting", "unbuilt", "absent")
    objects = [raising(Unspeakable())(), raising(GeneratorExit())(), raising(ValueError("\udcff\n" * 999))()]

    path = search(recipe, REGISTRY, out=tmp_path / "x", observers=objects)

    assert contents(path) == contents(alone)
    counts = read(path).result["observers"]
    assert counts == {
        "raising": {"failures": 3, "muted": True},
        "exiting": {"failures": 3, "muted": True},
        "unbuilt": {"failures": 1, "muted": True},
        "absent": {"failures": 1, "muted": True},
        "Raising": {"failures": 3, "muted": True},
        "Raising (2)": {"failures": 3, "muted": True},
        "Raising (3)": {"failures": 3, "muted": True},
    }
    log = (path / "run.log").read_text(encoding="utf-8")
    assert "observer raising failed in run_started: RuntimeError: each time\n" in log
    assert "observer raising failed in phase_started: RuntimeError: each time; it is muted\n" in log
    assert "observer unbuilt failed in being built: SystemExit: level 1; it is muted" in log
    assert "observer absent failed in being built: PluginError: nowhere.at.all:Observer cannot be" in log


def test_an_evaluation_with_observers_that_raise_ends(tmp_path):
    path = evaluate(
        load((search(recipe_of(), REGISTRY, out=tmp_path / "x") / "best/architecture.yaml").read_text()),
        evaluation_of(),
        REGISTRY,
        out=tmp_path / "y",
        observers=[raising(SystemExit())()],
    )

    assert read(path).result["observers"] == {"Raising": {"failures": 3, "muted": True}}


class Meddling(Observer):
    """Computes, draws random numbers, and changes whatever it is given."""

    def _meddle(self):
        torch.rand(7)
        torch.manual_seed(4)
        torch.set_grad_enabled(False)
        torch.set_default_dtype(torch.float64)
        torch.set_num_threads(2)
        random.seed(1)
        np.random.seed(1)  # noqa: NPY002 - what an observer may do

    def run_started(self, folder, recipe):
        del folder
        self._meddle()
        recipe.parts.clear()

    def phase_started(self, name, steps, steps_per_epoch):
        del name, steps, steps_per_epoch
        self._meddle()

    def step_finished(self, report):
        self._meddle()
        object.__setattr__(report, "loss", 0.0)

    def epoch_finished(self, report):
        self._meddle()
        report.entropy.clear()
        object.__setattr__(report, "loss", 0.0)

    def architecture_changed(self, description):
        self._meddle()
        object.__setattr__(description, "channels", 1)
        description.cells.clear()

    def job_finished(self, name, result):
        del name
        self._meddle()
        result.clear()


def test_an_observer_that_meddles_changes_nothing(alone, tmp_path):
    threads = torch.get_num_threads()

    path = search(recipe_of(), REGISTRY, out=tmp_path / "x", observers=[Meddling()])

    assert contents(path) == contents(alone)
    assert read(path).result["observers"] == {"Meddling": {"failures": 0, "muted": False}}
    assert (torch.is_grad_enabled(), torch.get_default_dtype()) == (True, torch.float32)
    assert torch.get_num_threads() == threads


def test_what_an_error_says_is_one_line_that_a_file_can_hold():
    text = error_line(ValueError("one\n\ttwo \udc80" + "x" * 9999))

    assert text.startswith("ValueError: one two \\udc80x")
    assert len(text) <= LONGEST + len("ValueError: ")
    assert error_line(Unspeakable()) == "Unspeakable: its text cannot be read"


def test_a_component_is_built_with_its_settings(tmp_path):
    seen = []

    @hookimpl
    def nascore_observers():
        yield Component(name="loud", slot="observer", summary="Says.", build=seen.append, config=Loud)

    registry = Registry.of(
        SLOTS, builtin=nascore.builtin, mine=SimpleNamespace(nascore_observers=nascore_observers)
    )
    names = {**NAMES, "observer": ["loud"]}
    sets = ["observer.loud.level=4"]
    recipe = settled(Request(scale="mini", names=names, sets=sets, settings=SMALL), registry)

    path = search(recipe, registry, out=tmp_path / "x")

    assert seen == [Loud(level=4)]
    assert "observer:\n  loud:\n    level: 4\n" in (path / "recipe.yaml").read_text()
    # None cannot watch: the failure is counted as every other.
    assert json.loads((path / "result.json").read_text())["observers"]["loud"]["muted"]


def test_who_watches_by_default_is_not_written_down():
    assert "observer" not in dump_recipe(recipe_of())
    assert "observer:\n  raising:" in dump_recipe(recipe_of("raising"))
