"""A captured state is a value: later training does not change it, nor does training after it was restored."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from engine_toys import started, toy_phase

from nascore.engine.checkpoint import capture, restore


def same(one, other):
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


@pytest.mark.parametrize("restored", [False, True])
def test_steps_do_not_change_a_captured_state(restored):
    phase = toy_phase()
    trainer = started(phase)
    trainer.step()
    state = capture(phase, trainer)
    before = deepcopy(state)
    if restored:
        restore(phase, trainer, state)
    for _ in range(3):
        trainer.step()
    assert same(state, before)
    assert not same(capture(phase, trainer), before)
