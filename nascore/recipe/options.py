"""What could fill a slot while a recipe is settled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from nascore.component import RUN
from nascore.config import settings_of
from nascore.recipe.recipe import Passed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nascore.component import Component, Slot
    from nascore.config import Node
    from nascore.errors import Origin, Problem
    from nascore.plugin import Registry
    from nascore.recipe.layer import Choice, Value
    from nascore.recipe.recipe import Part


@frozen(kw_only=True, eq=False)
class Option:
    """A component that could fill a slot: with what a wish sets for it, or as it is.

    Attributes:
        component: The component.
        brought: Who names it.
        wished: The settings that a wish brings.
        by: The name of the wisher; empty without a wish.
    """

    component: Component
    brought: Origin
    wished: Node | None = None
    by: str = ""


@frozen(kw_only=True, eq=False)
class Tried:
    """An option with its settings read, and what the needs say of it.

    Attributes:
        option: The option.
        part: The component with its settings.
        problems: What was wrong with the settings.
        level: 0 sound, 1 warned, 2 refused.
        why: The worst need that it does not meet, in words.
    """

    option: Option
    part: Part
    problems: tuple[Problem, ...]
    level: int = 0
    why: str = ""

    def passed(self) -> Passed:
        """Note it as a wish that was not taken."""
        return Passed(slot=self.part.slot, wish=self.part.name, by=self.option.by, why=self.why)


def named_options(choice: Choice, wishes: Sequence[Option]) -> list[Option]:
    """Return a named component with the settings of each wish for it, at last without any."""
    assert choice.component is not None
    wished = [
        Option(component=one.component, brought=choice.origin, wished=one.wished, by=one.by)
        for one in wishes
        if one.component is choice.component
    ]
    return [*wished, Option(component=choice.component, brought=choice.origin)]


def concerns(value: Value, component: Component) -> bool:
    """Say whether settings were given for a component: by its name, or for whatever fills its slot."""
    if value.slot == RUN and value.component is not None:
        # A run that is watched is another object of the same name.
        return component.slot == RUN and value.component.name == component.name
    return value.slot == component.slot and value.component in (None, component)


def paths_of(run: Component, slots: Sequence[Slot], registry: Registry) -> Callable[[str], list[str]]:
    """Return a function that gives the full paths of all settings of a name, in parts and groups."""

    def paths(name: str) -> list[str]:
        found = []
        for slot in slots:
            for component in registry.components(slot.name):
                prefix = f"{slot.name}.{component.name}" if slot.many else slot.name
                if name in settings_of(component.config):
                    found.append(f"{prefix}.{name}")
        groups = (declared for declared in settings_of(run.config).values() if declared.nested)
        found += [f"{group.name}.{name}" for group in groups if name in settings_of(group.type)]
        return list(dict.fromkeys(found))

    return paths


def owners(component: Component, registry: Registry) -> Callable[[str], list[str]]:
    """Return a function that names who else in the slot has a setting."""

    def who_has(name: str) -> list[str]:
        others = (other for other in registry.components(component.slot) if other is not component)
        return [other.name for other in others if name in settings_of(other.config)]

    return who_has
