"""The penalty cost, against counted networks; and that every penalty can be switched off."""

from __future__ import annotations

import random

import pytest
import torch
from choice_samples import HORIZON, leaves, nothing_counted, slopes, softmaxed, state_of
from descriptions import DARTS
from nn_samples import CATALOGUE
from test_builtin_choosing import FACTS

from nascore.builtin.components import CostSettings, EntropySettings, L1Settings, TinySettings
from nascore.builtin.regularizers import L1, Cost, Entropy
from nascore.builtin.spaces import Tiny
from nascore.description import choose, derive, expand, load, resize
from nascore.nn import ArchitectureState, Costs, GroupCosts, costs

SIZE = (16, 16)
SPACES = {
    "tiny": Tiny(TinySettings(cells=3)).describe(FACTS),
    "darts": resize(load(DARTS), channels=4, repeats={"a": 2, "b": 1, "c": 0}),
}
COUNTED = {name: costs(description, CATALOGUE, SIZE) for name, description in SPACES.items()}


def opened(space):
    groups = expand(SPACES[space]).layouts
    theta = {
        name: torch.zeros(len(group.rows), len(group.ops), dtype=torch.float64)
        for name, group in groups.items()
    }
    return ArchitectureState(groups=groups, theta=theta)


def started(cls, settings, space):
    state = opened(space)
    penalty = cls(settings)
    penalty.start(state, HORIZON, lambda: COUNTED[space])
    return penalty, state


def by_hand(counted, mixture, of):
    """Sum of u * cost over groups, uses, edges and operations, and what is fixed, one by one."""
    total = float(getattr(counted, of))
    for name, group in counted.groups.items():
        for use in getattr(group, of).tolist():
            for row, shares in zip(use, mixture[name].tolist(), strict=True):
                total += sum(cost * share for cost, share in zip(row, shares, strict=True))
    return total


def random_picks(description, seed):
    rng = random.Random(seed)  # noqa: S311 - nothing secret
    strength = {
        name: [[rng.random() * offered for offered in row] for row in group.mask]
        for name, group in expand(description).layouts.items()
    }
    return choose(description, strength)


def one_hot(state, picks):
    mixture = {name: torch.zeros_like(theta) for name, theta in state.theta.items()}
    for name, pairs in picks.items():
        for row, column in pairs:
            mixture[name][row, column] = 1
    return mixture


def cost_is_right(cls, space, of):
    """Of a random mixture: the sum by hand. Of picks: what the derived network costs, which is counted."""
    weight, target = 0.7, 10_000
    state = opened(space)
    even = by_hand(COUNTED[space], softmaxed(state), of)
    cheap, _ = started(cls, CostSettings(of=of, weight=weight), space)
    near, _ = started(cls, CostSettings(of=of, weight=weight, target=target), space)
    assert cheap.penalty(state, {}, softmaxed(state), 0.0).item() == pytest.approx(weight)
    for seed in range(4):
        generator = torch.Generator().manual_seed(seed)
        theta = {
            name: torch.randn(each.shape, generator=generator).double() for name, each in state.theta.items()
        }
        picks = random_picks(SPACES[space], seed)
        derived = getattr(costs(derive(SPACES[space], picks), CATALOGUE, SIZE), of)
        mixed, code = softmaxed(state, theta), one_hot(state, picks)
        other = {name: torch.full_like(each, torch.nan) for name, each in mixed.items()}
        for mixture, wanted in ((mixed, by_hand(COUNTED[space], mixed, of)), (code, derived)):
            assert cheap.penalty(state, other, mixture, 0.0).item() == pytest.approx(weight * wanted / even)
            found = near.penalty(state, other, mixture, 0.0).item()
            assert found == pytest.approx(weight * abs(wanted / target - 1))


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("of", ["macs", "params"])
def test_cost_is_the_sum_and_that_of_the_derived_network(space, of):
    cost_is_right(Cost, space, of)


class OneUse(Cost):
    """Forgets that a cell is used several times."""

    def start(self, state, horizon, costs):
        counted = costs()
        groups = {
            name: GroupCosts(params=group.params[:1], macs=group.macs[:1])
            for name, group in counted.groups.items()
        }
        super().start(state, horizon, lambda: Costs(params=counted.params, macs=counted.macs, groups=groups))


class Loose(Cost):
    """Forgets what is fixed."""

    def start(self, state, horizon, costs):
        counted = costs()
        super().start(state, horizon, lambda: Costs(params=0, macs=0, groups=counted.groups))


class Crossed(Cost):
    """Counts parameters for MACs."""

    def __init__(self, settings):
        super().__init__(settings)
        self.of = {"macs": "params", "params": "macs"}[settings.of]


class OfDraw(Cost):
    """Reads what was drawn."""

    def penalty(self, state, drawn, expected, progress):
        return super().penalty(state, expected, drawn or expected, progress)


class Above(Cost):
    """Is silent below the target."""

    def penalty(self, state, drawn, expected, progress):
        found = super().penalty(state, drawn, expected, progress)
        cost = self.fixed + sum((expected[name] * self.shares[name]).sum() for name in expected)
        return found if self.target is None else self.weight * (cost - 1).clamp_min(0)


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("broken", [OneUse, Loose, Crossed, OfDraw])
def test_the_oracle_sees_another_cost(broken, space):
    with pytest.raises(AssertionError):
        cost_is_right(broken, space, "macs")


def test_the_oracle_sees_a_target_that_is_a_bound():
    with pytest.raises(AssertionError):
        cost_is_right(Above, "tiny", "params")


@pytest.mark.parametrize(("target", "sign"), [(None, 1), (1000, 1), (10**9, -1)])
def test_the_slope_is_what_an_entry_costs(target, sign):
    penalty, state = started(Cost, CostSettings(weight=2, target=target), "tiny")
    leaf = leaves(softmaxed(state))
    found = slopes(penalty.penalty(state, {}, leaf, 0.0), leaf)["cell"]
    unit = target or by_hand(COUNTED["tiny"], leaf, "macs")
    wanted = sign * 2 * COUNTED["tiny"].groups["cell"].macs.sum(0).double() / unit
    assert torch.allclose(found, wanted)
    assert found.any()


def test_where_nothing_costs_anything_there_is_nothing_to_pay():
    state = opened("tiny")
    nothing = GroupCosts(params=torch.zeros(3, 3, 4).long(), macs=torch.zeros(3, 3, 4).long())
    penalty = Cost(CostSettings())
    penalty.start(state, HORIZON, lambda: Costs(params=0, macs=0, groups={"cell": nothing}))
    assert penalty.penalty(state, {}, softmaxed(state), 0.0) == 0


SWITCHES = [
    *((L1, L1Settings(weight=0, target=target)) for target in ("theta", "mixture", "code")),
    *((Entropy, EntropySettings(weight=0, toward=toward)) for toward in ("decided", "even")),
    *((Cost, CostSettings(weight=0, target=target)) for target in (None, 10_000)),
]


def switched_off(cls, settings):
    state = state_of()
    shapes = {"cell": (2, 3, 3), "layer": (1, 1, 3)}
    groups = {
        name: GroupCosts(params=torch.ones(shape).long(), macs=torch.ones(shape).long())
        for name, shape in shapes.items()
    }
    counted = Costs(params=5, macs=7, groups=groups)
    penalty = cls(settings)
    penalty.start(state, HORIZON, (lambda: counted) if issubclass(cls, Cost) else nothing_counted)
    drawn, expected = leaves(softmaxed(state)), leaves(softmaxed(state))
    value = penalty.penalty(state, drawn, expected, 0.0)
    assert value.item() == 0
    for tensors in (state.theta, drawn, expected):
        assert not any(each.any() for each in slopes(value, tensors).values())


@pytest.mark.parametrize(("cls", "settings"), SWITCHES)
def test_a_weight_of_zero_is_no_penalty_and_no_slope(cls, settings):
    switched_off(cls, settings)


@pytest.mark.parametrize("cls", [L1, Entropy, Cost])
def test_the_check_sees_a_switch_that_does_not_switch(cls):
    class Stuck(cls):
        def __init__(self, settings):
            super().__init__(settings)
            self.weight = max(settings.weight, 1e-9)

    settings = next(given for kind, given in SWITCHES if kind is cls)
    with pytest.raises(AssertionError):
        switched_off(Stuck, settings)
