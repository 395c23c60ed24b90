"""How penalties reach a search: of what they are differentiated, when they are counted, what fits."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from engine_runs import NAMES, REGISTRY, recipe_of
from engine_toys import Follower, started, toy_phase

import nascore.builtin
from nascore.api import Component, Give, hookimpl
from nascore.builtin.components import EntropySettings, L1Settings, OneHotSettings
from nascore.builtin.regularizers import L1, Entropy
from nascore.builtin.relaxations import OneHot
from nascore.engine import mixture, phase_factory
from nascore.engine.checkpoint import capture, restore
from nascore.engine.factory import build_search_parts
from nascore.engine.search import search
from nascore.errors import PluginError, RecipeError
from nascore.plugin import Registry
from nascore.recipe import SEARCH_RUN, Request, settled

WEIGHT = 0.25


def first_gradients(*regularizers, updater=None, relaxation=None):
    """What the updater gets in the first step of a small search."""
    phase = toy_phase(updater=updater or Follower(), regularizers=regularizers)
    if relaxation is not None:
        phase.search.relaxation = relaxation
    started(phase).step()
    return phase.search, phase.search.updater.got[0]


def l1_moves_theta():
    search, plain = first_gradients()
    _, pulled = first_gradients(L1(L1Settings(weight=WEIGHT)))
    signs = torch.tensor([[1.0, -1.0, 1.0], [1.0, 1.0, 0.0]])
    assert torch.equal(search.state.alive["g"], torch.tensor([[True] * 3, [True, True, False]]))
    assert torch.allclose(pulled.theta["g"] - plain.theta["g"], WEIGHT * signs, atol=1e-6)


def test_l1_adds_its_slope_to_the_gradient_of_theta():
    l1_moves_theta()


@pytest.mark.parametrize("broken", [lambda *_given: torch.zeros(()), lambda *_given: torch.ones(())])
def test_the_check_sees_penalties_that_are_left_out(monkeypatch, broken):
    monkeypatch.setattr(mixture, "_penalty", broken)
    with pytest.raises(AssertionError):
        l1_moves_theta()


def test_a_weight_of_zero_gives_the_gradient_without_penalty_bit_for_bit():
    off = (L1(L1Settings(weight=0)), Entropy(EntropySettings(weight=0)))
    assert torch.equal(first_gradients()[1].theta["g"], first_gradients(*off)[1].theta["g"])


class Both:
    """Reads both mixtures, each in its own way."""

    def start(self, state, horizon, costs):
        pass

    def penalty(self, state, drawn, expected, progress):
        del state, progress
        self.drawn, self.expected = drawn["g"].detach(), expected["g"].detach()
        return (0.5 * drawn["g"] ** 2 + 3 * expected["g"] ** 3).sum()


@pytest.mark.parametrize(("granularity", "scale"), [("batch", 1), ("sample", 5)])
def test_mixture_updaters_get_the_sum_of_both_slopes(granularity, scale):
    both = Both()
    search, got = first_gradients(
        both, updater=Follower("mixture", granularity), relaxation=OneHot(OneHotSettings())
    )
    assert both.drawn.sum(1).tolist() == [1, 1]
    assert not torch.equal(both.drawn, both.expected)
    wanted = scale * (both.drawn + 9 * both.expected**2)
    assert torch.allclose(got.penalty["g"], wanted)
    assert search.state.theta["g"].grad is None


def test_theta_updaters_get_the_slopes_of_both_through_the_softmax():
    both, plain = Both(), OneHot(OneHotSettings())
    _, without = first_gradients(relaxation=plain)
    _, got = first_gradients(both, relaxation=plain)
    slope, u = both.drawn + 9 * both.expected**2, both.expected
    wanted = u * (slope - (u * slope).sum(1, keepdim=True))
    assert torch.allclose(got.theta["g"] - without.theta["g"], wanted, atol=1e-6)


class Growing:
    """A penalty with a state: its weight grows."""

    def __init__(self):
        self.steps = 0

    def penalty(self, state, drawn, expected, progress):
        del state, drawn, progress
        self.steps += 1
        return 0.01 * self.steps * expected["g"].square().sum()

    def state_dict(self):
        return {"steps": self.steps}

    def load_state_dict(self, state):
        self.steps = state["steps"]


def goes_on_equal():
    def stateless():
        return Entropy(EntropySettings())

    whole, again = (toy_phase(regularizers=(stateless(), Growing()), stateful=[1]) for _ in range(2))
    one, other = started(whole), started(again)
    for _ in range(4):
        one.step()
    restore(again, other, capture(whole, one))
    for _ in range(3):
        one.step()
        other.step()
    assert torch.equal(whole.search.state.theta["g"], again.search.state.theta["g"])


def test_the_state_of_a_penalty_is_part_of_a_checkpoint():
    goes_on_equal()


def test_the_check_sees_a_state_that_is_lost(monkeypatch):
    monkeypatch.setattr(Growing, "load_state_dict", lambda *_given: None)
    with pytest.raises(AssertionError):
        goes_on_equal()


SGD = {**NAMES, "updater": ["sgd"]}


@pytest.mark.parametrize(("name", "times"), [("cost", 1), ("entropy", 0), ("l1", 0)])
def test_costs_are_counted_once_and_for_those_alone_who_ask(monkeypatch, tmp_path, name, times):
    counted = []
    right = phase_factory.costs

    def watched(description, catalogue, size):
        counted.append((description.is_open, size))
        return right(description, catalogue, size)

    monkeypatch.setattr(phase_factory, "costs", watched)
    search(recipe_of(names={**SGD, "regularizer": [name]}), REGISTRY, out=tmp_path / "run")
    # Once in the rehearsal before the run, and once in it.
    assert counted == [(True, (8, 8))] * 2 * times


def following(*gives):
    """A registry with an updater that promises something."""
    component = Component(
        name="mine",
        slot="updater",
        summary="Follows a gradient.",
        build="nascore.builtin.updaters:Sgd",
        provides=("learns", *gives),
    )
    plugin = SimpleNamespace(nascore_updaters=hookimpl(lambda: [component]))
    return Registry.of(builtin=nascore.builtin, mine=plugin)


def asked(registry, **settings):
    names = {**NAMES, "updater": ["mine"], **settings.pop("names")}
    return settled(Request(scale="mini", names=names, settings=settings), registry, run=SEARCH_RUN)


class Weighing:
    """A penalty without a state."""

    def __init__(self, settings):
        del settings

    def start(self, state, horizon, costs):
        del state, horizon, costs

    def penalty(self, state, drawn, expected, progress):
        del state, drawn, progress
        return sum(value.square().sum() for value in expected.values())


class Stepping(Weighing):
    """A penalty with a state."""

    steps = 0

    def penalty(self, state, drawn, expected, progress):
        self.steps += 1
        return self.steps * super().penalty(state, drawn, expected, progress)

    def state_dict(self):
        return {"steps": self.steps}

    def load_state_dict(self, state):
        self.steps = state["steps"]


def built_with(build, *provides):
    """The parts of a search with a penalty of a plugin."""
    part = Component(name="mine", slot="regularizer", summary="For tests.", build=build, provides=provides)
    plugin = SimpleNamespace(nascore_regularizers=hookimpl(lambda: [part]))
    registry = Registry.of(builtin=nascore.builtin, mine=plugin)
    request = Request(scale="mini", names={**SGD, "regularizer": ["mine"]})
    return build_search_parts(settled(request, registry, run=SEARCH_RUN), None, None)


def test_the_declaration_decides_which_penalty_has_a_state():
    assert built_with(Stepping, "stateful").stateful == {0}
    assert built_with(Weighing).stateful == frozenset()
    sometimes = Give(capability="stateful", when=lambda settings: settings is None)
    assert built_with(Stepping, sometimes).stateful == frozenset()


@pytest.mark.parametrize(
    ("build", "provides", "text"),
    [
        (Stepping, (), "mine has state_dict and load_state_dict, but does not declare stateful."),
        (
            Weighing,
            ("stateful",),
            "mine declares stateful, but has no method state_dict and no method load_state_dict.",
        ),
    ],
)
def test_methods_and_declarations_that_contradict_each_other_are_refused(build, provides, text):
    with pytest.raises(PluginError) as caught:
        built_with(build, *provides)
    assert [problem.text for problem in caught.value.problems] == [text]


@pytest.mark.parametrize("name", ["l1", "entropy", "cost"])
def test_l1_is_refused_where_the_updater_follows_the_mixture(name):
    follows_theta, follows_mixture = following(), following("mixture-gradient")
    names = {"regularizer": [name]}
    assert asked(follows_theta, names=names).warned == ()
    if name != "l1":
        assert asked(follows_mixture, names=names).warned == ()
        return
    with pytest.raises(RecipeError, match="do not fit"):
        asked(follows_mixture, names=names)


@pytest.mark.parametrize(
    ("regularizer", "target", "relaxation", "fits"),
    [
        ("l1", "mixture", "linear", True),
        ("l1", "mixture", "softmax", False),
        ("l1", "mixture", "one-hot", False),
        ("l1", "code", "one-hot", True),
        ("l1", "code", "softmax", False),
        ("l1", "theta", "linear", True),
        ("entropy", None, "linear", False),
        ("cost", None, "linear", False),
        ("cost", None, "one-hot", True),
    ],
)
def test_a_penalty_fits_the_relaxations_in_which_it_means_something(regularizer, target, relaxation, fits):
    names = {**SGD, "regularizer": [regularizer], "relaxation": [relaxation]}
    settings = {} if target is None else {"regularizer__l1__target": target}
    if fits:
        assert recipe_of(names=names, **settings).warned == ()
        return
    with pytest.raises(RecipeError, match="do not fit"):
        recipe_of(names=names, **settings)


def test_a_penalty_beside_an_updater_that_learns_nothing_is_warned_of():
    [problem] = recipe_of(names={**NAMES, "regularizer": ["entropy"]}).warned
    assert "has no effect" in str(problem)


def test_a_search_starts_its_penalties_in_the_order_of_the_recipe(tmp_path, monkeypatch):
    seen = []
    for kind in (L1, Entropy):
        monkeypatch.setattr(kind, "start", lambda *given: seen.append(given))
    recipe = recipe_of(names={**SGD, "regularizer": ["entropy", "l1"]}, regularizer__l1__weight=0.5)
    search(recipe, REGISTRY, out=tmp_path / "run")
    [(entropy, state, horizon, _), (l1, same, again, _)] = seen[-2:]  # before them, those of the rehearsal
    assert [type(entropy), type(l1), l1.weight] == [Entropy, L1, 0.5]
    assert state is same
    assert horizon == again
    assert list(state.groups) == ["cell"]


def test_a_penalty_gets_the_progress_and_the_number_of_steps(tmp_path, monkeypatch):
    seen, begun = [], []
    penalty, start = Entropy.penalty, Entropy.start

    def starting(self, state, horizon, costs):
        begun.append(horizon.updates)
        start(self, state, horizon, costs)

    def watched(self, state, drawn, expected, progress):
        seen.append(progress)
        return penalty(self, state, drawn, expected, progress)

    monkeypatch.setattr(Entropy, "start", starting)
    monkeypatch.setattr(Entropy, "penalty", watched)
    recipe = recipe_of(names={**SGD, "regularizer": ["entropy"]}, trainer__warm_up=1, trainer__epochs=3)
    search(recipe, REGISTRY, out=tmp_path / "run")
    assert len(seen) == begun[-1] > 2
    assert seen == pytest.approx([step / (begun[-1] - 1) for step in range(begun[-1])])
