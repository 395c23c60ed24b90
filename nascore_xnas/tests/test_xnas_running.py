"""What is wiped out is not run any more, in the pass of the architecture and in that of the weights."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from xnas_supernets import DOUBLE, SAMPLES, phase_of, supernet

from nascore.builtin import alternating
from nascore.builtin.alternating import Alternating
from nascore.builtin.components import AlternatingSettings

SURVIVOR = 4  # sep_conv_3x3: on each edge the only one left
LEFT = 1
STEPS = 10


class Count(TorchFunctionMode):
    """Counts the channels that all convolutions give, alone or side by side with others."""

    def __init__(self):
        super().__init__()
        self.channels = 0

    def __torch_function__(self, func, types, args=(), kwargs=None):
        given = func(*args, **(kwargs or {}))
        if func in (torch.conv2d, nn.functional.conv2d):
            self.channels += given.shape[1]
        return given


def training(execution, estimate="first"):
    """Return a phase one update before its end, and its trainer; the rewards cannot turn the outcome."""
    net = supernet(execution)
    phase = phase_of(net, wipe_out=True, eta=1e-3)
    phase.batches["architecture"] = phase.batches["train"]
    trainer = Alternating(AlternatingSettings(estimate=estimate, batch=SAMPLES, sequence="weights-first"))
    trainer.start(phase)
    for name, game in phase.search.updater.games.items():
        game.played = game.rounds - LEFT * SAMPLES * phase.search.state.groups[name].replicas
        with torch.no_grad():
            phase.search.state.theta[name][:, SURVIVOR] += 50
    return phase, trainer


def called(phase, trainer):
    """Make a step; returns how often each operation of the choices was called, and how much was convolved."""
    calls = Counter()
    at = {
        branch.path: (link.group, link.row, branch.column)
        for step in phase.network.programs[True].steps
        for link in step.readers
        if link.group is not None
        for branch in link.branches
    }
    listening = [
        phase.network.ops[path].register_forward_hook(lambda *_, place=place: calls.update([place]))
        for path, place in at.items()
    ]
    with Count() as counted:
        assert trainer.step() is not None
    for handle in listening:
        handle.remove()
    return calls, counted.channels


def check_not_run(estimate="first", passes=2):
    phase, trainer = training("plain", estimate)
    groups = phase.search.state.groups
    before, _ = called(phase, trainer)
    assert set(before) == {
        (name, row, column)
        for name, group in groups.items()
        for row in range(len(group.rows))
        for column in range(len(group.ops))
    }
    assert all(bool((alive.sum(1) == 1).all()) for alive in phase.search.state.alive.values())
    after, _ = called(phase, trainer)
    assert after == {
        (name, row, SURVIVOR): passes * group.replicas
        for name, group in groups.items()
        for row in range(len(group.rows))
    }


@pytest.mark.parametrize(("estimate", "passes"), [("first", 2), ("single-level", 1)])
def test_what_is_wiped_out_is_not_run(estimate, passes):
    check_not_run(estimate, passes)


@pytest.mark.parametrize("name", ["draw", "fixed_draw"])
def test_a_pass_that_runs_everything_is_seen(monkeypatch, name):
    """A mutation for either pass: `runs` is all that there is."""
    healthy = getattr(alternating, name)

    def everything(*of):
        drawn = healthy(*of)
        return type(drawn)(
            weights=drawn.weights,
            leaf=drawn.leaf,
            runs={group: torch.ones_like(runs) for group, runs in drawn.runs.items()},
        )

    monkeypatch.setattr(alternating, name, everything)
    with pytest.raises(AssertionError):
        check_not_run()


@pytest.mark.parametrize("execution", ["plain", "fused"])
def test_no_execution_convolves_what_is_not_run(execution):
    """Hooks would keep an operation from being run with others, so here the channels are counted."""
    _, trainer = training(execution)
    with Count() as everything:
        trainer.step()
    with Count() as left:
        trainer.step()
    assert 0 < left.channels < everything.channels / 2


def test_the_survivors_weights_are_what_the_network_computes_with():
    phase, trainer = training("fused")
    trainer.step()
    expected = phase.search.expected()
    for name, share in expected.items():
        assert torch.equal(share, phase.search.state.alive[name].to(DOUBLE))
