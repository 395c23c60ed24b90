"""The built-in data sets: splits, ranges, seeds, and that they can be learned only as they promise."""

from __future__ import annotations

import sys

import pytest
import torch
from torch import nn
from torch.nn import functional

from nascore.api import NoSettings, PluginError
from nascore.builtin.components import PlantedDataSettings, SyntheticSettings
from nascore.builtin.datasets import Digits, PlantedPatterns, Synthetic


def every_data_set():
    return {
        "digits": Digits(NoSettings()),
        "synthetic": Synthetic(SyntheticSettings(channels=2, size=6, classes=3, count=90)),
        "planted": PlantedPatterns(PlantedDataSettings(count=64)),
    }


@pytest.mark.parametrize("name", ["digits", "synthetic", "planted"])
def test_the_facts_are_true(name):
    data = every_data_set()[name]
    facts = data.facts
    for part, count in ((data.train(), facts.train), (data.test(), facts.test)):
        assert part.images.shape == (count, facts.channels, facts.height, facts.width)
        assert part.images.dtype == torch.float32
        assert part.labels.dtype == torch.int64
        assert 0 <= part.images.min() < part.images.max() <= 1
        assert part.labels.unique().tolist() == list(range(facts.classes))


def test_digits_are_split_once_and_for_all():
    data = Digits(NoSettings())
    train, test = data.train(), data.test()
    assert (len(train.labels), len(test.labels)) == (1437, 360)
    assert test.labels.bincount().tolist() == [36] * 10
    assert train.labels.bincount().tolist() == [142, 146, 141, 147, 145, 146, 145, 143, 138, 144]
    assert torch.equal(data.train().images, train.images)
    assert (data.facts.crop_pad, data.facts.flip) == (1, False)


def test_no_digit_is_in_both_parts():
    data = Digits(NoSettings())
    train = {image.numpy().tobytes() for image in data.train().images}
    test = {image.numpy().tobytes() for image in data.test().images}
    assert len(train) == 1437
    assert not train & test


def test_digits_are_normalised_by_their_training_part():
    data = Digits(NoSettings())
    images = data.train().images
    assert images.mean().item() == pytest.approx(data.facts.mean[0], abs=1e-4)
    assert images.std().item() == pytest.approx(data.facts.std[0], abs=1e-4)


def test_without_scikit_learn_digits_say_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    data = Digits(NoSettings())
    assert data.facts.classes == 10
    with pytest.raises(PluginError, match=r"pip install scikit-learn"):
        data.train()


@pytest.mark.parametrize(
    "make",
    [
        lambda seed: Synthetic(SyntheticSettings(size=4, count=40, seed=seed)),
        lambda seed: PlantedPatterns(PlantedDataSettings(count=40, seed=seed)),
    ],
)
def test_the_seed_decides_and_the_global_generator_does_not(make):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = make(3).train()
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert torch.equal(make(3).train().images, first.images)
    assert not torch.equal(make(4).train().images, first.images)
    assert not torch.equal(make(3).test().images, first.images[:10])


def test_synthetic_classes_are_told_apart_by_their_means():
    data = Synthetic(SyntheticSettings(channels=1, size=8, classes=5, count=100))
    train, test = data.train(), data.test()
    means = torch.stack([train.images[train.labels == label].mean(0) for label in range(5)])
    nearest = torch.cdist(test.images.flatten(1), means.flatten(1)).argmin(1)
    assert (nearest == test.labels).all()


def test_patterns_are_equally_bright_and_all_different():
    patterns = PlantedPatterns(PlantedDataSettings(classes=16)).patterns()
    assert patterns.sum((1, 2)).tolist() == [4.0] * 16
    assert len({tuple(pattern.flatten().tolist()) for pattern in patterns}) == 16


def accuracy(net, data, steps=150):
    train, test = data.train(), data.test()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
    for _ in range(steps):
        optimizer.zero_grad()
        functional.cross_entropy(net(train.images - 0.2), train.labels).backward()
        optimizer.step()
    with torch.no_grad():
        return (net(test.images - 0.2).argmax(1) == test.labels).float().mean().item()


def test_planted_patterns_need_a_convolution():
    data = PlantedPatterns(PlantedDataSettings(count=512))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        convolution = nn.Sequential(
            nn.Conv2d(1, 16, 3), nn.ReLU(), nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(16, 4)
        )
        per_pixel = nn.Sequential(
            nn.Conv2d(1, 16, 1), nn.ReLU(), nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(16, 4)
        )
        linear = nn.Sequential(nn.Flatten(), nn.Linear(64, 4))
        assert accuracy(convolution, data) > 0.9
        assert accuracy(per_pixel, data) < 0.5
        assert accuracy(linear, data) < 0.6
