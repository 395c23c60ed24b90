"""Tricks in the weights step: their order, their refusals, and that none of them changes nothing."""

from __future__ import annotations

import pytest
import torch
from attrs import evolve
from engine_toys import FACTS, equal, everything, toy_phase

from nascore.contract import Demand, UsedTrick, WeightGroup, WeightSettings
from nascore.engine.tricks import BatchTricks, evaluated_network
from nascore.engine.weight_step import Supervised
from nascore.errors import PluginError


class Noted:
    """Notes which of its methods are called."""

    def __init__(self, name, calls):
        self.name, self.calls = name, calls

    def note(self, method):
        self.calls.append(f"{self.name} {method}")

    def start(self, training):
        self.note("start")
        self.training = training

    def network(self, _network):
        self.note("network")

    def parameters(self, groups):
        self.note("parameters")
        return groups

    def optimizer(self, groups):
        self.note("optimizer")
        return torch.optim.SGD(groups, lr=0.1)

    def transform(self, image, _rng):
        self.note("transform")
        return image

    def examples(self, images, targets, _rng):
        self.note("examples")
        return images, targets

    def schedule(self, _step, lr):
        self.note("schedule")
        return lr

    def loss(self, loss, _logits, _images, _targets):
        self.note("loss")
        return loss

    def gradients(self, gradients, _step):
        self.note("gradients")
        return gradients

    def after_step(self, _network, _step):
        self.note("after_step")

    def evaluated_network(self, network, _run):
        self.note("evaluated_network")
        return network


ALL = frozenset(
    [
        "starts",
        "network",
        "parameters",
        "optimizer",
        "transform",
        "examples",
        "schedule",
        "loss",
        "gradients",
        "after-step",
        "evaluates",
    ]
)


def phase_with(*tricks, declared=ALL):
    phase = toy_phase()
    phase.search = None
    phase.facts = FACTS
    phase.tricks = tuple(
        UsedTrick(name=f"trick-{place}", trick=trick, declared=frozenset(declared))
        for place, trick in enumerate(tricks)
    )
    batches = phase.batches["train"]
    batches._tricks = BatchTricks(tricks=phase.tricks, streams=phase.streams, classes=FACTS.classes)
    return phase


def trainer_on(phase, **rule):
    trainer = Supervised(WeightSettings(**{"lr": 0.1, **rule}), Demand(epochs=3, batch=5))
    trainer.start(phase)
    return trainer


def test_tricks_act_in_the_order_of_the_recipe_and_of_the_protocol():
    calls = []
    phase = phase_with(Noted("a", calls), Noted("b", calls))
    trainer = trainer_on(phase)
    assert (
        calls
        == [
            *(
                f"{name} {method}"
                for method in ("network", "start", "parameters", "optimizer")
                for name in "ab"
            )
        ][:-1]
    )
    calls.clear()
    trainer.step()
    evaluated_network(phase)
    batch = phase.batches["train"].size
    steps = ["transform"] * batch, ["examples"], ["loss"], ["gradients"], ["schedule"], ["after_step"]
    seen = [call for call in calls if "schedule" not in call]
    assert seen == [
        f"{name} {method}"
        for methods in (*steps[:4], *steps[5:], ["evaluated_network"])
        for name in "ab"
        for method in methods
    ]
    assert calls.index("a schedule") < calls.index("b schedule")


def test_tricks_that_do_nothing_change_nothing():
    declared = ALL - {"optimizer"}
    plain, tricked = phase_with(), phase_with(Noted("a", []), declared=declared)
    losses = []
    for phase in (plain, tricked):
        trainer = trainer_on(phase)
        losses.append([float(trainer.step().loss) for _ in range(phase.steps)])
    assert losses[0] == losses[1]
    assert equal(everything(plain.network), everything(tricked.network))


def test_groups_have_their_own_rate_and_decay():
    class Groups(Noted):
        def parameters(self, groups):
            (group,) = groups
            first, *rest = group.names
            return [
                WeightGroup(names=(first,), weight_decay=0.5, lr_scale=0.25),
                evolve(group, names=tuple(rest)),
            ]

    trainer = trainer_on(phase_with(Groups("a", []), declared={"parameters"}))
    trainer.step()
    groups = trainer.optimizer.param_groups
    assert [(len(one["params"]), one["lr"], one["weight_decay"]) for one in groups] == [
        (1, 0.025, 0.5),
        (len(trainer.weights) - 1, 0.1, 3e-4),
    ]


def test_a_postponed_step_changes_no_weight():
    class Second(Noted):
        def gradients(self, gradients, step):
            return gradients if step % 2 else None

    calls = []
    phase = phase_with(Second("a", calls), declared={"gradients", "after-step"})
    trainer = trainer_on(phase)
    before = {name: weight.detach().clone() for name, weight in trainer.weights.items()}
    trainer.step()
    assert all(torch.equal(before[name], weight) for name, weight in trainer.weights.items())
    assert calls == []
    trainer.step()
    assert not all(torch.equal(before[name], weight) for name, weight in trainer.weights.items())
    assert calls == ["a after_step"]


WRONG = {
    "examples": (lambda _self, images, _targets, _rng: images, "a pair of images and targets"),
    "transform": (lambda _self, image, _rng: image.double(), "a tensor [1, 6, 6] of float32, as it got"),
    "schedule": (lambda _self, _step, _lr: -1.0, "a finite learning rate of at least 0"),
    "loss": (lambda _self, loss, *_others: loss.repeat(2), "a tensor of floats without dimensions"),
    "gradients": (lambda _self, _gradients, _step: {}, "a tensor for each group"),
    "parameters": (lambda _self, groups: groups * 2, "groups with each weight exactly once"),
    "optimizer": (lambda _self, _groups: None, "a torch.optim.Optimizer"),
}


@pytest.mark.parametrize("method", WRONG)
def test_wrong_values_name_the_plugin(method):
    function, expected = WRONG[method]
    kind = type("Wrong", (Noted,), {method: function})
    with pytest.raises(PluginError) as caught:
        trainer_on(phase_with(kind("a", []), declared={method})).step()
    assert f"Wrong.{method} of the plugin" in str(caught.value)
    assert expected in str(caught.value)


def test_targets_must_be_classes_or_probabilities():
    class Wrong(Noted):
        def examples(self, images, _targets, _rng):
            return images, torch.ones(len(images), FACTS.classes)

    with pytest.raises(PluginError, match=r"probabilities \[5, 3\]"):
        trainer_on(phase_with(Wrong("a", []), declared={"examples"})).step()


def test_a_trick_must_not_add_tensors_to_the_network():
    class Wrong(Noted):
        def network(self, network):
            network.register_buffer("more", torch.zeros(1))

    with pytest.raises(PluginError, match="whose tensors have the same names and shapes"):
        trainer_on(phase_with(Wrong("a", []), declared={"network"}))
