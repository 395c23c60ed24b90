"""Choices for the tests of parts: two groups in float64, with gaps, and what costs what in them."""

from __future__ import annotations

import torch

from nascore.contract import Horizon
from nascore.description import ChoiceGroup, Op
from nascore.nn import ArchitectureState, segment_softmax

OPS = tuple(map(Op, ("none", "skip_connect", "conv_3x3")))
GROUPS = {
    "cell": ChoiceGroup(
        rows=(("cell", "n0", "x"), ("cell", "n1", "x"), ("cell", "n1", "n0")),
        ops=OPS,
        mask=((True, True, True), (True, True, False), (True, True, True)),
        segments=((0, 0, 0), (1, 1, -1), (1, 1, 1)),
        replicas=2,
    ),
    "layer": ChoiceGroup(
        rows=(("network", "l0", "stem"),),
        ops=OPS,
        mask=((True, True, True),),
        segments=((0, 0, 0),),
        replicas=1,
    ),
}


def state_of(seed=0, *, dead=True, dtype=torch.float64):
    """Two groups: edges and a node that compete, an entry that is not offered and one that has died."""
    generator = torch.Generator().manual_seed(seed)
    theta = {
        name: torch.randn(len(group.rows), len(group.ops), generator=generator, dtype=dtype)
        for name, group in GROUPS.items()
    }
    state = ArchitectureState(groups=GROUPS, theta=theta)
    if dead:
        state.alive["cell"][2, 0] = False
    return state


def softmaxed(state, theta=None):
    """The expected mixture, with its graph to theta."""
    theta = state.theta if theta is None else theta
    return {name: segment_softmax(value, state.segments(name)) for name, value in theta.items()}


def leaves(mixture):
    return {name: value.detach().clone().requires_grad_() for name, value in mixture.items()}


def slopes(scalar, tensors):
    """Derivatives of a scalar; zeros where it does not depend on a tensor."""
    found = torch.autograd.grad(scalar, list(tensors.values()), allow_unused=True, materialize_grads=True)
    return dict(zip(tensors, found, strict=True))


def live(state):
    return {name: state.segments(name) >= 0 for name in state.theta}


HORIZON = Horizon(updates=10, samples=4, replicas={}, keep={})


def nothing_counted():
    message = "only a penalty on costs has them counted"
    raise AssertionError(message)
