"""Networks for the tests of the compiler, small enough for seconds."""

from __future__ import annotations

import torch
from attrs import evolve
from descriptions import DARTS, PETRIDISH

from nascore.builtin.operations import OPERATIONS
from nascore.description import expand, load, resize
from nascore.nn import compile as compiled

CATALOGUE = {entry.name: entry for entry in OPERATIONS}

CHAIN = """\
nascore: 1
channels: 4
in_channels: 3
classes: 5
groups:
  layers: {ops: [mbconv(expand=3;kernel=3), mbconv(expand=2;kernel=5), skip_connect, none]}
network:
  nodes:
    stem: {from: images, op: stem(relu=true)}
    l0: {from: -1, choose: layers, ops: [mbconv(expand=3;kernel=3), none], width: 2}
    l1: {from: -1, choose: layers, width: 2}
    l2: {from: -1, choose: layers, ops: [mbconv(expand=2;kernel=5), mbconv(expand=3;kernel=3)], width: 3, reduction: 2}
    head: {from: -1, op: classifier, width: classes}
"""  # noqa: E501 - one node, one line

BENCHMARK = """\
nascore: 1
channels: 16
in_channels: 3
classes: 10
affine: false
groups:
  cell: {ops: [none, skip_connect, nor_conv_1x1, nor_conv_3x3, avg_pool_3x3]}
cells:
  cell:
    inputs: [x0]
    nodes:
      x1: {from: x0, choose: cell}
      x2: {from: [x0, x1], choose: cell}
      x3: {from: [x0, x1, x2], choose: cell}
network:
  nodes:
    stem: {from: images, op: stem}
    a: {from: -1, cell: cell, repeat: 5}
    r1: {from: -1, op: residual_block, width: 2, reduction: 2}
    b: {from: -1, cell: cell, width: 2, repeat: 5}
    r2: {from: -1, op: residual_block, width: 4, reduction: 4}
    c: {from: -1, cell: cell, width: 4, repeat: 5}
    head: {from: -1, op: norm_classifier, width: classes}
"""


def darts(channels=4, depth=1, classes=10):
    """The DARTS space with three cells, or with more in each stage."""
    repeats = {"a": depth, "b": max(depth - 1, 0), "c": max(depth - 1, 0)}
    return evolve(resize(load(DARTS), channels=channels, repeats=repeats), classes=classes)


def petridish():
    """A child of growth: shadows have become gated projections, and there is an auxiliary head."""
    return resize(load(PETRIDISH), channels=4, repeats={"a": 1, "b": 1, "c": 0})


def seed():
    """The network from which that child grew, one node per cell."""
    grown = "{sum: [{pre1: [sep_conv_3x3, skip_connect]}, {from: x+1, op: project, gate: true}]"
    lines = PETRIDISH.replace(grown, "{from: pre1, ops: [sep_conv_3x3, skip_connect]").splitlines()
    text = "\n".join(line for line in lines if "x+1: " not in line)
    return resize(load(text), channels=4, repeats={"a": 2, "b": 1, "c": 0})


def network(description, *, seed=0, dtype=torch.float32, random_gates=False):
    """A network whose first weights hang on the seed alone, without touching the global generator."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = compiled(description, CATALOGUE).to(dtype)
        if random_gates:
            for gate in net.gates.values():
                torch.nn.init.normal_(gate)
    return net


STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


def is_statistic(name):
    """Say whether this is the name of a running statistic: norms of candidates have none to pass on."""
    return name.rpartition(".")[2] in STATISTICS


def images(count=4, size=8, channels=3, dtype=torch.float32, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, channels, size, size, generator=generator, dtype=torch.float64).to(dtype)


def layouts(description):
    return expand(description).layouts


def uniform(description, dtype=torch.float32):
    """Every candidate with the same weight, zero where none is offered."""
    return {
        name: torch.tensor(group.mask, dtype=dtype) / len(group.ops)
        for name, group in layouts(description).items()
    }


def random_mixture(description, *, seed=2, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.rand(len(group.rows), len(group.ops), generator=generator, dtype=torch.float64).to(dtype)
        for name, group in layouts(description).items()
    }


def one_hot(description, picks, dtype=torch.float32):
    mixture = {name: torch.zeros_like(weights) for name, weights in uniform(description, dtype).items()}
    for name, pairs in picks.items():
        for row, column in pairs:
            mixture[name][row, column] = 1
    return mixture


def per_sample(description, mixture, count):
    """The leaf of an updater that wants rewards per use and sample, [K, B, E, O]."""
    groups = layouts(description)
    return {
        name: weights.expand(groups[name].replicas, count, *weights.shape).clone().requires_grad_()
        for name, weights in mixture.items()
    }
