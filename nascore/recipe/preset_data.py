"""The data set that a preset is made for: its settings reproduce nothing on another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nascore.errors import Problem
from nascore.shell import command_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nascore.errors import Origin
    from nascore.plugin import Registry
    from nascore.recipe.layer import Layer, Stack

DATASET: Final = "dataset"
"""The slot."""


def doubt_data(layers: Iterable[Layer], stack: Stack) -> Iterator[Problem]:
    """Yield a warning where another data set is used than the one that a preset names.

    Args:
        layers: What each source says, lowest first.
        stack: The same, laid over each other.
    """
    named = [(one.preset, choice) for one in layers if one.preset for choice in one.chosen.get(DATASET, ())]
    used = [choice for choice in stack.chosen.get(DATASET, ()) if choice.component is not None]
    if not named or not used:
        return
    preset, wanted = named[-1]
    component = used[-1].component
    assert component is not None
    if component.name != wanted.name.rpartition(":")[2]:
        text = (
            f"preset {preset} is for {wanted.name}, and this is {component.name}: "
            "its settings reproduce no published result here."
        )
        yield Problem(path=DATASET, text=text, origin=used[-1].origin, verdict="warned")


def lacking_data(name: str, origin: Origin, registry: Registry) -> Problem:
    """Return the problem of a preset whose data set is not installed, and that no other one was named for.

    Args:
        name: The data set.
        origin: Where the preset names it.
        registry: What is installed.
    """
    flags = [command_line("--dataset", one) for one in registry.shown(DATASET)]
    return Problem(
        path=DATASET,
        text=f"the preset is for {name}, and no data set of that name is installed.",
        origin=origin,
        hint="Install a plugin that brings it, or write one (nascore new-plugin --help). "
        f"To run the preset on other images, name them: {' or '.join(flags)}.",
        slots=(DATASET,),
        of_plugin=True,
    )
