"""The scale that nobody named: mini, on the default data set only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nascore.errors import Origin, Problem
from nascore.recipe.layer import Layer
from nascore.shell import command_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nascore.component import Slot
    from nascore.plugin import Registry
    from nascore.recipe.layer import Stack
    from nascore.recipe.options import Option

_UNNAMED: Final = Origin(layer="default", where="neither preset nor recipe is given")

DEFAULT_SCALE: Final = Layer(scale=("mini", _UNNAMED))
"""The lowest layer of a request that names neither preset nor recipe nor scale."""


def scale_problems(slot: Slot, stack: Stack, wishes: Sequence[Option], registry: Registry) -> list[Problem]:
    """Refuse the default scale on a data set that was named and that nothing in the recipe wishes.

    The small settings were measured on the default data; on others, nobody knows what they are worth.
    """
    if slot.name != "dataset" or stack.scale is None or stack.scale[1] != _UNNAMED:
        return []
    wished = [option.component for option in wishes]
    default = ", ".join(dict.fromkeys(component.name for component in wished))
    ways = ["--scale mini (a laptop check)", "--scale paper", "--recipe FILE"]
    ways += [command_line("--preset", name) for name in sorted(registry.presets())]
    return [
        Problem(
            path="scale",
            text=f"without a preset, a recipe or a scale only {default or 'the default'} can be used, "
            f"not {choice.component.name}.",
            origin=choice.origin,
            hint=f"Add {' or '.join(ways)}.",
            slots=("dataset",),
        )
        for choice in stack.chosen.get(slot.name, ())
        if choice.component is not None and choice.component not in wished
    ]
