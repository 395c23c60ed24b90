"""The planted test: does a search find the one useful candidate of four in each of three places?

The test needs no accuracies, because the right answer is known. A random choice finds a quarter of the
useful candidates, and a rule with the wrong sign none. Relaxations that draw at random, or do not run all
candidates, are tested in the form `residual` of the space, where a wrong operation hides nothing from later
places; others in `chain`.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from attrs import frozen

from nascore.config import settings_of
from nascore.description import Op, expand
from nascore.recipe import SEARCH_RUN
from nascore.recipe.sources.run_settings import RANKING
from nascore.slots import RUN
from nascore.testing.dataset import facts
from nascore.testing.harness import searched_with, searching

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor

    from nascore.component import Component
    from nascore.config import Declared
    from nascore.plugin import Registry
    from nascore.recipe import Recipe


USEFUL: Final = Op("conv_3x3")
SEEDS: Final = (0, 1)
MARGIN: Final = 2.0
"""The smallest weight of a useful candidate, in multiples of the mean weight of its segment."""

EPOCHS: Final = {"chain": 10, "residual": 16}
"""Epochs by form of the space: a step that runs one operation in each place shows less."""


@frozen(kw_only=True)
class PlantedResult:
    """The result of one search.

    Attributes:
        seed: Seed of the run and of the places of the useful candidates.
        form: The form of the space.
        shares: By place the weight of the useful candidate, in multiples of the mean weight of its segment.
        kept: By place the strongest operation that deriving would keep; places that keep none are missing.
    """

    seed: int
    form: str
    shares: Mapping[str, float]
    kept: Mapping[str, Op]

    def missed(self) -> list[str]:
        """Return the places where the weight of the useful candidate is too small."""
        return [place for place, share in self.shares.items() if share < MARGIN]

    def lost(self) -> list[str]:
        """Return the places where the useful candidate would not be kept."""
        return [place for place in self.shares if self.kept.get(place) != USEFUL]


def form_for(registry: Registry, names: Mapping[str, str], sets: tuple[str, ...] = ()) -> str:
    """Return the form of the space for the relaxation of a search with these parts.

    Raises:
        RecipeError: The parts do not fit.
    """
    recipe = searched_with(registry, {"space": "planted", **names}, sets=sets)
    provides = recipe.part("relaxation").provides
    return "chain" if "deterministic" in provides and "sparse" not in provides else "residual"


def planted(
    registry: Registry, names: Mapping[str, str], seed: int, sets: tuple[str, ...] = ()
) -> PlantedResult:
    """Search once in the planted space, in the form that fits the relaxation.

    Args:
        registry: The installed components.
        names: The components by slot, besides space and data set.
        seed: Seed of the run and of the places of the useful candidates.
        sets: Further settings, as ``PATH=VALUE``.

    Raises:
        RecipeError: The parts do not fit such a space.
    """
    form = form_for(registry, names, sets)
    own = (f"space.form={form}", f"trainer.epochs={EPOCHS[form]}", "trainer.warm_up=0", f"space.seed={seed}")
    with searching(registry, {"space": "planted", **names}, seed=seed, sets=(*own, *sets)) as found:
        found.run()
        expected = found.search.expected()
        picks = found.picks()
    groups = found.description.groups
    return PlantedResult(
        seed=seed,
        form=form,
        shares={name: _share(expected[name], group.ops.index(USEFUL)) for name, group in groups.items()},
        kept={name: group.ops[picks[name][0][1]] for name, group in groups.items() if picks[name]},
    )


def _share(weights: Tensor, column: int) -> float:
    # Absolute values: an unconstrained relaxation may give negative weights, which also have an effect.
    sizes = weights.abs()
    return float((weights[:, column] / sizes.mean(dim=1)).min())


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
"""Small values by name of the setting, raised to its bounds; other settings keep their value at `mini`."""

CLASSES: Final = 3
IMAGES: Final = 20
"""Number of training images: two batches for each half, also if a growth run holds some back."""
SIZES: Final = (8, 16, 32, 64)
"""Heights and widths of images; the first that fits the space is used."""

DATASET: Final = "builtin:synthetic"


def smallest(recipe: Recipe, registry: Registry) -> tuple[str, ...]:
    """Return the settings that make a search small, as ``PATH=VALUE``.

    Args:
        recipe: The recipe of the search, at the scale `mini`.
        registry: The installed plugins.
    """
    size, space = _space(recipe.part("space").component, registry)
    sets = [f"dataset.{text}" for text in (f"count={IMAGES}", f"size={size}", f"classes={CLASSES}")]
    sets += [f"space.{text}" for text in space]
    for slot, parts in recipe.parts.items():
        if slot not in {"space", "dataset", RUN}:
            for part in parts:
                sets += [f"{part.prefix}{text}" for text in small(part.component)]
    # Cells stay as at `mini`: some spaces cannot have fewer.
    ranking = _values(settings_of(SEARCH_RUN.config)[RANKING].type)
    return (*sets, *(f"{RANKING}.{name}={value}" for name, value in ranking if name != "cells"))


def small(component: Component) -> tuple[str, ...]:
    """Return the settings of a component that make it small, as ``NAME=VALUE``."""
    return tuple(_small(component.config))


@cache
def _space(component: Component, registry: Registry) -> tuple[int, tuple[str, ...]]:
    """Return the smallest image size that fits a space, and the settings that make the space small."""
    build = component.builder()
    wished = dict(_values(component.config))
    for settings in ({**component.mini, **wished}, component.mini):
        for size in SIZES:
            kind = facts(channels=3, size=size, classes=CLASSES)
            try:
                expand(build(component.config(**settings)).describe(kind), registry.operations())
            except Exception:  # noqa: BLE001, S112 - a space may raise anything for a size that it does not fit
                continue
            return size, () if settings is component.mini else tuple(_small(component.config))
    return SIZES[0], ()  # it cannot be built at all, which the search will report


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
