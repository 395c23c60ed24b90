"""What an optimizer refuses is refused before the run, with the settings that are to blame."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
from attrs import evolve
from command_line import cli
from engine_runs import NAMES, REGISTRY, SMALL
from failing_plugins import QUICK, UNIFORM, updater

from nascore.engine.build import build_parts
from nascore.engine.evaluate import check_evaluation
from nascore.engine.factory import build_component
from nascore.engine.network_checks import describe_space
from nascore.errors import RecipeError
from nascore.recipe import EVALUATE_RUN, SEARCH_RUN, Request
from nascore.recipe.settling.request import resolved
from nascore.slots import SLOTS

NESTEROV = {"ranking.momentum": 0}
"""At scale mini, which sets `nesterov`."""

PARTS = dedent("""\
    from attrs import frozen
    from torch.optim import SGD, Adam

    from nascore.api import Component, hookimpl, setting
    from nascore.builtin.alternating import Alternating
    from nascore.builtin.components import ALTERNATING
    from nascore.nn import Descent


    @frozen(kw_only=True)
    class Settings:
        beta: float = setting(0.9, "First beta of Adam.", ge=0, le=1)
        epsilon: float = setting(1e-8, "Epsilon of Adam.")
        lr: int = setting(1, "Learning rate.")


    class Careless(Descent):
        def __init__(self, settings):
            super().__init__(lambda thetas: Adam(thetas, betas=(settings.beta, 0.999), eps=settings.epsilon))


    class Late(Descent):
        '''Is refused by a step, not by the optimizer's making.'''

        def __init__(self, settings):
            super().__init__(lambda thetas: SGD(thetas, lr=settings.lr))


    class Curious(Alternating):
        '''Reads more of the network than its parameters.'''

        def start(self, phase):
            super().start(phase)
            assert len(phase.network.ops) > 4
            assert phase.batches["train"].size == phase.batches["architecture"].size == self.demand.batch


    class Strict(Curious):
        def start(self, phase):
            super().start(phase)
            self.optimizer = Adam(self.weights.values(), betas=(self.settings.momentum + 0.5, 0.9))


    def component(slot, name, build, config=Settings, **more):
        return Component(name=name, slot=slot, summary="Of a test.", config=config, build=build, **more)


    @hookimpl
    def nascore_updaters():
        yield component("updater", "careless", Careless, needs=())
        yield component("updater", "late", Late)


    @hookimpl
    def nascore_trainers():
        more = {"provides": ALTERNATING.provides, "mini": ALTERNATING.mini}
        yield component("trainer", "curious", Curious, ALTERNATING.config, **more)
        yield component("trainer", "strict", Strict, ALTERNATING.config, **more)
    """)


def of_step_checks(run):
    """Return a run without the rule for Nesterov that is declared beside its settings."""
    return evolve(run, check=None)


def search_of(**settings):
    request = Request(scale="mini", names=NAMES, settings={**SMALL, **settings})
    recipe = resolved(request, REGISTRY, run=of_step_checks(SEARCH_RUN))
    assert not recipe.refused
    return recipe


@pytest.fixture(autouse=True)
def parts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "parts.py").write_text(PARTS, encoding="utf-8")


def test_the_optimizer_of_the_ranking_is_made_before_the_search():
    build_parts(search_of(), REGISTRY)
    with pytest.raises(RecipeError) as caught:
        build_parts(search_of(**NESTEROV), REGISTRY)
    [problem] = caught.value.problems
    assert problem.path == "ranking.momentum"
    assert problem.text.startswith("0.0 is refused:")
    assert "Nesterov" in problem.text
    assert problem.hint == "It works with 0.9."
    assert str(problem.origin) == "settings['ranking.momentum']"


def test_whoever_set_a_value_last_is_to_blame():
    with pytest.raises(RecipeError) as caught:
        build_parts(search_of(**NESTEROV, **{"ranking.nesterov": True}), REGISTRY)
    # Both are the user's: one of them has to go.
    assert len(caught.value.problems) == 1


def test_so_are_all_other_problems_at_once():
    with pytest.raises(RecipeError) as caught:
        build_parts(search_of(**NESTEROV, **{"ranking.batch": 1000, "trainer.batch": 2000}), REGISTRY)
    assert {one.path for one in caught.value.problems} == {
        "ranking.momentum",
        "ranking.batch",
        "trainer.batch",
    }


def test_the_optimizer_of_an_evaluation_is_made_with_the_other_checks():
    recipe = search_of()
    dataset = build_component(recipe, "dataset")
    description = describe_space(recipe, dataset.facts, REGISTRY.operations())
    slots = tuple(slot for slot in SLOTS if slot.name == "dataset")
    given = {"momentum": 0, "batch": 1000, "channels": 4, "cells": 2}
    given = {f"training.{name}": value for name, value in given.items()}
    request = Request(scale="mini", names={"dataset": ["synthetic"]}, settings=given)
    evaluation = resolved(request, REGISTRY, run=of_step_checks(EVALUATE_RUN), slots=slots)
    with pytest.raises(RecipeError) as caught:
        check_evaluation(evaluation, [description], REGISTRY.operations(), dataset.facts)
    assert {one.path for one in caught.value.problems} == {"training.momentum", "training.batch"}


@pytest.mark.parametrize("words", [(), ("--dry-run",)])
@pytest.mark.parametrize(
    ("name", "setting", "why"),
    [
        ("careless", "beta=1.0", "Invalid beta parameter"),
        ("careless", "epsilon=-1", "Invalid epsilon"),
        ("late", f"lr={10**40}", "OverflowError"),
    ],
)
def test_an_updater_is_started_before_the_run(name, setting, why, words):
    done = cli(*QUICK, "--updater", name, "--with", "parts.py", "--set", f"updater.{setting}", *words)
    assert done.exit_code == 3, done.output
    assert done.stderr.count(" is refused: ") == 1
    assert f"updater.{setting.partition('=')[0]}: " in done.stderr
    assert why in done.stderr
    assert f"from --set updater.{setting}" in done.stderr
    assert not Path("run").exists()


def test_two_settings_of_a_part_and_those_of_others_are_named_together():
    sets = ("--set", "updater.beta=1.0", "--set", "updater.epsilon=-1")
    few = [word.replace("count=64", "count=8") for word in QUICK]
    done = cli(*few, "--updater", "careless", "--with", "parts.py", *sets, "--dry-run")
    assert done.exit_code == 3
    for name in ("updater.beta", "updater.epsilon", "trainer.batch", "ranking.batch"):
        assert done.stderr.count(f"{name}: ") == 1, done.stderr


@pytest.mark.needs("nascore-petridish")
def test_what_a_growth_starts_later_is_started_too():
    words = ("--growth", "petridish", "--updater", "careless", "--with", "parts.py")
    done = cli(*QUICK, *words, "--set", "updater.beta=1.0")
    assert done.exit_code == 3, done.output
    assert "updater.beta: 1.0 is refused" in done.stderr
    assert not Path("run").exists()


def test_a_trainer_may_read_more_of_the_network():
    done = cli(*UNIFORM, "--trainer", "curious", "--with", "parts.py")
    assert done.exit_code == 0, done.stderr


def test_a_trainer_is_started_before_the_run():
    words = ("--trainer", "strict", "--with", "parts.py", "--set", "trainer.momentum=0.6")
    done = cli(*UNIFORM, *words, "--dry-run")
    assert done.exit_code == 4, done.output  # the default is refused as well: it is the plugin's mistake
    assert "the start of strict raised ValueError: Invalid beta parameter" in done.stderr
    done = cli(*UNIFORM, *words[:-1], "trainer.momentum=0.4", "--dry-run")
    assert done.exit_code == 0, done.output
    assert not Path("run").exists()


def test_a_part_that_cannot_start_is_its_plugins_mistake():
    text = updater("raise OverflowError('too far')", "start(self, state, horizon, generator)")
    Path("bad.py").write_text(text, encoding="utf-8")
    done = cli(*QUICK, "--updater", "bad", "--with", "bad.py", "--dry-run")
    assert done.exit_code == 4, done.output
    assert "the start of bad raised OverflowError: too far." in done.stderr
