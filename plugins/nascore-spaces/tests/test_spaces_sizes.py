"""Every space builds and trains on images of any size, with few channels or classes and many."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from spaces_samples import CATALOGUE, EVERY, described, kind
from torch.nn import functional

from nascore.api import expand
from nascore.nn import compile as compiled
from nascore_spaces.networks import from_name
from nascore_spaces.space import NETWORKS

SIZES, CHANNELS, CLASSES = (7, 8, 15, 28, 30, 32, 64), (1, 3), (2, 1000)
GRID = [*product(SIZES, CHANNELS, CLASSES)]
FEW = [(7, 1, 1000), (15, 3, 2), (30, 1, 2)]
BATCH, STEPS, CLIP = 4, 2, 5.0


def trains(description, size, classes):
    """Two steps of SGD: every loss is finite, weights move, and each group gets a finite gradient."""
    torch.manual_seed(0)
    net = compiled(description, CATALOGUE, execution="fused").train()
    images = torch.rand(BATCH, description.in_channels, size, size)
    labels = torch.arange(BATCH) % classes
    mixture = {
        name: torch.full((shape.rows, shape.columns), 1 / shape.columns, requires_grad=True)
        for name, shape in net.groups.items()
    }
    before = [each.detach().clone() for each in net.parameters()]
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
    for _ in range(STEPS):
        optimizer.zero_grad()
        logits = net(images, mixture or None)
        assert logits.shape == (BATCH, classes)
        loss = functional.cross_entropy(logits, labels)
        assert torch.isfinite(loss)
        loss.backward()
        # As nascore trains: of norms over four single pixels the gradient may be a hundred thousand long.
        torch.nn.utils.clip_grad_norm_(net.parameters(), CLIP)
        optimizer.step()
    moved = [bool((one != other).any()) for one, other in zip(before, net.parameters(), strict=True)]
    assert any(moved)
    assert all(bool(torch.isfinite(each).all()) for each in net.parameters())
    for name, leaf in mixture.items():
        assert leaf.grad is not None, name
        assert bool(torch.isfinite(leaf.grad).all()), name
        assert bool((leaf.grad != 0).any()), name


def check(name, size, channels, classes):
    """A space trains on such data."""
    trains(described(name, kind(size, channels=channels, classes=classes)), size, classes)


@pytest.mark.parametrize("name", EVERY)
def test_any_size_of_few(name):
    for data in FEW:
        check(name, *data)


@pytest.mark.slow
@pytest.mark.parametrize(("size", "channels", "classes"), GRID)
@pytest.mark.parametrize("name", EVERY)
def test_any_size(name, size, channels, classes):
    check(name, size, channels, classes)


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_take_any_size(name):
    for size, channels, classes in FEW:
        net = from_name(name, channels=1, classes=classes, in_channels=channels)
        trains(net, size, classes)


@pytest.mark.parametrize(
    ("name", "size", "coarsest"),
    [
        ("mbconv", 224, 32),
        ("mbconv", 225, 32),
        ("mbconv", 64, 16),
        ("mbconv", 32, 8),
        ("mbconv", 28, 4),
        ("mbconv", 8, 2),
        ("mbconv", 7, 1),
        ("resnet", 224, 4),
        ("resnet", 32, 4),
        ("resnet", 8, 2),
        ("resnet", 3, 1),
    ],
)
def test_a_chain_leaves_small_images_some_pixels(name, size, coarsest):
    settings = {"stages": {"mbconv": 6, "resnet": 3}[name]}
    states = expand(described(name, kind(size), **settings)).feature_maps
    assert max(state.reduction for state in states) == coarsest
