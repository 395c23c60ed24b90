"""The penalties l1 and entropy against their closed forms, each with formulas that are broken on purpose."""

from __future__ import annotations

import math

import pytest
import torch
from choice_samples import HORIZON, leaves, live, nothing_counted, slopes, softmaxed, state_of

from nascore.builtin import regularizers
from nascore.builtin.components import EntropySettings, L1Settings
from nascore.builtin.regularizers import L1, Entropy
from nascore.nn import segment_softmax

STEP = 1e-6


def made(cls, settings, state):
    regularizer = cls(settings)
    regularizer.start(state, HORIZON, nothing_counted)
    return regularizer


def indecision(state, mixture, toward):
    """Sum over segments of H(u), or of KL(u || even), by Python floats."""
    total = 0.0
    for name, value in mixture.items():
        segments = state.segments(name)
        for number in segments[segments >= 0].unique():
            shares = value[segments == number].tolist()
            entropy = -sum(share * math.log(share) for share in shares)
            total += entropy if toward == "decided" else math.log(len(shares)) - entropy
    return total


def entropy_is_right(cls, toward, seed=0):
    """Value, slope in the mixture, and slope in theta by closed form and by finite differences."""
    state, weight, sign = state_of(seed), 0.3, 1 if toward == "decided" else -1
    penalty = made(cls, EntropySettings(weight=weight, toward=toward), state)
    leaf = leaves(softmaxed(state))
    value = penalty.penalty(state, leaf, leaf, 0.0)
    assert value.item() == pytest.approx(weight * indecision(state, leaf, toward), abs=1e-12)
    of_mixture = slopes(value, leaf)
    of_theta = slopes(penalty.penalty(state, {}, softmaxed(state), 0.0), state.theta)
    for name, u in leaf.items():
        alive = live(state)[name]
        wanted = torch.where(alive, -sign * weight * (u.log() + 1), 0)
        assert torch.allclose(of_mixture[name], wanted, atol=1e-12)
        assert torch.allclose(of_theta[name], sign * weight * _in_theta(u, state.segments(name)), atol=1e-12)
        assert torch.allclose(of_theta[name], _differences(penalty, state, name), atol=1e-8)


def _in_theta(u, segments):
    """-u (log u + H), H the entropy of the entry's own segment."""
    u = u.detach()
    parts = -torch.special.xlogy(u, u)
    entropy = torch.stack([parts[segments == number].sum() for number in segments.flatten()])
    return parts - u * entropy.view(u.shape)


def _differences(penalty, state, name):
    found = torch.zeros_like(state.theta[name])
    for place in range(found.numel()):
        values = []
        for step in (STEP, -STEP):
            theta = {key: each.detach().clone() for key, each in state.theta.items()}
            theta[name].view(-1)[place] += step
            values.append(penalty.penalty(state, {}, softmaxed(state, theta), 0.0))
        found.view(-1)[place] = (values[0] - values[1]).detach() / (2 * STEP)
    return found


@pytest.mark.parametrize("toward", ["decided", "even"])
@pytest.mark.parametrize("seed", range(3))
def test_entropy_is_its_closed_form(toward, seed):
    entropy_is_right(Entropy, toward, seed)


class Reversed(Entropy):
    """Pushes the wrong way."""

    def _of(self, segments, mixture):
        return -super()._of(segments, mixture)


class Bits(Entropy):
    """Measures in bits."""

    def _of(self, segments, mixture):
        return super()._of(segments, mixture) / math.log(2)


class Averaged(Entropy):
    """Takes the mean over segments."""

    def _of(self, segments, mixture):
        return super()._of(segments, mixture) / len(segments[segments >= 0].unique())


class Drawn(Entropy):
    """Holds the logarithm constant, which only the slope in the mixture shows."""

    def _of(self, segments, mixture):
        held = super()._of(segments, mixture)
        sign = -1 if self.toward == "decided" else 1
        other = sign * (mixture * mixture.detach().clamp_min(1e-300).log()).sum()
        return held.detach() + other - other.detach()


@pytest.mark.parametrize("toward", ["decided", "even"])
@pytest.mark.parametrize("broken", [Reversed, Bits, Averaged, Drawn])
def test_the_oracle_sees_another_entropy(broken, toward):
    with pytest.raises(AssertionError):
        entropy_is_right(broken, toward)


def test_the_even_mixture_is_that_of_what_is_alive():
    state = state_of()
    even = made(Entropy, EntropySettings(weight=1, toward="even"), state)
    flat = {name: torch.zeros_like(theta) for name, theta in state.theta.items()}
    assert even.penalty(state, {}, softmaxed(state, flat), 0.0).item() == pytest.approx(0, abs=1e-12)
    state.alive["layer"][0, 1:] = False
    assert even.penalty(state, {}, softmaxed(state, flat), 0.0).item() == pytest.approx(0, abs=1e-12)


def stays_finite():
    """At a corner of the simplex, where the entropy is 0 and its slope in the mixture is infinite."""
    state = state_of(dtype=torch.float32)
    for toward, value in (("decided", 0.0), ("even", 2 * math.log(3) + math.log(4))):
        penalty = made(Entropy, EntropySettings(weight=1, toward=toward), state)
        with torch.no_grad():
            for theta in state.theta.values():
                theta.copy_(torch.arange(theta.numel()).view_as(theta) * 1e4)
        found = penalty.penalty(state, {}, softmaxed(state), 0.0)
        assert found.item() == pytest.approx(value, abs=1e-6)
        leaf = leaves(softmaxed(state))
        for slope in (slopes(found, state.theta), slopes(penalty.penalty(state, {}, leaf, 0.0), leaf)):
            assert all(each.isfinite().all() for each in slope.values())


def test_entropy_is_finite_where_shares_are_zero():
    stays_finite()


def test_the_check_sees_a_slope_that_is_not_finite(monkeypatch):
    monkeypatch.setattr(regularizers, "_u_log_u", lambda u: torch.special.xlogy(u, u))
    with pytest.raises(AssertionError):
        stays_finite()


def l1_is_right(cls, target):
    state, weight = state_of(), 0.2
    penalty = made(cls, L1Settings(weight=weight, target=target), state)
    expected = softmaxed(state)
    # Numbers without meaning, some of them negative or zero, and not zero where nothing is alive either.
    code = leaves(
        {name: (torch.arange(each.numel()).view_as(each) % 3 - 1).double() for name, each in expected.items()}
    )
    value = penalty.penalty(state, code, expected, 0.0)
    alive = live(state)
    sizes = {
        "theta": lambda name: state.theta[name].abs()[alive[name]].sum(),
        "mixture": lambda name: code[name].abs()[alive[name]].sum(),
        "code": lambda name: (expected[name] - code[name]).abs()[alive[name]].mean(),
    }
    assert value.item() == pytest.approx(weight * sum(sizes[target](name).item() for name in code))
    again = penalty.penalty(state, code, softmaxed(state), 0.0)
    found = slopes(again, {**{f"theta/{name}": each for name, each in state.theta.items()}, **code})
    for name in code:
        for key, slope in wanted_slopes(target, state, name, code[name].detach()).items():
            assert torch.allclose(found[key], weight * slope, atol=1e-12)


def wanted_slopes(target, state, name, code):
    alive, theta = live(state)[name], state.theta[name].detach().requires_grad_()
    nothing = torch.zeros_like(code)
    if target == "theta":
        return {f"theta/{name}": theta.detach().sign() * alive, name: nothing}
    if target == "mixture":
        return {f"theta/{name}": nothing, name: code.sign() * alive}
    shares = segment_softmax(theta, state.segments(name))
    far = (shares.detach() - code).sign() * alive / alive.sum()
    return {f"theta/{name}": torch.autograd.grad((shares * far).sum(), theta)[0], name: nothing}


@pytest.mark.parametrize("target", ["theta", "mixture", "code"])
def test_l1_is_its_closed_form(target):
    l1_is_right(L1, target)


class Ridge(L1):
    """Squares."""

    def _of(self, name, state, drawn, expected):
        return super()._of(name, state, drawn, expected) ** 2


class Unmasked(L1):
    """Counts what is not alive."""

    def _of(self, name, state, drawn, expected):
        if self.target == "theta":
            return state.theta[name].abs().sum()
        if self.target == "mixture":
            return drawn[name].abs().sum()
        return (expected[name] - drawn[name].detach()).abs().mean()


class Attached(L1):
    """Lets the gradient into the code too."""

    def _of(self, name, state, drawn, expected):
        alive = state.segments(name) >= 0
        return (expected[name] - drawn[name]).abs()[alive].mean()


class Summed(L1):
    """Takes a sum where DATA takes a mean."""

    def _of(self, name, state, drawn, expected):
        return (expected[name] - drawn[name].detach()).abs()[state.segments(name) >= 0].sum()


@pytest.mark.parametrize(
    ("broken", "target"),
    [
        *((broken, target) for broken in (Ridge, Unmasked) for target in ("theta", "mixture", "code")),
        (Attached, "code"),
        (Summed, "code"),
    ],
)
def test_the_oracle_sees_another_l1(broken, target):
    with pytest.raises(AssertionError):
        l1_is_right(broken, target)


@pytest.mark.parametrize("target", ["theta", "mixture"])
@pytest.mark.parametrize("average", [False, True])
@pytest.mark.parametrize("per_use", [False, True])
def test_l1_may_be_a_mean_and_may_count_each_use(target, average, per_use):
    state = state_of(0)
    given = leaves(softmaxed(state))
    settings = L1Settings(weight=0.3, target=target, average=average, per_use=per_use)
    found = made(L1, settings, state).penalty(state, given, {}, 0.0)
    expected = 0.0
    for name, alive in live(state).items():
        sizes = (state.theta if target == "theta" else given)[name].abs()[alive].tolist()
        uses = state.groups[name].replicas if per_use else 1
        expected += 0.3 * uses * sum(sizes) / (len(sizes) if average else 1)
    assert any(group.replicas > 1 for group in state.groups.values())
    assert found.item() == pytest.approx(expected, rel=1e-9)


def test_a_group_with_nothing_alive_weighs_nothing():
    state = state_of()
    state.alive["layer"][:] = False
    mixture = softmaxed(state)
    for target in ("theta", "mixture", "code"):
        one = made(L1, L1Settings(target=target), state).penalty(state, mixture, mixture, 0.0)
        assert one.isfinite()
    assert made(Entropy, EntropySettings(), state).penalty(state, mixture, mixture, 0.0).isfinite()
