"""What to say of a slot that nobody named and that no wish fills."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nascore.errors import Problem
from nascore.plugin.known import absence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nascore.component import Component, Slot
    from nascore.plugin import Registry
    from nascore.plugin.known import Absence


def unchosen(slot: Slot, run: Component, registry: Registry) -> Problem:
    """Return the problem of a slot that is empty and must not be.

    Args:
        slot: The slot.
        run: The run, whose wishes are the defaults.
        registry: What is installed.
    """
    wished = list(_wished(slot, run))
    for name in wished:
        full = registry.ambiguous(slot.name, name)
        if full:
            text = f"no {slot.name} is chosen: {len(full)} plugins bring the default {name}."
            return _problem(slot, text, f"Write --{slot.name} {' or '.join(full)}.", of_plugin=True)
    way = f"--{slot.name} NAME: {', '.join(registry.shown(slot.name)) or 'none is installed'}."
    why = _why(slot, wished, registry)
    if why is None:
        return _problem(slot, f"no {slot.name} is chosen.", f"Write {way}")
    text = f"no {slot.name} is chosen, and {why.who}, which brings the default, {why.state}."
    hint = f"{why.cure}, or write {way}" if why.missing else f"{why.cure} Or write {way}"
    return _problem(slot, text, hint, of_plugin=True, missing=why.missing)


def _why(slot: Slot, wished: Iterable[str], registry: Registry) -> Absence | None:
    """Why no default is there; what is installed and not ready comes first."""
    found = [why for why in (absence(slot.name, name, registry) for name in wished) if why is not None]
    return min(found, key=lambda why: bool(why.missing), default=None)


def _problem(slot: Slot, text: str, hint: str, *, of_plugin: bool = False, missing: str = "") -> Problem:
    slots = (slot.name,)
    return Problem(path=slot.name, text=text, hint=hint, slots=slots, missing=missing, of_plugin=of_plugin)


def _wished(slot: Slot, run: Component) -> Iterator[str]:
    wish = run.wishes.get(slot.name, [])
    for item in wish if isinstance(wish, list) else [wish]:
        yield item if isinstance(item, str) else item[0]
