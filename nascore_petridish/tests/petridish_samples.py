"""Closed descriptions that grow, and networks of them."""

from __future__ import annotations

import torch
from attrs import evolve

import nascore.builtin
import nascore_petridish
from nascore.description import expand, load
from nascore.nn import compile as compiled
from nascore.plugin import Registry
from nascore_petridish.policy import Petridish
from nascore_petridish.settings import GrowthSettings

REGISTRY = Registry.of(builtin=nascore.builtin, petridish=nascore_petridish)
CATALOGUE = REGISTRY.operations()
OPERATIONS = ["sep_conv_3x3", "dil_conv_3x3", "max_pool_3x3", "skip_connect"]

CELLS = """\
nascore: 1
channels: 4
in_channels: 3
classes: 5
affine: false
pool_norm: true
cells:
  normal:
    inputs: [in0, in1]
    nodes:
      pre0: {from: in0, op: fit, reduction: 1}
      pre1: {from: in1, op: fit, reduction: 1}
      n0: {from: pre1, ops: [sep_conv_3x3, skip_connect]}
      out: {concat: [n0]}
  reduce:
    inputs: [in0, in1]
    nodes:
      pre0: {from: in0, op: fit, reduction: 1}
      pre1: {from: in1, op: fit, reduction: 1}
      n0: {from: pre1, ops: [sep_conv_3x3, skip_connect], reduction: 2}
      out: {concat: [n0]}
network:
  nodes:
    stem: {from: images, op: stem, width: 3}
    a: {from: [-2, -1], cell: normal, repeat: 2}
    r: {from: [-2, -1], cell: reduce, width: 2}
    head: {from: -1, op: classifier, width: classes}
"""
"""What Petridish begins with in the space of DARTS, with three cells."""

CHAIN = """\
nascore: 1
channels: 4
in_channels: 3
classes: 5
network:
  nodes:
    stem: {from: images, op: stem(relu=true)}
    l0: {from: -1, op: conv_3x3}
    l1: {from: -1, op: conv_3x3, width: 2, reduction: 2}
    l2: {from: -1, op: sep_conv_3x3, width: 2}
    head: {from: -1, op: classifier, width: classes}
    aux: {from: l1, op: auxiliary, width: classes}
  output: head
auxiliary: aux
"""

STARTS = {"cells": CELLS, "chain": CHAIN}


def start(name):
    return load(STARTS[name])


def policy(**settings):
    """The policy with its own defaults, but for few candidates."""
    return Petridish(GrowthSettings(**{"operations": OPERATIONS, **settings}))


def network(description, execution="plain", seed=0, dtype=torch.float32):
    """A network in training mode whose weights hang on the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = compiled(description, CATALOGUE, execution=execution)
        return net.to(dtype).train()


def images(samples=4, size=8, channels=3, dtype=torch.float32):
    return torch.randn(samples, channels, size, size, generator=torch.Generator().manual_seed(7), dtype=dtype)


def mixture(description, seed=0, dtype=torch.float32):
    """Signed weights, as a linear relaxation has them, by group [E, O]."""
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.randn(len(group.rows), len(group.ops), generator=generator, dtype=dtype)
        for name, group in expand(description).layouts.items()
    }


STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


def begins_anew(name):
    """Say whether a child has this tensor anew: of a projection, or a statistic of a candidate's norm."""
    return "/project." in name or ("+" in name and name.rpartition(".")[2] in STATISTICS)


def strength(weights):
    """What the updater ranks by: sizes."""
    return {name: value.abs().tolist() for name, value in weights.items()}


def outputs(net, *args, **more):
    """What a network gives in training and in evaluation mode; it is left as it was, in training mode."""
    before = {name: buffer.clone() for name, buffer in net.named_buffers()}
    given = []
    for training in (False, True):
        found = net.train(training)(*args, **more)
        given += found if isinstance(found, tuple) else (found,)
    with torch.no_grad():
        for name, buffer in net.named_buffers():
            buffer.copy_(before[name])
    return tuple(given)


def equal(one, other):
    """Say whether two networks gave the same, bit for bit."""
    return len(one) == len(other) and all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def with_program(net, *, detached=None, shadow=None):
    """Return the network with its shadows broken: their sources not detached, or read as they are."""

    def link(one):
        return one if detached is None else evolve(one, detached=detached and one.detached)

    def step(one):
        broken = one.shadow if shadow is None else shadow and one.shadow
        return evolve(one, shadow=broken, readers=tuple(map(link, one.readers)))

    net.programs = {
        mode: evolve(program, steps=tuple(map(step, program.steps))) for mode, program in net.programs.items()
    }
    return net
