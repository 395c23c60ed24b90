"""What a component mixes with, as it is shown: by slot and verdict, with the reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from nascore.component import SLOTS
from nascore.recipe.mixes import VERDICTS, partners

if TYPE_CHECKING:
    from nascore.component import Component
    from nascore.plugin import Registry
    from nascore.recipe.mixes import Judgement


@frozen(kw_only=True)
class Partners:
    """What fills another slot beside a component, with one verdict and for one reason.

    Attributes:
        slot: The other slot.
        verdict: What is said of the combination, when the rest is as wishes and defaults bring it.
        names: What fills the slot.
        why: What speaks against it; empty where nothing does.
    """

    slot: str
    verdict: Judgement
    names: tuple[str, ...]
    why: str = ""


def partners_of(component: Component, registry: Registry) -> tuple[Partners, ...]:
    """Return what a component mixes with, slot by slot, the best first.

    Nothing is said of what has no say in the result, and so mixes with everything.

    Args:
        component: The component.
        registry: What is installed.
    """
    if any(slot.aside and slot.name == component.slot for slot in SLOTS):
        return ()
    found: dict[str, dict[tuple[Judgement, str], list[str]]] = {}
    for mix in partners(component, registry):
        of_slot = found.setdefault(mix.fillings[0].slot, {})
        of_slot.setdefault((mix.verdict, "; ".join(mix.reasons)), []).append(mix.fillings[0].text)
    return tuple(
        Partners(slot=slot, verdict=verdict, names=tuple(names), why=why)
        for slot, of_slot in found.items()
        for (verdict, why), names in sorted(of_slot.items(), key=lambda one: VERDICTS.index(one[0][0]))
    )
