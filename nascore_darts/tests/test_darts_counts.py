"""Parameters and MACs of the published networks and of the supernets, as counted on the authors' code."""

from __future__ import annotations

import pytest

from nascore.api import final, reducing, resize, spread, with_auxiliary
from nascore.builtin.operations import OPERATIONS
from nascore.contract import DataFacts
from nascore.nn import compile, costs  # noqa: A004 - the name of the compiler
from nascore_darts.genotype import from_genotype
from nascore_darts.genotypes import GENOTYPES
from nascore_darts.space import Space, SpaceSettings

CATALOGUE = {entry.name: entry for entry in OPERATIONS}

# C36 L20: without head, with auxiliary head, MACs at 32x32, 100 classes; C16 L8; C4 L3
PUBLISHED = {
    "DARTS_V1": (3_169_414, 3_645_840, 500_987_520, 3_221_344, 232_890, 2_798),
    "DARTS_V2": (3_349_342, 3_825_768, 528_359_040, 3_401_272, 246_106, 2_858),
    "PC_DARTS_cifar": (3_634_678, 4_111_104, 556_670_592, 3_686_608, 335_738, 13_406),
    "PC_DARTS_image": (3_721_510, 4_197_936, 570_466_944, 3_773_440, 327_546, 10_866),
    "PDARTS": (3_433_798, 3_910_224, 532_174_464, 3_485_728, 292_026, 9_070),
    "XNAS": (3_793_438, 4_269_864, 595_543_680, 3_845_368, 290_010, 4_594),
    "NASNet": (3_830_950, 4_288_944, 603_452_448, 3_895_840, 333_946, 14_078),
    "AmoebaNet": (3_145_078, 3_603_072, 488_931_552, 3_184_048, 326_330, 15_462),
}


def facts(classes=10):
    return DataFacts(
        channels=3,
        height=32,
        width=32,
        classes=classes,
        train=50_000,
        test=10_000,
        mean=(0.5,) * 3,
        std=(0.25,) * 3,
    )


def size(description):
    return costs(description, CATALOGUE, (32, 32))


def supernet(channels, cells, classes=10):
    return Space(SpaceSettings(channels=channels, cells=cells)).describe(facts(classes))


def test_the_table_is_complete():
    assert PUBLISHED.keys() == GENOTYPES.keys()


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_networks(name):
    plain, with_head, macs, hundred, middle, small = PUBLISHED[name]
    counted = size(from_genotype(name))
    assert (counted.params, counted.macs) == (plain, macs)
    assert size(from_genotype(name, auxiliary=True)).params == with_head
    assert size(from_genotype(name, classes=100)).params == hundred
    assert size(from_genotype(name, channels=16, cells=8)).params == middle
    assert size(from_genotype(name, channels=4, cells=3)).params == small


@pytest.mark.parametrize(("channels", "count"), [(44, 5_594_918), (50, 7_174_760)])
def test_wider_networks_of_xnas(channels, count):
    assert size(from_genotype("XNAS", channels=channels)).params == count


@pytest.mark.parametrize("name", ["DARTS_V2", "NASNet"])
def test_counted_tensors_agree_with_the_costs(name):
    net = compile(from_genotype(name, channels=4, cells=3), CATALOGUE)
    assert sum(tensor.numel() for tensor in net.parameters()) == PUBLISHED[name][5]


@pytest.mark.parametrize(
    ("channels", "cells", "classes", "count"),
    [(16, 8, 10, 1_930_618), (16, 8, 100, 1_953_748), (8, 4, 10, 347_298), (4, 3, 10, 72_854)],
)
def test_supernets(channels, cells, classes, count):
    counted = size(supernet(channels, cells, classes))
    every = sum(int(group.params.sum()) for group in counted.groups.values())
    assert counted.params + every == count


def test_the_supernet_built_has_as_many_parameters_and_none_of_the_architecture():
    net = compile(supernet(4, 3), CATALOGUE)
    assert sum(tensor.numel() for tensor in net.parameters()) == 72_854


@pytest.mark.parametrize("cells", range(2, 31))
def test_depth_is_an_edit(cells):
    grown = from_genotype("DARTS_V2", channels=16, cells=8)
    grown = resize(grown, channels=36, repeats=spread(grown, cells))
    assert grown == from_genotype("DARTS_V2", channels=36, cells=cells)


def test_scaled_by_edit_it_is_the_published_network():
    small = from_genotype("DARTS_V2", channels=16, cells=8)
    large = resize(final(small), channels=36, repeats=spread(small, 20))
    assert size(large).params == 3_349_342
    assert size(with_auxiliary(large, reducing(large))).params == 3_825_768
