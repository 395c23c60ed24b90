"""Finds the unmet needs of parts, with their severity."""

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


SEVERITIES: Final = {"warned": 1, "refused": 2}
"""The severity of each verdict; 0 is sound."""


@frozen(kw_only=True, eq=False)
class UnmetNeed:
    """A need that no part meets.

    Attributes:
        part: The part with the need.
        need: The need.
    """

    part: Part
    need: Need

    @property
    def severity(self) -> int:
        """The severity of its verdict."""
        return SEVERITIES[self.need.verdict]

    @property
    def slots(self) -> tuple[str, ...]:
        """The slots in which another component could meet it."""
        return (self.part.slot, *(slot for slot in slots_of_need(self.need) if slot != RUN))


def is_met(term: str, parts: Mapping[str, Sequence[Part]]) -> bool:
    """Return whether a term of a need is met; a term about an unsettled slot counts as met."""
    negated, slot, capability = split_term(term)
    if slot not in parts:
        return True
    return any(capability in part.provides for part in parts[slot]) != negated


def split_term(term: str) -> tuple[bool, str, str]:
    """Split ``[not ]slot.capability`` into: negated, slot, capability."""
    bare = term.removeprefix("not ")
    slot, _, capability = bare.partition(".")
    return bare != term, slot, capability


def slots_of_need(need: Need) -> tuple[str, ...]:
    """Return the slots that a need mentions."""
    return tuple(dict.fromkeys(split_term(term)[1] for term in need.terms))


def need_applies(component: Component, settings: Settings, need: Need) -> tuple[bool, tuple[Problem, ...]]:
    """Return whether a need applies with these settings, and the problems of its condition, if it raised."""
    what = f"condition of the need {' or '.join(need.terms)}"
    return guarded(component, what, lambda: bool(need.when(settings)), bool)


def unmet_needs(parts: Mapping[str, Sequence[Part]]) -> list[UnmetNeed]:
    """Return every unmet need, with the part that has it."""
    return [
        UnmetNeed(part=part, need=need)
        for items in parts.values()
        for part in items
        for need in part.component.needs
        if not any(is_met(term, parts) for term in need.terms)
        and need_applies(part.component, part.settings, need)[0]
    ]


def worst_unmet_need(parts: Mapping[str, Sequence[Part]], part: Part) -> UnmetNeed | None:
    """Return the worst unmet need that involves a part: its own, or one that mentions its slot.

    Args:
        parts: All parts, this one among them.
        part: The part.
    """
    involved = (
        lack for lack in unmet_needs(parts) if lack.part is part or part.slot in slots_of_need(lack.need)
    )
    return max(involved, key=lambda lack: lack.severity, default=None)
