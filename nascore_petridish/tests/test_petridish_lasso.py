"""The lasso: which candidates are kept (algorithms.md, oracle 13), and that the L1 term is there."""

from __future__ import annotations

import pytest
import torch
from petridish_runs import grown
from petridish_samples import CATALOGUE, policy, start
from torch import nn

from nascore.builtin.components import L1Settings, LinearSettings, SgdSettings
from nascore.builtin.regularizers import L1
from nascore.builtin.relaxations import Linear
from nascore.builtin.updaters import Sgd
from nascore.contract import Phase
from nascore.description import expand
from nascore.engine.mixture import draw, pull_back
from nascore.engine.phase_factory import ArchitectureSearch
from nascore.engine.streams import Streams
from nascore.nn import ArchitectureState, Descent

GROUP = "grow/network/l2/1"
WEIGHT, RATE = 0.3, 0.05
CORRELATIONS = [0.1, -2.0, 0.25, 0.9, -0.2, 1.4, -0.7, 0.29]
"""Of the candidates with the target: four are larger than the weight of the penalty, two of them negative."""


def opened():
    return policy(search="cell").open(start("chain"), CATALOGUE)


def fitted(*, weight=WEIGHT, correlations=CORRELATIONS, steps=300):
    """Fit the sum of orthonormal candidates to a target, as a search does; returns the search."""
    group = expand(opened()).layouts[GROUP]
    relaxation = Linear(LinearSettings())
    theta = {GROUP: relaxation.initial(group, torch.Generator())}
    updater = Sgd(SgdSettings(lr=RATE, momentum=0))
    regularizers = (L1(L1Settings(weight=weight)),) if weight else ()
    search = ArchitectureSearch(
        state=ArchitectureState(groups={GROUP: group}, theta=theta),
        relaxation=relaxation,
        updater=updater,
        regularizers=regularizers,
    )
    phase = Phase(
        name="search",
        network=nn.Identity(),
        batches={},
        steps=steps,
        steps_per_epoch=steps,
        streams=Streams(0),
        search=search,
    )
    updater.start(search.state, None, torch.Generator())
    places = [(row, column) for row, line in enumerate(group.mask) for column, on in enumerate(line) if on]
    candidates = torch.linalg.qr(torch.randn(20, len(places), generator=torch.Generator().manual_seed(0)))[0]
    target = candidates @ torch.tensor(correlations)
    for _ in range(steps):
        drawn = draw(search, phase.streams, 1)
        mixed = torch.stack([drawn.leaf[GROUP][place] for place in places])
        loss = (target - candidates @ mixed).square().sum() / 2
        (slope,) = torch.autograd.grad(loss, [drawn.leaf[GROUP]])
        updater.step(search.state, pull_back(phase, drawn, {GROUP: slope}))
    return search, places


def kept(search, places):
    """Return which candidates stand in the child."""
    description, layout = opened(), expand(opened()).layouts[GROUP]
    strength = search.updater.strength(search.state, search.expected())
    child = policy().close(description, {name: value.tolist() for name, value in strength.items()})
    node = child.network.node("l2+1")
    there = {(edge.source, op) for edge in node.edges for op in edge.ops} if node else set()
    return {
        index
        for index, (row, column) in enumerate(places)
        if (layout.rows[row][2], layout.ops[column]) in there
    }


def thresholded(correlations=CORRELATIONS):
    values = torch.tensor(correlations)
    return values.sign() * (values.abs() - WEIGHT).clamp_min(0)


def check_selection():
    search, places = fitted()
    theta = torch.stack([search.state.theta[GROUP].detach()[place] for place in places])
    # What the penalty holds at zero moves to and fro by a step of it.
    assert torch.allclose(theta, thresholded(), atol=2 * RATE * WEIGHT)
    largest = set(thresholded().abs().argsort(descending=True)[:3].tolist())
    assert kept(search, places) == largest == {1, 5, 3}


def test_what_is_kept_is_what_soft_thresholding_keeps():
    check_selection()


def test_without_the_penalty_it_is_least_squares():
    search, places = fitted(weight=0)
    theta = torch.stack([search.state.theta[GROUP].detach()[place] for place in places])
    assert torch.allclose(theta, torch.tensor(CORRELATIONS), atol=1e-3)


def test_selecting_by_signed_weight_is_seen(monkeypatch):
    """A mutation: the strongest candidate weighs -2."""
    monkeypatch.setattr(Descent, "strength", lambda _self, _state, expected: dict(expected))
    with pytest.raises(AssertionError):
        check_selection()


def test_a_weight_of_zero_is_not_kept():
    search, places = fitted()
    with torch.no_grad():
        for index, place in enumerate(places):
            search.state.theta[GROUP][place] = -0.5 if index == 4 else 0.0
    assert kept(search, places) == {4}
    with torch.no_grad():
        search.state.theta[GROUP].zero_()
    assert kept(search, places) == set()


# The penalty in a run


def first_gradients(monkeypatch, out, **settings):
    """Return by group what theta is moved by in the first architecture step of a run, and theta then."""
    seen = []
    step = Sgd.step

    def recording(self, state, gradients):
        if not seen:
            seen.append(
                {
                    name: (value.clone(), state.theta[name].detach().clone())
                    for name, value in gradients.theta.items()
                }
            )
        step(self, state, gradients)

    with monkeypatch.context() as patch:
        patch.setattr(Sgd, "step", recording)
        grown(out, growth__count=2, **settings)
    return seen[0]


def test_the_penalty_changes_the_gradient_and_is_gone_when_it_is_switched_off(monkeypatch, tmp_path):
    wished = first_gradients(monkeypatch, tmp_path / "wished")
    strong = first_gradients(monkeypatch, tmp_path / "strong", regularizer__l1__weight=0.5)
    without = first_gradients(monkeypatch, tmp_path / "without", regularizer="none")
    zero = first_gradients(monkeypatch, tmp_path / "zero", regularizer__l1__weight=0)
    for name, (bare, theta) in without.items():
        assert bare.any()
        assert torch.equal(zero[name][0], bare)
        live = theta != 0
        assert live.sum() == 8
        for found, weight in ((wished, 1e-3), (strong, 0.5)):
            assert torch.equal(found[name][1], theta)
            assert torch.allclose(found[name][0] - bare, weight * theta.sign(), atol=1e-6)
