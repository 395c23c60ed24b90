"""The smallest search with given parts: what takes long is made small, whatever component has it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from nascore.component import RUN, SLOTS, load
from nascore.config import settings_of
from nascore.description import expand
from nascore.recipe import SEARCH_RUN
from nascore.testing.examples import facts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nascore.component import Component
    from nascore.config import Declared
    from nascore.plugin import Registry
    from nascore.recipe import Recipe

SMALL: Final = {
    "batch": 4,
    "blocks": 1,
    "cells": 1,
    "channels": 4,
    "child_epochs": 1,
    "count": 2,
    "depth": 1,
    "epochs": 1,
    "layers": 1,
    "nodes": 2,
    "seed_epochs": 1,
    "warm_up": 0,
}
"""By a setting's name its value, where its bounds allow it; one of another name stays as at `mini`."""

CLASSES: Final = 3
IMAGES: Final = 20
"""Training images: two batches for each half, also where a growth run holds some back."""
SIZES: Final = (8, 16, 32, 64)
"""Heights and widths of images; the first that a space can hold is taken."""

DATASET: Final = "builtin:synthetic"
MANY: Final = {slot.name for slot in SLOTS if slot.many}


def smallest(recipe: Recipe, registry: Registry) -> tuple[str, ...]:
    """Return the settings that make a search small, as ``PATH=VALUE``.

    Args:
        recipe: What is searched with, at the scale `mini`.
        registry: What is installed.
    """
    size, space = _space(recipe.part("space").component, registry)
    sets = [f"dataset.{text}" for text in (f"count={IMAGES}", f"size={size}", f"classes={CLASSES}")]
    sets += [f"space.{text}" for text in space]
    for slot, parts in recipe.parts.items():
        if slot not in {"space", "dataset", RUN}:
            for part in parts:
                path = f"{slot}.{part.name}" if slot in MANY else slot
                sets += [f"{path}.{text}" for text in small(part.component)]
    # As many cells as at `mini`: a space may not be possible with fewer.
    training = _values(settings_of(SEARCH_RUN.config)["training"].type)
    return (*sets, *(f"training.{name}={value}" for name, value in training if name != "cells"))


def small(component: Component) -> tuple[str, ...]:
    """Return the settings of a component that make it small, as ``NAME=VALUE``."""
    return tuple(_small(component.config))


@cache
def _space(component: Component, registry: Registry) -> tuple[int, tuple[str, ...]]:
    """Return the smallest images that a space can hold, and the settings with which it can be built small."""
    build = load(component.build)
    wished = dict(_values(component.config))
    for settings in ({**component.mini, **wished}, component.mini):
        for size in SIZES:
            kind = facts(channels=3, size=size, classes=CLASSES)
            try:
                expand(build(component.config(**settings)).describe(kind), registry.operations())
            except Exception:  # noqa: BLE001, S112 - whatever a space raises that is not for this size
                continue
            return size, () if settings is component.mini else tuple(_small(component.config))
    return SIZES[0], ()  # it cannot be built at all, which the search itself then says


def _small(config: type) -> Iterator[str]:
    return (f"{name}={value}" for name, value in _values(config))


def _values(config: type) -> Iterator[tuple[str, int]]:
    for name, declared in settings_of(config).items():
        if name in SMALL and declared.type in {int, int | None}:
            yield name, _within(declared, SMALL[name])


def _within(declared: Declared, value: int) -> int:
    for kind, limit in declared.setting.bounds:
        if kind in {"ge", "gt"}:
            value = max(value, int(limit) + (kind == "gt"))
    return value
