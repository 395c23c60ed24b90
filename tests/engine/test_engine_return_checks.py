"""A part that returns something else than its slot asks for is named: class, plugin, method, and the line."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace

import pytest
import torch
from engine_runs import GROWN, REGISTRY, recipe_of
from engine_toys import toy_phase
from tiny import TINY

import nascore
from nascore.contract import Demand, Sampled
from nascore.engine.loop import capture
from nascore.engine.search import search
from nascore.errors import PluginError

SOFTMAX = "nascore.builtin.relaxations.Softmax"
UNIFORM = "nascore.builtin.updaters.Uniform"
SGD = "nascore.builtin.updaters.Sgd"
L1 = "nascore.builtin.regularizers.L1"
RANDOM = "nascore.builtin.growth.Random"
TRAINER = "nascore.builtin.alternating.Alternating"
LEARNING = {"space": ["tiny"], "updater": ["sgd"], "dataset": ["synthetic"], "regularizer": ["l1"]}

ODD = [
    (
        f"{SOFTMAX}.initial",
        None,
        "relaxation: Softmax.initial",
        "returns None for cell, .* a tensor of floats .3, 4.",
    ),
    (
        f"{SOFTMAX}.initial",
        torch.zeros(2, 2),
        "relaxation: Softmax.initial",
        r"returns a tensor \[2, 2\] of float32",
    ),
    (f"{SOFTMAX}.initial", torch.zeros(3, 4).long(), "relaxation: Softmax.initial", "of int64"),
    (
        f"{SOFTMAX}.mixture",
        None,
        "relaxation: Softmax.mixture",
        "returns None, but the slot requires Sampled",
    ),
    (f"{SOFTMAX}.mixture", torch.zeros(3, 4), "relaxation: Softmax.mixture", "a tensor .* Sampled"),
    (
        f"{SOFTMAX}.mixture",
        Sampled(weights=torch.zeros(1)),
        "relaxation: Softmax.mixture",
        "the weights of cell",
    ),
    (
        f"{SOFTMAX}.mixture",
        Sampled(weights=torch.zeros(3, 4), runs=[]),
        "relaxation: Softmax.mixture",
        "a list as runs",
    ),
    (f"{SOFTMAX}.expected", None, "relaxation: Softmax.expected", "returns None for cell"),
    (
        f"{SGD}.strength",
        None,
        "updater: Sgd.strength",
        "returns None, .* a tensor for each group: cell .3, 4.",
    ),
    (f"{SGD}.strength", {"cell": None}, "updater: Sgd.strength", "returns None for cell"),
    (f"{SGD}.strength", {"cell": torch.full((3, 4), torch.nan)}, "updater: Sgd.strength", "are not finite"),
    (f"{L1}.penalty", None, "regularizer: L1.penalty", "returns None, .* a scalar"),
    (f"{L1}.penalty", 0.5, "regularizer: L1.penalty", "returns float 0.5"),
    (f"{L1}.penalty", torch.zeros(2), "regularizer: L1.penalty", r"returns a tensor \[2\]"),
]


def search_with(monkeypatch, tmp_path, target, given, names=LEARNING, **settings):
    monkeypatch.setattr(target, given)
    search(recipe_of(names=names, **settings), REGISTRY, out=tmp_path / "run")


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: f"{odd[2]} {odd[3]}")
def test_a_wrong_return_names_who_gave_it(odd, monkeypatch, tmp_path):
    method, given, who, what = odd

    def wrong(*_, **__):
        return given

    with pytest.raises(PluginError, match=f"^{who} of the plugin nascore .*{what}") as caught:
        search_with(monkeypatch, tmp_path, method, wrong)
    origin = caught.value.problems[0].origin
    assert str(origin).startswith(f"{__file__}:")  # the method stands here now


@pytest.mark.parametrize(
    ("target", "given", "said"),
    [
        (
            f"{UNIFORM}.gradient",
            "weights",
            "Uniform.gradient .* is 'weights', .* 'theta' or 'mixture' or None",
        ),
        (f"{UNIFORM}.granularity", None, "Uniform.granularity .* is None, .* 'batch' or 'sample'"),
    ],
)
def test_what_an_updater_says_of_itself_is_checked(target, given, said, monkeypatch, tmp_path):
    names = {"space": ["tiny"], "updater": ["uniform"], "dataset": ["synthetic"]}
    with pytest.raises(PluginError, match=said):
        search_with(monkeypatch, tmp_path, target, given, names=names)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("demand", "said"),
    [
        (None, "is None, .* a Demand"),
        (Demand(epochs=0, batch=4), "is a Demand with epochs=0, .* a whole number of at least 1"),
        (Demand(epochs=1, batch=2.5), "is a Demand with batch=2.5"),
    ],
)
def test_what_a_trainer_demands_is_checked(demand, said, monkeypatch, tmp_path):
    with pytest.raises(PluginError, match=f"Alternating.demand .*{said}"):
        search_with(
            monkeypatch, tmp_path, f"{TRAINER}.__init__", lambda self, _: setattr(self, "demand", demand)
        )
    assert not (tmp_path / "run").exists()


def rebound(state, gradients):
    for name, slope in gradients.theta.items():
        state.theta[name] = (state.theta[name] - slope).detach().requires_grad_()


def replaced(state, gradients):
    for name, slope in gradients.theta.items():
        state.theta[name].data = state.theta[name].detach() - slope


def removed(state, gradients):
    del gradients
    state.theta.clear()


def frozen(state, gradients):
    del gradients
    for theta in state.theta.values():
        theta.requires_grad_(requires_grad=False)


def returned(state, gradients):
    return {name: state.theta[name] - slope for name, slope in gradients.theta.items()}


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (rebound, "None and replaces theta of cell with a new tensor"),
        (replaced, "None and replaces the data of theta of cell"),
        (removed, "None and replaces theta of cell with a new tensor"),
        (frozen, "None and switches off requires_grad of theta of cell"),
        (returned, "a dict"),
    ],
)
@pytest.mark.parametrize("estimate", ["first", "single-level"])
def test_an_updater_that_does_not_move_theta_in_place_is_named(step, said, estimate, monkeypatch, tmp_path):
    def own(_self, state, gradients):
        return step(state, gradients)

    text = f"^updater: Sgd.step of the plugin nascore returns {said}, .* theta updated in place"
    with pytest.raises(PluginError, match=text):
        search_with(monkeypatch, tmp_path, f"{SGD}.step", own, **{"trainer.estimate": estimate})


@pytest.mark.parametrize(("segment", "given"), [("channel", "is 'channel'"), (3, "is 3"), ([], r"is \[\]")])
def test_what_a_relaxation_says_of_itself_is_checked(segment, given, monkeypatch, tmp_path):
    text = f"relaxation: Softmax.segment .* {given}, .* 'edge' or 'node' or None"
    with pytest.raises(PluginError, match=text):
        search_with(
            monkeypatch, tmp_path, f"{SOFTMAX}.__init__", lambda self, _: setattr(self, "segment", segment)
        )
    assert not (tmp_path / "run").exists()


@pytest.mark.needs("nascore-data")
@pytest.mark.parametrize(
    ("method", "given", "said"),
    [
        ("annealed", None, "returns None, but the slot requires a relaxation"),
        ("pooled", torch.zeros(2), r"returns a tensor \[2\] of float32, .* without dimensions"),
        ("picks", None, "returns None for cell, .* a list of pairs"),
    ],
)
def test_what_optional_methods_of_a_relaxation_return_is_checked(method, given, said, monkeypatch):
    monkeypatch.setattr(f"nascore_data.relaxation.Egs.{method}", lambda *_: given)
    with pytest.raises(PluginError, match=f"relaxation: Egs.{method} of the plugin nascore_data {said}"):
        nascore.search(
            space="tiny", dataset="synthetic", updater="data", relaxation="egs", scale="mini", settings=TINY
        )


@pytest.mark.parametrize(
    ("target", "slot"), [(UNIFORM, "updater"), (TRAINER, "trainer"), (L1, "regularizer")]
)
def test_a_state_that_is_none_is_named(target, slot, monkeypatch):
    module, _, name = target.rpartition(".")
    kind = getattr(import_module(module), name)
    part = kind.__new__(kind)
    monkeypatch.setattr(f"{target}.state_dict", lambda _: None, raising=False)
    trainer = part if slot == "trainer" else SimpleNamespace(state_dict=dict)
    phase = toy_phase(updater=part if slot == "updater" else None)
    if slot == "regularizer":
        phase = toy_phase(regularizers=(part,), stateful=(0,))
    text = f"{slot}: {name}.state_dict .* returns None, .* a dict of all state"
    with pytest.raises(PluginError, match=text):
        capture(phase, trainer)


@pytest.mark.needs("nascore-petridish")
@pytest.mark.parametrize(
    ("method", "given", "said"),
    [
        ("propose", lambda *_: None, "returns None, but the slot requires a sequence of Proposals"),
        ("propose", lambda *_: iter([3]), "returns int 3, but the slot requires Proposals"),
        ("close", lambda *_: None, "returns None, but the slot requires a Description"),
    ],
)
def test_what_a_policy_that_grows_returns_is_checked(method, given, said, monkeypatch, tmp_path):
    monkeypatch.setattr(f"nascore_petridish.policy.Petridish.{method}", given)
    text = f"growth: Petridish.{method} of the plugin nascore_petridish {said}"
    with pytest.raises(PluginError, match=text):
        nascore.search(
            space="tiny",
            dataset="synthetic",
            growth="petridish",
            scale="mini",
            settings={**TINY, "growth.count": 2, "growth.seed_epochs": 1, "growth.child_epochs": 1},
            out=tmp_path / "run",
        )


def test_a_remark_that_is_no_text_is_named(monkeypatch, tmp_path):
    with pytest.raises(PluginError, match=r"growth: Random.remark .* returns None, .* a text"):
        search_with(monkeypatch, tmp_path, f"{RANDOM}.remark", lambda *_: None, names=GROWN, growth__count=2)


@pytest.mark.parametrize("given", [None, 3, [None], ["an architecture"], "an architecture"])
def test_what_growth_begins_with_is_checked(given, monkeypatch, tmp_path):
    with pytest.raises(PluginError, match=r"growth: Random.propose .* requires (a sequence of )?Proposals"):
        search_with(
            monkeypatch, tmp_path, f"{RANDOM}.propose", lambda *_: given, names=GROWN, growth__count=2
        )
