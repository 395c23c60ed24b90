"""Oracle 8: one backward pass through the engine gives the rewards of the paper, for each use and image."""

from __future__ import annotations

import pytest
import torch
from attrs import evolve
from torch.nn.functional import cross_entropy
from xnas_supernets import SAMPLES, Listening, examples, one_by_one, phase_of, rewards, supernet

from nascore.api import Gradients
from nascore.engine import mixture as mixing
from nascore.nn.mixture_weights import Weights

EXACT = 1e-10


def check_loop(execution="plain"):
    """The rewards are those of a loop over images, and so is the step that they make."""
    net = supernet(execution)
    phase = phase_of(net, eta=0.01, clip=0.05)
    drawn, gradients = rewards(phase)
    wanted = one_by_one(net, drawn.weights)
    assert max(slope.abs().max() for slope in wanted.values()) > 2 * 0.05, "some are clipped"
    before = {name: theta.detach().clone() for name, theta in phase.search.state.theta.items()}
    phase.search.updater.step(phase.search.state, gradients)
    for name, slope in wanted.items():
        assert slope.shape[:2] == (phase.search.state.groups[name].replicas, SAMPLES)
        assert (gradients.mixture[name] - slope).abs().max() < EXACT
        moved = phase.search.state.theta[name].detach() - before[name]
        assert (moved - 0.01 * (-slope).clamp(-0.05, 0.05).sum((0, 1))).abs().max() < EXACT


def check_sum():
    """Summed over uses and images they are the gradient of the shared mixture; `none` earns nothing."""
    net = supernet()
    _, each = rewards(phase_of(net))
    _, shared = rewards(phase_of(net, granularity="batch"))
    for name, slope in shared.mixture.items():
        total = each.mixture[name].sum((0, 1))
        assert slope.abs().max() > 1e-3
        # That of the mean loss, times the images.
        assert (total - SAMPLES * slope).abs().max() < EXACT
        assert not each.mixture[name][..., 0].any()


def check_products():
    """R_i = -<dL/dp, f_i>, where f_i is what the operation gives and p the mixture of the edge."""
    net = supernet()
    drawn, gradients = rewards(phase_of(net))
    net.execution = Listening(net.ops, net.gates)
    images, labels = examples()
    logits = net(images, {name: weights.detach() for name, weights in drawn.weights.items()})
    loss = cross_entropy(logits, labels, reduction="sum")
    heard = [one for one in net.execution.heard if one[3].requires_grad]
    slopes = torch.autograd.grad(loss, [weighted for *_, weighted in heard], allow_unused=True)
    seen = 0
    for (link, column, given, _), slope in zip(heard, slopes, strict=True):
        # A sum hands its gradient on as it is: that of p = sum u f is that of each u f.
        reward = -gradients.mixture[link.group][link.replica, :, link.row, column]
        wanted = torch.zeros(SAMPLES) if slope is None else -(slope * given).flatten(1).sum(1)
        assert (reward - wanted).abs().max() < EXACT
        seen += column > 0 and bool(wanted.abs().max() > 1e-3)
    assert seen > 50


CHECKS = {"loop": check_loop, "sum": check_sum, "products": check_products}


@pytest.mark.parametrize("execution", ["plain", "fused"])
def test_one_backward_pass_gives_the_rewards_of_a_loop(execution):
    check_loop(execution)


def test_what_is_frozen_is_still_run_together():
    plain, fused = supernet(), supernet("fused")
    assert len(fused.execution._chains) > 0.5 * len(plain.ops)


def test_they_add_up_to_the_shared_gradient_and_none_earns_nothing():
    check_sum()


def test_a_reward_is_an_inner_product_at_the_mean_forecast():
    check_products()


def through_softmax(drawn, gradients):
    """A mutation: the derivative through the normaliser, times the images: `none` is no zero any more."""
    mixture = {}
    for name, slope in gradients.mixture.items():
        share = drawn.weights[name].detach()
        mixture[name] = share * (slope - (share * slope).sum(-1, keepdim=True))
    return evolve(gradients, mixture=mixture)


def of_the_mean(_drawn, gradients):
    """A mutation: of the mean loss, by which all rewards are too small."""
    return Gradients(mixture={name: slope / SAMPLES for name, slope in gradients.mixture.items()})


def same_for_all_images(_drawn, gradients):
    """A mutation: each image gets the mean of all, which hides from the clip what is large."""
    mixture = {
        name: slope.mean(1, keepdim=True).expand_as(slope) for name, slope in gradients.mixture.items()
    }
    return Gradients(mixture=mixture)


@pytest.mark.parametrize(
    ("wrong", "check"),
    [
        (through_softmax, "loop"),
        (through_softmax, "sum"),
        (through_softmax, "products"),
        (of_the_mean, "loop"),
        (of_the_mean, "products"),
        (same_for_all_images, "loop"),
        (same_for_all_images, "products"),
    ],
)
def test_other_rewards_are_seen(monkeypatch, wrong, check):
    healthy = rewards

    def mistaken(phase):
        drawn, gradients = healthy(phase)
        return drawn, wrong(drawn, gradients)

    monkeypatch.setitem(CHECKS[check].__globals__, "rewards", mistaken)
    with pytest.raises(AssertionError):
        CHECKS[check]()


def test_a_leaf_that_is_not_scaled_to_the_sum_is_seen(monkeypatch):
    healthy = mixing.pull_back

    def unscaled(phase, drawn, slope):
        return healthy(phase, drawn, {name: value / SAMPLES for name, value in slope.items()})

    monkeypatch.setattr("xnas_supernets.pull_back", unscaled)
    with pytest.raises(AssertionError):
        check_loop()


def test_one_use_that_is_credited_with_all_is_seen(monkeypatch):
    """A mutation of the network: the uses of a cell read the weights of the first; sums cannot tell."""

    def row(weights, link):
        return healthy(weights, evolve(link, replica=0))

    healthy = Weights.row
    monkeypatch.setattr(Weights, "row", row)
    check_sum()
    with pytest.raises(AssertionError):
        check_products()
