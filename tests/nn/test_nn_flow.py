"""A gradient that is missing ends the work, with the name of who cut it off."""

from __future__ import annotations

import pytest
import torch
from engine_toys import Follower, started, toy_phase
from torch import nn

import nascore
from nascore.engine.loop import run_phase
from nascore.engine.mixture import gradients
from nascore.engine.observers import Observers
from nascore.errors import PluginError, RunFailed
from nascore.nn import Noise, Zero
from nascore.nn.shapes import INPUT, cut_off
from nascore.verbs.check_plugin import subjects

SHAPE = (2, 2, 1)


class Sound(nn.Module):
    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.conv = nn.Conv2d(c_in, c_out, 3, stride, padding=1)
        self.norm = nn.BatchNorm2d(c_out)

    def forward(self, x):
        return torch.relu_(self.norm(self.conv(x)))


class Idle(Sound):
    """Has a weight that it never uses: its derivative is zero in truth."""

    def __init__(self, *shape):
        super().__init__(*shape)
        self.spare = nn.Parameter(torch.ones(3))


class Empty(Sound):
    def __init__(self, *shape):
        super().__init__(*shape)
        self.none = nn.Parameter(torch.ones(0))


class Frozen(Sound):
    def __init__(self, *shape):
        super().__init__(*shape)
        self.conv.weight.requires_grad_(requires_grad=False)


class Own(Zero):
    """Zeros, of a class that nobody knows."""


class Dropping(Sound):
    def forward(self, x):
        return nn.functional.dropout(super().forward(x), 0.5)


class Detached(Sound):
    def forward(self, x):
        return super().forward(x).detach()


class WithoutGradients(Sound):
    @torch.no_grad()
    def forward(self, x):
        return super().forward(x)


class DetachedInput(Sound):
    def forward(self, x):
        return super().forward(x.detach())


class DataOfWeight(Sound):
    def forward(self, x):
        return nn.functional.conv2d(x, self.conv.weight.data, padding=1) + self.norm(x)


@pytest.mark.parametrize("kind", [Sound, Idle, Empty, Frozen, Own, Zero, Noise, Dropping])
def test_nothing_is_cut_off_where_every_derivative_is_the_true_one(kind):
    assert cut_off(kind, (), SHAPE, (5, 5)) == ()


@pytest.mark.parametrize(
    ("kind", "cut"),
    [
        (Detached, {INPUT, "conv.weight", "conv.bias", "norm.weight", "norm.bias"}),
        (WithoutGradients, {INPUT, "conv.weight", "conv.bias", "norm.weight", "norm.bias"}),
        (DetachedInput, {INPUT}),
        (DataOfWeight, {"conv.weight"}),
    ],
)
def test_what_is_cut_off_is_named(kind, cut):
    found = set(cut_off(kind, (), SHAPE, (5, 5)))
    # A bias before batch norm changes nothing: its derivative is zero whoever cuts it off.
    assert found - {"conv.bias"} == cut - {"conv.bias"}


def test_trying_an_operation_moves_no_global_generator():
    before = torch.get_rng_state()
    cut_off(Dropping, (), SHAPE, (7, 7))
    assert torch.equal(torch.get_rng_state(), before)


OPERATION = """
from torch import nn
from nascore.api import Operation, hookimpl

class M(nn.Module):
    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.c = nn.Conv2d(c_in, c_out, 3, stride, padding=1)

    def forward(self, x):
        return self.c(x).detach()

@hookimpl
def nascore_operations():
    yield Operation(name="myop", build=M)
"""
SPACE = """
nascore: 1
channels: 4
in_channels: 1
classes: 10
groups:
  g: {ops: [myop, conv_3x3]}
network:
  nodes:
    stem: {from: images, op: stem}
    l0: {from: -1, choose: g}
    l1: {from: -1, op: myop}
    head: {from: -1, op: classifier, width: classes}
"""
FEW = {
    "dataset.count": 32,
    "trainer.epochs": 1,
    "trainer.batch": 8,
    "trainer.warm_up": 0,
    "ranking.epochs": 1,
    "ranking.batch": 8,
}


@pytest.mark.parametrize("growth", ["none", "random"])
def test_a_search_with_an_operation_that_detaches_does_not_begin(growth, tmp_path):
    (tmp_path / "op.py").write_text(OPERATION, encoding="utf-8")
    (tmp_path / "space.yaml").write_text(SPACE, encoding="utf-8")
    more = {"updater": "sgd"} if growth == "none" else {}
    with pytest.raises(PluginError, match=r"operation myop passes no gradient to its input, c\.weight"):
        nascore.search(
            space=f"file:{tmp_path / 'space.yaml'}",
            growth=growth,
            dataset="synthetic",
            scale="mini",
            settings=FEW if growth == "none" else {"dataset.count": 40, "growth.count": 1},
            out=tmp_path / "run",
            plugins=[tmp_path / "op.py"],
            **more,
        )
    assert not (tmp_path / "run").exists()


def test_check_plugin_tries_operations(tmp_path):
    for text, failed in ((OPERATION, True), (OPERATION.replace(".detach()", ""), False)):
        file = tmp_path / f"op{failed}.py"
        file.write_text(text, encoding="utf-8")
        subject = subjects(file.stem, plugins=[file])[0]
        (found,) = (one for one in subject.outcomes() if one.check == "operations_pass_the_gradient")
        assert ("operation myop that passes no gradient to its input, c.weight" in found.failure) == failed


def test_a_loss_without_a_graph_ends_the_run():
    weights = {"a": torch.ones(2, requires_grad=True)}
    with pytest.raises(RunFailed, match="the loss has no gradient, so nothing is learned: a would stay"):
        gradients(torch.ones(()), weights)
    with torch.no_grad(), pytest.raises(RunFailed, match="Gradients are switched off"):
        gradients(weights["a"].sum(), weights)
    assert torch.equal(gradients(torch.ones(()), weights, of="")[0]["a"], torch.zeros(2))


class Switching(Follower):
    def step(self, state, slopes):
        super().step(state, slopes)
        torch.set_grad_enabled(mode=False)


def test_an_updater_that_switches_gradients_off_is_named():
    phase = toy_phase(updater=Switching())
    phase.names = {"trainer": "alternating", "updater": "switching"}
    with (
        torch.set_grad_enabled(mode=True),
        pytest.raises(PluginError, match="alternating or the updater switching switched gradients off"),
    ):
        run_phase(phase, started(phase), Observers([], print))
