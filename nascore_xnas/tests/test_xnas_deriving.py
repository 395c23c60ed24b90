"""What wipe-out leaves is enough for deriving: whatever competes, and whatever is never kept."""

from __future__ import annotations

import pytest
import torch
from xnas_games import EXPERTS, play

import nascore.builtin
import nascore_xnas
from nascore.api import ChoiceGroup, Op, expand, load
from nascore.contract import Phase
from nascore.engine.derive import picks_of
from nascore.engine.loop import run_phase
from nascore.engine.phase_factory import ArchitectureSearch
from nascore.nn import ArchitectureState
from nascore.plugin import Registry
from nascore.testing.planted import searching
from nascore_xnas import UpdaterSettings
from nascore_xnas.updater import Updater

SHORT = ("trainer.epochs=1", "trainer.warm_up=0")
CHAIN = """\
nascore: 1
channels: 4
in_channels: 3
classes: 4
affine: false
pool_norm: true
groups:
  layer: {ops: [skip_connect, max_pool_3x3, conv_3x3], never: [conv_3x3]}
network:
  nodes:
    stem: {from: images, op: stem}
    a: {from: stem, choose: layer}
    b: {from: a, choose: layer}
    head: {from: b, op: classifier, width: classes}
"""


@pytest.fixture(scope="module")
def registry():
    return Registry.of(builtin=nascore.builtin, xnas=nascore_xnas)


def strengths(registry, names, sets=()):
    """Search, and return the strengths of what is derived."""
    with searching(registry, {"updater": "xnas", **names}, sets=(*SHORT, *sets)) as found:
        run_phase(found.phase, found.trainer, found.live.observers)
        search = found.search
        picks = picks_of(found.description, search)
        given = search.updater.strength(search.state, search.expected())
    return [float(given[name][pick]) for name, kept in picks.items() for pick in kept]


class Sized:
    size = 2


def begin(updater, state):
    """Start an updater for 20 updates of two images, with the horizon that the engine gives it."""
    phase = Phase(
        name="search",
        network=None,
        batches={"train": Sized()},
        steps=20,
        steps_per_epoch=20,
        streams=None,
        search=ArchitectureSearch(state=state, relaxation=None, updater=updater),
    )
    updater.start(state, phase.horizon(), torch.Generator())


@pytest.mark.parametrize("segment", ["edge", "node"])
def test_what_is_derived_was_alive(registry, segment):
    found = strengths(registry, {"space": "tiny"}, (f"relaxation.segment={segment}",))
    assert len(found) == 3
    assert min(found) > 0


def test_a_horizon_that_leaves_too_few_is_seen(registry, monkeypatch):
    monkeypatch.setattr(ChoiceGroup, "enough", lambda group: group.keep)
    assert min(strengths(registry, {"space": "tiny"}, ("relaxation.segment=node",))) == 0


def test_what_is_never_kept_cannot_be_all_that_survives():
    group = expand(load(CHAIN)).layouts["layer"]
    for wipe_out in (True, False):
        state = ArchitectureState(groups={"layer": group}, theta={"layer": torch.zeros(2, 3)})
        updater = Updater(UpdaterSettings(wipe_out=wipe_out, eta=0.1))
        begin(updater, state)
        assert state.alive["layer"].all(0).tolist() == [True, True, not wipe_out]


def test_the_strongest_of_a_node_hold_what_the_rule_keeps():
    # All that is strong is on one edge of the two that are kept; two experts never are.
    never = (Op("op0"), Op("op1"))
    group = ChoiceGroup(
        rows=tuple(("cell", "n0", f"in{edge}") for edge in range(3)),
        ops=tuple(Op(f"op{number}") for number in range(EXPERTS)),
        mask=((True,) * EXPERTS,) * 3,
        segments=tuple((edge,) * EXPERTS for edge in range(3)),
        replicas=1,
        segment="edge",
        edges=2,
        never=never,
    ).segmented("node")
    state = ArchitectureState(groups={"cell": group}, theta={"cell": torch.zeros(3, EXPERTS).double()})
    updater = Updater(UpdaterSettings())
    begin(updater, state)
    rewards = torch.tensor([[1.0], [-0.9], [-1.0]]).double() + 0.001 * torch.arange(EXPERTS)
    for _ in range(20):
        play(updater, state, rewards[None, None].expand(1, 2, 3, EXPERTS))
    left = state.alive["cell"]
    assert int(left.sum()) == EXPERTS - len(never) + 1
    assert left.sum(1).tolist() == [6, 1, 0]
