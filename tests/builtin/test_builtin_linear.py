"""The linear relaxation."""

from __future__ import annotations

import pytest
import torch
from test_builtin_choosing import generator, tiny_state

from nascore.builtin.components import LinearSettings
from nascore.builtin.relaxations import Linear, even
from nascore.description import ChoiceGroup, Op
from nascore.testing.choices import group

GROUP = ChoiceGroup(
    rows=(("c", "n0", "a"), ("c", "n0", "b"), ("c", "n1", "a")),
    ops=tuple(map(Op, ("x", "y", "z"))),
    mask=((True, True, False), (True, False, False), (True, True, True)),
    segments=((0, 0, -1), (1, -1, -1), (2, 2, 2)),
    replicas=1,
)


def test_it_starts_at_the_even_mixture_of_what_competes():
    by_edge = torch.tensor([[1 / 2, 1 / 2, 0], [1, 0, 0], [1 / 3, 1 / 3, 1 / 3]])
    by_node = torch.tensor([[1 / 3, 1 / 3, 0], [1 / 3, 0, 0], [1 / 3, 1 / 3, 1 / 3]])
    linear, source = Linear(LinearSettings()), generator()
    before = source.get_state()
    assert torch.equal(linear.initial(GROUP, source), by_edge)
    assert torch.equal(linear.initial(GROUP.segmented("node"), source), by_node)
    assert torch.equal(source.get_state(), before)


@pytest.mark.parametrize("segment", ["edge", "node"])
def test_the_start_is_that_of_the_segments_that_the_engine_asks_for(segment):
    assert Linear(LinearSettings(segment=segment)).segment == segment


def test_even_leaves_gaps_in_the_numbers_of_segments_alone():
    assert torch.equal(even(torch.tensor([[4, 4], [-1, 9]])), torch.tensor([[0.5, 0.5], [0.0, 1.0]]).double())
    assert not even(torch.tensor([[-1, -1]])).any()


def test_the_weights_are_theta_itself_and_the_dead_weigh_nothing():
    state, linear = tiny_state(), Linear(LinearSettings())
    state.alive["cell"][1, 2] = False
    theta, segments = state.theta["cell"], state.segments("cell")
    drawn = linear.mixture(theta, segments, state.groups["cell"], generator=generator())
    assert drawn.runs is None
    assert torch.equal(drawn.weights, theta * state.alive["cell"])
    assert (drawn.weights < 0).any()
    assert torch.equal(linear.expected(theta, segments, state.groups["cell"]), drawn.weights)


def test_the_gradient_is_handed_through_where_alive():
    state = tiny_state()
    state.alive["cell"][0, 1] = False
    theta, upstream = state.theta["cell"], torch.randn(3, 4, generator=generator(3))
    given = (theta, state.segments("cell"), state.groups["cell"])
    weights = Linear(LinearSettings()).mixture(*given, generator=generator()).weights
    (found,) = torch.autograd.grad((weights * upstream).sum(), theta)
    assert torch.equal(found, upstream * state.alive["cell"])


def test_a_dead_entry_that_is_not_finite_does_not_spread():
    theta = torch.tensor([[torch.nan, 1.0]], requires_grad=True)
    weights = Linear(LinearSettings()).expected(theta, torch.tensor([[-1, 0]]), group(1, 2))
    assert torch.equal(weights, torch.tensor([[0.0, 1.0]]))
