"""Growing and settling keep the function bit for bit, and every weight."""

from __future__ import annotations

import pytest
import torch
from nn_samples import (
    CATALOGUE,
    darts,
    images,
    is_statistic,
    layouts,
    network,
    petridish,
    random_mixture,
    seed,
)

from nascore.description import Op, choose, derive, final, grow, load, settle, untie
from nascore.nn import inherit

TEXTS = (
    "sep_conv_3x3(affine=false)",
    "dil_conv_3x3(affine=false)",
    "max_pool_3x3(pool_norm=true)",
    "skip_connect",
)
CANDIDATES = tuple(map(Op.parse, TEXTS))
BLOCKS = load(
    "nascore: 1\nchannels: 4\nin_channels: 3\nclasses: 10\nnetwork:\n  nodes:\n"
    "    stem: {from: images, op: stem(relu=true)}\n"
    "    a: {from: -1, op: basic_block, repeat: 2}\n"
    "    x: {from: -1, op: basic_block, width: 2, reduction: 2}\n"
    "    c: {from: -1, op: basic_block, width: 4, reduction: 4, repeat: 2}\n"
    "    head: {from: -1, op: classifier, width: classes}\n"
)
PLACES = {
    "cell twice": (seed(), (("normal", "x"), ("normal", "x"))),
    "both cells": (seed(), (("normal", "x"), ("reduce", "x"))),
    "macro twice": (untie(seed()), (("a-1", "x"), ("a-1", "x"))),
    "cell, then macro": (seed(), (("normal", "x"), ("untied", "a-0"))),
    "network twice": (BLOCKS, (("network", "x"), ("network", "x"))),
    "DARTS": (
        final(derive(darts(), choose(darts(), {n: m.tolist() for n, m in random_mixture(darts()).items()}))),
        (("normal", "n3"), ("normal", "n1")),
    ),
    "an open supernet": (darts(), (("normal", "n2"), ("reduce", "n0"))),
}


def run(net, x, mixture):
    outputs = net(x, mixture) if mixture else net(x)
    return outputs if isinstance(outputs, tuple) else (outputs,)


def equal(one, other):
    return len(one) == len(other) and all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def strength_of(description):
    grown = {name for name in layouts(description) if name.startswith("grow/")}
    return {name: each for name, each in random_mixture(description).items() if name in grown}


def step(parent_description, parent, place, x, number):
    """Grow and settle once; check the promises; return the child with its gates opened a little."""
    graph, target = place
    if graph == "untied":
        parent_description, graph = untie(parent_description), target
        target = "x"
    opened = grow(parent_description, graph, target, CANDIDATES, CATALOGUE, keep=2)
    net = network(opened, seed=10 + number).train(parent.training)
    inherited, left = inherit(net, parent)
    assert left == ()
    assert set(inherited) == set(parent.state_dict())
    mixture = random_mixture(opened)
    before = run(parent, x, {name: mixture[name] for name in layouts(parent_description)})
    assert equal(run(net, x, mixture), before)
    dead = {name: torch.zeros(each.shape, dtype=torch.bool) for name, each in strength_of(opened).items()}
    outputs = net(x, mixture, alive=dead)
    assert equal(outputs if isinstance(outputs, tuple) else (outputs,), before)
    settled = settle(opened, strength_of(opened))
    child = network(settled, seed=20 + number).train(parent.training)
    taken, _ = inherit(child, net)
    fresh = set(child.state_dict()) - set(taken)
    assert fresh
    begun = {name for name in fresh if "+" in name and is_statistic(name)}  # of norms of candidates
    assert all("/project." in name or name.startswith("gates.") for name in fresh - begun)
    assert set(parent.state_dict()) <= set(taken)
    assert any("+" in name and "/project." not in name for name in taken)  # trained candidates come along
    assert equal(run(child, x, {name: mixture[name] for name in layouts(settled)}), before)
    with torch.no_grad():
        for gate in child.gates.values():
            gate.add_(0.1)
    return settled, child


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
def test_growing_and_settling_twice_keeps_every_bit(name, training):
    description, places = PLACES[name]
    x, net = images(3, size=16), network(description, seed=1)
    for number, place in enumerate(places):
        description, net = step(description, net.train(training), place, x, number)


def test_the_first_growths_paths_stay_in_the_second():
    first = grow(seed(), "normal", "x", CANDIDATES, CATALOGUE)
    settled = settle(first, strength_of(first))
    second = settle(again := grow(settled, "normal", "x", CANDIDATES, CATALOGUE), strength_of(again))
    paths = [set(network(each).state_dict()) for each in (seed(), settled, second)]
    assert paths[0] < paths[1] < paths[2]


def test_a_gate_has_a_gradient_at_birth_and_what_is_behind_it_has_none():
    net = network(petridish())
    logits, _ = net(images(size=32))
    logits.square().sum().backward()
    assert all(gate.grad.abs() > 0 for gate in net.gates.values())
    behind = [value for name, value in net.named_parameters() if "/x+1/" in name]
    assert behind
    assert not any(value.grad.any() for value in behind)


def test_a_child_without_its_gate_is_another_function():
    net = network(petridish()).eval()
    before = net(images(size=32))
    with torch.no_grad():
        for gate in net.gates.values():
            gate.fill_(0.5)
    assert not torch.allclose(net(images(size=32)), before)
