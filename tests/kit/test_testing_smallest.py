"""The smallest search: small settings where they are possible, whatever component has them."""

from __future__ import annotations

import pytest
from attrs import evolve, frozen
from recipe_table import changed

import nascore.builtin
from nascore.api import DescriptionError, setting
from nascore.builtin.components import TinySettings
from nascore.builtin.spaces import Tiny
from nascore.plugin import Registry
from nascore.recipe import Request, settled
from nascore.testing.planted import small, smallest

REGISTRY = Registry.of(builtin=nascore.builtin)
TINY = REGISTRY.get("space", "tiny")


@frozen(kw_only=True)
class Large:
    channels: int = setting(16, "Width.", ge=1)
    cells: int = setting(20, "Cells.", gt=2)
    layers: int = setting(9, "Layers.")
    epochs: float = setting(5.0, "Not a whole number, so it is something else.", ge=1)
    dropout: float = setting(0.5, "Not a size.", ge=0)


def sets(registry, *typed):
    names = {"space": ["tiny"], "updater": ["sgd"], "dataset": ["synthetic"]}
    return smallest(settled(Request(scale="mini", names=names, sets=typed), registry), registry)


def test_a_setting_is_as_small_as_its_bounds_allow():
    assert small(evolve(TINY, config=Large)) == ("channels=4", "cells=3", "layers=1")


def test_every_part_of_the_recipe_is_small():
    found = sets(REGISTRY)

    assert {"space.channels=4", "space.cells=1", "trainer.epochs=1", "trainer.warm_up=0"} <= set(found)
    assert {"dataset.size=8", "dataset.count=20", "ranking.epochs=1", "ranking.batch=4"} <= set(found)
    assert not any(text.startswith("ranking.cells") for text in found)
    assert len({text.partition("=")[0] for text in found}) == len(found)


@pytest.mark.parametrize("least", [9, 17])
def test_images_are_as_large_as_the_space_needs(least):
    class Picky(Tiny):
        def describe(self, facts):
            if facts.height < least:
                raise DescriptionError("too small")
            return super().describe(facts)

    assert f"dataset.size={16 if least == 9 else 32}" in sets(changed(REGISTRY, TINY, build=Picky))


def test_a_space_that_cannot_be_so_small_stays_as_at_mini():
    class Wide(Tiny):
        def __init__(self, settings):
            assert settings.channels > 4
            super().__init__(settings)

        def describe(self, facts):
            assert facts.height > 8
            return super().describe(facts)

    found = sets(changed(REGISTRY, TINY, build=Wide, mini={"channels": 6}))

    assert "dataset.size=16" in found
    assert not any(text.startswith("space.") for text in found)


def test_settings_of_mini_stay_where_nothing_is_small():
    assert TinySettings() == TINY.config()
    assert small(REGISTRY.get("relaxation", "softmax")) == ()
