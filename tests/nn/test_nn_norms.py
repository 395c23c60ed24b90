"""Batch norms: closed networks keep running statistics, candidates take those of each batch."""

from __future__ import annotations

import pytest
import torch
from attrs import evolve
from nn_samples import (
    CATALOGUE,
    CHAIN,
    darts,
    images,
    is_statistic,
    network,
    petridish,
    random_mixture,
    seed,
    uniform,
)
from torch import nn
from torch.func import functional_call

from nascore.description import Op, Operation, choose, derive, grow, load
from nascore.nn import compile as compiled
from nascore.nn.stages import Chain, Role
from nascore.testing.dataset import facts
from nascore.testing.space import CLOSE, batch_difference

EACH_BATCH = """\
nascore: 1
channels: 4
in_channels: 3
classes: 10
network:
  nodes:
    stem: {from: images, op: stem}
    a: {from: stem, op: each_batch}
    b: {from: a, ops: [each_batch, skip_connect]}
    head: {from: b, op: classifier, width: classes}
"""


def derived(description):
    picks = choose(description, {name: one.tolist() for name, one in random_mixture(description).items()})
    return derive(description, picks)


def each_batch(c_in, c_out, stride):
    """An operation whose norm asks for the statistics of each batch."""
    norm = nn.BatchNorm2d(c_out, affine=False, track_running_stats=False)
    return nn.Sequential(nn.Conv2d(c_in, c_out, 1, stride), norm)


OPERATIONS = {**CATALOGUE, "each_batch": Operation(name="each_batch", build=each_batch)}
CLOSED = {
    "darts": derived(darts()),
    "chain": derived(load(CHAIN)),
    "seed": evolve(seed(), affine=False, pool_norm=True),
    "child": evolve(petridish(), affine=False, pool_norm=True),
    "an operation's own norm": load(EACH_BATCH),
}


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("name", CLOSED)
def test_a_closed_network_classifies_one_image_at_a_time(name, affine):
    description = evolve(CLOSED[name], affine=affine)
    kind = facts(channels=3, size=16, classes=description.classes)
    assert batch_difference(description, OPERATIONS, kind) <= CLOSE


@pytest.mark.parametrize("name", CLOSED)
def test_every_norm_of_a_closed_network_has_statistics(name):
    net = compiled(CLOSED[name], OPERATIONS)
    norms = {path: each for path, each in net.named_modules() if isinstance(each, nn.BatchNorm2d)}
    assert norms
    statistics = {key for key in net.state_dict() if is_statistic(key)}
    assert {key.rpartition(".")[0] for key in statistics} == norms.keys()
    assert len(statistics) == 3 * len(norms)


@pytest.mark.parametrize("affine", [True, False])
def test_norms_of_candidates_take_the_statistics_of_the_batch(affine):
    opened = evolve(darts(), affine=affine)
    net = compiled(opened, CATALOGUE)
    offered = {op.name for group in opened.groups.values() for op in group.ops}
    candidates = {path for path in net.ops if path.rpartition("/")[2] in offered}
    kept = {key.split(".")[1] for key in net.state_dict() if is_statistic(key)}
    assert candidates
    assert not kept & candidates
    assert {path for path in net.ops if path.endswith("/fit")} < kept


def test_parents_keep_their_statistics_beside_candidates():
    ops = tuple(map(Op.parse, ("sep_conv_3x3(affine=false)", "max_pool_3x3(pool_norm=true)")))
    parent, opened = seed(), grow(seed(), "normal", "x", ops, CATALOGUE)
    statistics = [
        {key for key in network(each).state_dict() if is_statistic(key)} for each in (parent, opened)
    ]
    assert statistics[0] == statistics[1]


@pytest.mark.parametrize("description", [darts(), evolve(seed(), affine=False)], ids=["open", "closed"])
def test_both_executions_keep_the_same_statistics(description):
    nets = [compiled(description, CATALOGUE, execution=each) for each in ("plain", "fused")]
    nets[1].load_state_dict(nets[0].state_dict())
    x, mixture = images(6, 16), uniform(description) or None
    given = []
    for net in nets:
        net.train()(x, mixture)
        net.train()(x / 2, mixture)
        given.append(net.eval()(x, mixture))
    assert torch.allclose(*given, atol=1e-5)
    one, other = (net.state_dict() for net in nets)
    statistics = [key for key in one if is_statistic(key)]
    assert any(key.endswith("/fit.norm.running_mean") for key in statistics)
    for key in statistics:
        assert torch.allclose(one[key], other[key], atol=1e-6), key
    assert any(other[key] == 2 for key in statistics if key.endswith("num_batches_tracked"))


def test_the_fused_execution_leaves_running_statistics_to_each_norm():
    kept = nn.Sequential(nn.Conv2d(3, 4, 1, bias=False), nn.BatchNorm2d(4, affine=False))
    assert Chain(kept).roles == (Role.POINTWISE, Role.EACH)


def test_the_fused_execution_changes_no_statistics_of_a_functional_call():
    net = compiled(darts(), CATALOGUE, execution="fused").train()
    before = {key: value.clone() for key, value in net.named_buffers()}
    copies = {key: value.clone() for key, value in before.items()}
    functional_call(net, {**dict(net.named_parameters()), **copies}, (images(), uniform(darts())))
    assert all(torch.equal(value, before[key]) for key, value in net.named_buffers())
    assert not all(torch.equal(value, before[key]) for key, value in copies.items())
