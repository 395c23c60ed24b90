"""DARTS's network for ImageNet: the frame with two other stems, and nothing else said."""

from __future__ import annotations

import pytest
from attrs import evolve

from nascore.builtin.operations import OPERATIONS
from nascore.description import Edge, Node, Op
from nascore.nn import costs
from nascore_darts.genotype import from_genotype

CATALOGUE = {entry.name: entry for entry in OPERATIONS}

# The evaluation of the papers: C48, 14 cells, 1000 classes, images of 224x224, no auxiliary head
COUNTS = {"DARTS_V1": (4_510_432, None), "DARTS_V2": (4_718_752, 529_911_552)}
COUNTS |= {"PC_DARTS_image": (5_342_464, None), "XNAS": (5_260_000, 590_404_992)}


def imagenet(genotype):
    description = from_genotype(genotype, channels=48, cells=14, classes=1000)
    stems = (
        Node(name="stem0", edges=(Edge(source="images", ops=(Op("imagenet_stem0"),)),), reduction=4),
        Node(name="stem1", edges=(Edge(source="stem0", ops=(Op("imagenet_stem1"),)),), reduction=8),
    )
    network = description.network
    return evolve(description, network=evolve(network, nodes=(*stems, *network.nodes[1:])))


@pytest.mark.parametrize(("genotype", "params", "macs"), [(name, *both) for name, both in COUNTS.items()])
def test_counts(genotype, params, macs):
    found = costs(imagenet(genotype), CATALOGUE, (224, 224))
    assert found.params == params
    assert macs in {None, found.macs}
