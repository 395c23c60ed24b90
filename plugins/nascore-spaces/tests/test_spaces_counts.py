"""Weights and MACs: of networks made by hand as published, and of what is drawn from every space."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from spaces_samples import CATALOGUE, EVERY, described, drawn, kind
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models import mobilenet_v2

from nascore.api import final
from nascore.nn import compile as compiled
from nascore.nn import costs
from nascore_spaces.networks import from_name
from nascore_spaces.space import NETWORKS

FEW, MANY = 5, 200

# Weights at 10 classes, MACs at 32x32; exact. ResNet's paper (arXiv 1512.03385, table 6) prints 0.27M, 0.46M
# and 0.85M, that of DenseNet-BC-100 (arXiv 1608.06993, table 2) 0.8M.
PUBLISHED = {
    "resnet20": (269_722, 40_551_040),
    "resnet32": (464_154, 68_862_592),
    "resnet56": (853_018, 125_485_696),
    "densenet100": (769_162, 287_929_692),
    "vgg16": (14_724_042, 313_201_664),
}


def built(description, size, execution="plain"):
    """Weights and MACs per image of a network that is really built and run."""
    net = compiled(description, CATALOGUE, execution=execution).eval()
    images = torch.zeros(2, description.in_channels, size, size)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        net(images)
    return sum(each.numel() for each in net.parameters()), counter.get_total_flops() // 4


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_networks(name):
    found = costs(from_name(name), CATALOGUE, (32, 32))
    assert (found.params, found.macs) == PUBLISHED[name]


def resnet(blocks, width=16, classes=10):
    """Weights of ResNet for CIFAR-10, by its table: convolutions without bias, norms, a linear map."""
    total, before = 27 * width + 2 * width, width
    for stage in (width, 2 * width, 4 * width):
        for _ in range(blocks):
            total += 9 * before * stage + 9 * stage * stage + 4 * stage
            before = stage
    return total + (before + 1) * classes


def densenet(layers, grown=12, classes=10):
    """Weights of DenseNet-BC, by its table."""
    channels, total = 2 * grown, 27 * 2 * grown
    for block in range(3):
        for _ in range(layers):
            inside = 4 * grown
            total += 2 * channels + channels * inside + 2 * inside + 9 * inside * grown
            channels += grown
        if block < 2:
            total += 2 * channels + channels * (channels // 2)
            channels //= 2
    return total + 2 * channels + (channels + 1) * classes


# MobileNetV2 (arXiv 1801.04381, table 2): expansion, channels, blocks and the stride of the first.
MOBILENET = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2)]
MOBILENET.append((6, 320, 1, 1))


def mobilenet(size=224, classes=1000):
    """Weights and MACs of MobileNetV2, by its table."""
    size //= 2
    weights, macs, before = 27 * 32 + 2 * 32, 27 * 32 * size**2, 32
    for expand, channels, blocks, first in MOBILENET:
        for stride in (first, *[1] * (blocks - 1)):
            wide = expand * before
            if expand > 1:
                weights += before * wide + 2 * wide
                macs += before * wide * size**2
            size //= stride
            weights += 9 * wide + 2 * wide + wide * channels + 2 * channels
            macs += (9 * wide + wide * channels) * size**2
            before = channels
    last = 1280
    weights += before * last + 2 * last + (last + 1) * classes
    return weights, macs + before * last * size**2 + last * classes


def test_mobilenet_is_that_of_its_table():
    counted = costs(from_name("mobilenetv2"), CATALOGUE, (224, 224))
    assert (counted.params, counted.macs) == mobilenet() == (3_504_872, 300_774_272)


def test_their_weights_follow_from_the_papers_tables():
    assert [PUBLISHED[f"resnet{6 * n + 2}"][0] for n in (3, 5, 9)] == [resnet(n) for n in (3, 5, 9)]
    assert PUBLISHED["densenet100"][0] == densenet(16)
    widths = [3, 64, 64, 128, 128, *[256] * 3, *[512] * 6]
    convolutions = sum(9 * a * b + 2 * b for a, b in pairwise(widths))
    assert PUBLISHED["vgg16"][0] == convolutions + 513 * 10


def test_mobilenet_is_that_of_torchvision():
    theirs = mobilenet_v2().eval()
    ours = compiled(from_name("mobilenetv2"), CATALOGUE, execution="plain").eval()
    counted = costs(from_name("mobilenetv2"), CATALOGUE, (224, 224))
    weights = sum(each.numel() for each in theirs.parameters())
    assert counted.params == weights == 3_504_872
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        theirs(torch.zeros(1, 3, 224, 224))
    assert counted.macs == counter.get_total_flops() // 2 == 300_774_272
    # Not only as many: with equal weights it is the same function.
    mine, other = (list(net.state_dict().items()) for net in (ours, theirs))
    assert [value.shape for _, value in mine] == [value.shape for _, value in other]
    ours.load_state_dict({name: value for (name, _), (_, value) in zip(mine, other, strict=True)})
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.allclose(ours(images), theirs(images), atol=1e-4)


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_cost_what_is_counted_of_them(name):
    description = from_name(name, channels=2, classes=3, in_channels=1)
    counted = costs(description, CATALOGUE, (15, 15))
    assert (counted.params, counted.macs) == built(description, 15)


def assert_counted_is_built(name, seeds):
    """What is drawn from a space costs what is counted of the built network, as do its picks added up."""
    sizes = (16, 15)
    open_ones = [described(name, kind(size, channels=1, classes=3)) for size in sizes]
    wholes = [costs(one, CATALOGUE, (size, size)) for one, size in zip(open_ones, sizes, strict=True)]
    for seed in seeds:
        # Every second time the sizes are odd, and rounded up.
        size, description, whole = (of[seed % 2] for of in (sizes, open_ones, wholes))
        found, picks = drawn(description, seed)
        counted = costs(found, CATALOGUE, (size, size))
        added = whole.of(picks)
        real = built(found, size)
        assert (counted.params, counted.macs) == real, (name, seed)
        # What the output does not need is not run, and its states may go: then the picks add up to more.
        assert added.params == real[0], (name, seed)
        trained = final(found)
        again = costs(trained, CATALOGUE, (size, size))
        assert (again.params, again.macs) == built(trained, size), (name, seed)


@pytest.mark.parametrize("name", EVERY)
def test_costs_are_those_of_the_built_network(name):
    assert_counted_is_built(name, range(FEW))


@pytest.mark.slow
@pytest.mark.parametrize("name", EVERY)
def test_costs_are_those_of_many_built_networks(name):
    assert_counted_is_built(name, range(MANY))
