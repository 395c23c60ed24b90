"""The size at which an architecture is trained from scratch: the business of the space that it is from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from nascore.component import MEASURES, RUN, SIZED
from nascore.config import wrap
from nascore.errors import Origin
from nascore.recipe.layer import Layer, Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nascore.component import Component
    from nascore.recipe.recipe import Recipe

Sizes = dict[str, dict[str, int | None]]


def sizes_of(declared: Mapping[str, Mapping[str, int]]) -> Sizes:
    """Return a size for each scale; None is as the architecture has it.

    Args:
        declared: What a space or a notation declares, by scale.
    """
    return {scale: {name: declared.get(scale, {}).get(name) for name in MEASURES} for scale in SIZED}


def size_of(recipe: Recipe) -> dict[str, int]:
    """Return the size at which `evaluate` trains what a search finds; what is not there stays as searched."""
    scale = "mini" if recipe.scale is not None and recipe.scale[0] == "mini" else "paper"
    size = sizes_of(recipe.part("space").component.sizes)[scale]
    return {name: value for name, value in size.items() if value is not None}


def layer_of(declared: Mapping[str, Mapping[str, int]], by: str) -> Layer:
    """Return the lowest layer of an evaluation: the published size of the architectures of a space.

    Args:
        declared: What the space declares, by scale.
        by: Who declares it.
    """
    published = {name: value for name, value in sizes_of(declared)["paper"].items() if value is not None}
    if not published:
        return Layer()
    node = wrap({"training": published}, Origin(layer="wish", where=f"published size of {by}"))
    return Layer(values=(Value(slot=RUN, component=None, node=node),))


def sized(run: Component, declared: Mapping[str, Mapping[str, int]]) -> Component:
    """Return the run of an evaluation whose size at the scale ``mini`` is that of a space.

    Args:
        run: The component of the run.
        declared: What the space declares, by scale.
    """
    training = {**run.mini.get("training", {}), **sizes_of(declared)["mini"]}
    return evolve(run, mini={**run.mini, "training": training})
