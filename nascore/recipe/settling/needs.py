"""Finds unmet needs by set arithmetic, with their severity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import frozen

from nascore.plugin.guard import guarded
from nascore.slots import RUN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nascore.component import Component, Need, Settings
    from nascore.errors import Problem
    from nascore.recipe.settling.recipe import Part


LEVELS: Final = {"warned": 1, "refused": 2}
"""How bad a verdict is; 0 is sound."""


@frozen(kw_only=True, eq=False)
class Unmet:
    """A need that nothing meets.

    Attributes:
        part: The part that has it.
        need: The need.
    """

    part: Part
    need: Need

    @property
    def level(self) -> int:
        """How bad it is."""
        return LEVELS[self.need.verdict]

    @property
    def slots(self) -> tuple[str, ...]:
        """The slots whose choice could cure it."""
        return (self.part.slot, *(slot for slot in slots_of(self.need) if slot != RUN))


def holds(term: str, parts: Mapping[str, Sequence[Part]]) -> bool:
    """Say whether a term of a need holds; one about a slot that is not settled counts as met."""
    negated, slot, capability = split(term)
    if slot not in parts:
        return True
    return any(capability in part.provides for part in parts[slot]) != negated


def split(term: str) -> tuple[bool, str, str]:
    """Split ``[not ]slot.capability``."""
    bare = term.removeprefix("not ")
    slot, _, capability = bare.partition(".")
    return bare != term, slot, capability


def slots_of(need: Need) -> tuple[str, ...]:
    """The slots that a need speaks of."""
    return tuple(dict.fromkeys(split(term)[1] for term in need.terms))


def need_applies(component: Component, settings: Settings, need: Need) -> tuple[bool, tuple[Problem, ...]]:
    """Whether a need counts with these settings, and what raised in telling it."""
    what = f"condition of the need {' or '.join(need.terms)}"
    return guarded(component, what, lambda: bool(need.when(settings)), bool)


def unmet(parts: Mapping[str, Sequence[Part]]) -> list[Unmet]:
    """Return every need that no term meets, with the part that has it."""
    return [
        Unmet(part=part, need=need)
        for items in parts.values()
        for part in items
        for need in part.component.needs
        if not any(holds(term, parts) for term in need.terms)
        and need_applies(part.component, part.settings, need)[0]
    ]


def worst(parts: Mapping[str, Sequence[Part]], part: Part) -> Unmet | None:
    """Return the worst unmet need in which a part has a say: its own, or one that speaks of its slot.

    Args:
        parts: All parts, this one among them.
        part: The part that is judged.
    """
    concerned = (one for one in unmet(parts) if one.part is part or part.slot in slots_of(one.need))
    return max(concerned, key=lambda one: one.level, default=None)
