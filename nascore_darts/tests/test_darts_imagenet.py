"""DARTS's network for ImageNet: the frame with two other stems, and nothing else said."""

from __future__ import annotations

import pytest

from nascore.api import DataFacts, DescriptionError
from nascore.builtin.operations import OPERATIONS
from nascore.engine.derive import prepared
from nascore.nn import costs
from nascore.recipe.sources.run_settings import TrainingSettings
from nascore_darts import space
from nascore_darts.genotype import from_genotype, recognises, to_genotype
from nascore_darts.space import Space, SpaceSettings

CATALOGUE = {entry.name: entry for entry in OPERATIONS}
SIZE = {"channels": 48, "cells": 14, "classes": 1000}

# The evaluation of the papers: C48, 14 cells, 1000 classes, images of 224x224, no auxiliary head
COUNTS = {"DARTS_V1": (4_510_432, None), "DARTS_V2": (4_718_752, 529_911_552)}
COUNTS |= {"PC_DARTS_image": (5_342_464, None), "XNAS": (5_260_000, 590_404_992)}


def facts(height, width, channels=3):
    return DataFacts(
        channels=channels,
        height=height,
        width=width,
        classes=1000,
        train=100,
        test=10,
        mean=(0.5,) * channels,
        std=(0.25,) * channels,
    )


@pytest.mark.parametrize(("genotype", "params", "macs"), [(name, *both) for name, both in COUNTS.items()])
def test_counts(genotype, params, macs):
    found = costs(from_genotype(f"imagenet:{genotype}", **SIZE), CATALOGUE, (224, 224))
    assert found.params == params
    assert macs in {None, found.macs}


@pytest.mark.parametrize(("channels", "classes"), [(16, 10), (48, 1000)])
def test_its_auxiliary_head_is_that_for_imagenet(channels, classes):
    size = {"channels": channels, "cells": 14, "classes": classes}
    found, state = {}, 16 * channels
    for stem in ("", "imagenet:"):
        with_head, plain = (
            costs(from_genotype(f"{stem}DARTS_V2", **size, auxiliary=each), CATALOGUE, (224, 224)).params
            for each in (True, False)
        )
        found[stem] = with_head - plain
    closed = state * 128 + 2 * 128 + 4 * 128 * 768 + 768 * classes + classes
    assert found == {"": closed + 1_536, "imagenet:": closed}


@pytest.mark.parametrize("image", [(224, 224), (32, 32), (225, 131)])
def test_a_found_network_gets_the_same_head_as_its_genotype(image):
    training = TrainingSettings(channels=8, cells=5, auxiliary=0.4)
    description = from_genotype("imagenet:DARTS_V2", channels=4, cells=3)
    trained = prepared(description, training, facts(*image))
    assert trained == from_genotype("imagenet:DARTS_V2", channels=8, cells=5, classes=1000, auxiliary=True)
    assert costs(trained, CATALOGUE, image).params > 0


def test_a_genotype_with_these_stems_comes_back():
    text = to_genotype(from_genotype("imagenet:DARTS_V2", **SIZE))
    assert text.startswith("imagenet:Genotype(normal=[('sep_conv_3x3', 0)")
    assert recognises(text)
    assert from_genotype(text, **SIZE) == from_genotype("imagenet:DARTS_V2", **SIZE)
    assert from_genotype(text, **SIZE) != from_genotype("DARTS_V2", **SIZE)


def test_what_is_wrong_keeps_its_column():
    text = to_genotype(from_genotype("imagenet:DARTS_V2", **SIZE)).replace("sep_conv_3x3", "sep_conv_3x4", 1)
    with pytest.raises(DescriptionError) as raised:
        from_genotype(text, **SIZE)
    (problem,) = raised.value.problems
    # The place is that of the pair: its bracket and its quotation mark come before.
    assert str(problem.origin) == f"genotype:1:{text.index('sep_conv_3x4') - 1}"


@pytest.mark.parametrize(
    ("height", "width", "stem", "expected"),
    [
        (32, 32, "auto", "cifar"),
        (127, 224, "auto", "cifar"),
        (128, 128, "auto", "imagenet"),
        (225, 131, "auto", "imagenet"),
        (32, 32, "imagenet", "imagenet"),
        (224, 224, "cifar", "cifar"),
    ],
)
def test_the_space_takes_its_stems_from_the_data(height, width, stem, expected):
    settings = SpaceSettings(channels=2, cells=3, stem=stem)
    description = Space(settings).describe(facts(height, width))
    assert space.stem_of(description.network) == expected
    assert costs(description, CATALOGUE, (height, width)).params > 0
