"""The softmax relaxation and the control."""

from __future__ import annotations

import pytest
import torch

from nascore.api import Gradients, Horizon, NoSettings, expand
from nascore.builtin.components import PlantedSpaceSettings, SoftmaxSettings, TinySettings
from nascore.builtin.relaxations import Softmax
from nascore.builtin.spaces import Planted, Tiny
from nascore.builtin.updaters import Uniform
from nascore.contract import DataFacts
from nascore.nn import ArchitectureState

FACTS = DataFacts(channels=1, height=8, width=8, classes=10, train=10, test=10, mean=(0.5,), std=(0.25,))
HORIZON = Horizon(updates=10, samples=4, replicas={"cell": 2}, keep={"cell": 1})


def tiny_state(seed=0):
    generator = torch.Generator().manual_seed(seed)
    groups = expand(Tiny(TinySettings()).describe(FACTS)).layouts
    return ArchitectureState(groups=groups, theta={"cell": torch.randn(3, 4, generator=generator)})


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_softmax_of_each_edge_sums_to_one_and_leaves_the_dead_out():
    state = tiny_state()
    state.alive["cell"][1, :3] = False
    state.alive["cell"][2, 0] = False
    weights = Softmax(SoftmaxSettings()).mixture(
        state.theta["cell"], state.segments("cell"), state.groups["cell"], generator=generator()
    )
    assert torch.allclose(weights.weights.sum(1), torch.ones(3))
    assert torch.equal(weights.weights != 0, state.alive["cell"])
    assert weights.weights[1, 3] == 1
    assert weights.runs is None


def test_softmax_can_be_differentiated_and_draws_nothing():
    state, relaxation = tiny_state(), Softmax(SoftmaxSettings())
    theta = state.theta["cell"].detach().requires_grad_()
    source = generator()
    before = source.get_state()
    segments, group = state.segments("cell"), state.groups["cell"]
    weights = relaxation.mixture(theta, segments, group, generator=source).weights
    assert torch.equal(source.get_state(), before)
    upstream = torch.randn(3, 4, generator=generator(5))
    (found,) = torch.autograd.grad((weights * upstream).sum(), theta)
    used = weights.detach()
    assert torch.allclose(found, used * (upstream - (used * upstream).sum(1, keepdim=True)), atol=1e-7)
    assert torch.equal(relaxation.expected(theta, segments, group), weights)


def test_softmax_starts_at_the_uniform_mixture_or_near_it():
    group = tiny_state().groups["cell"]
    assert not Softmax(SoftmaxSettings()).initial(group, generator()).any()
    noisy = Softmax(SoftmaxSettings(noise=1e-3))
    start = noisy.initial(group, generator(1))
    assert start.shape == (3, 4)
    assert 0 < start.abs().max() < 0.01
    assert torch.equal(start, noisy.initial(group, generator(1)))
    assert not torch.equal(start, noisy.initial(group, generator(2)))


def started(seed, groups=None):
    groups = groups or tiny_state().groups
    theta = {name: torch.zeros(len(group.rows), len(group.ops)) for name, group in groups.items()}
    state = ArchitectureState(groups=groups, theta=theta)
    updater = Uniform(NoSettings())
    updater.start(state, HORIZON, generator(seed))
    return updater, state


def test_uniform_never_moves_theta_and_asks_for_no_gradient():
    updater, state = started(0)
    assert updater.gradient is None
    updater.step(state, Gradients(theta={"cell": torch.ones(3, 4)}))
    assert not state.theta["cell"].any()


def test_uniform_ranks_by_its_generator_alone():
    updater, state = started(1)
    ranks = updater.strength(state, {"cell": torch.rand(3, 4)})["cell"]
    assert ((ranks > 0) & (ranks <= 1)).all()
    assert torch.equal(started(1)[0].strength(state, {})["cell"], ranks)
    assert not torch.equal(started(2)[0].strength(state, {})["cell"], ranks)
    state.alive["cell"][0, 1] = False
    assert updater.strength(state, {})["cell"][0, 1] == 0


def test_uniform_keeps_its_ranks_in_its_state():
    updater, state = started(1)
    other, _ = started(2)
    other.load_state_dict(updater.state_dict())
    assert torch.equal(other.strength(state, {})["cell"], updater.strength(state, {})["cell"])


@pytest.mark.parametrize("column", range(4))
def test_uniform_favours_no_column(column):
    groups = expand(Planted(PlantedSpaceSettings()).describe(FACTS)).layouts
    best = [
        int(rank.argmax())
        for seed in range(100)
        for updater, state in [started(seed, groups)]
        for rank in updater.strength(state, {}).values()
    ]
    assert len(best) == 300
    # 75 expected, standard deviation 7.5: four of them.
    assert 45 <= best.count(column) <= 105
