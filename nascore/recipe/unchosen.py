"""What to say of a slot that nobody named and that no wish fills."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nascore.errors import Problem
from nascore.plugin.known import bringer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nascore.component import Component, Slot
    from nascore.plugin import Registry


def unchosen(slot: Slot, run: Component, registry: Registry) -> Problem:
    """Return the problem of a slot that is empty and must not be.

    Args:
        slot: The slot.
        run: The run, whose wishes are the defaults.
        registry: What is installed.
    """
    known = ", ".join(registry.names(slot.name)) or "none is installed"
    way = f"--{slot.name} NAME: {known}."
    text, hint = f"no {slot.name} is chosen.", f"Write {way}"
    missing = next(filter(None, (bringer(slot.name, name) for name in _wished(slot, run))), "")
    plugin = next((one for one in registry.plugins if missing and one.distribution == missing), None)
    if missing and plugin is None:
        text = f"no {slot.name} is chosen, and {missing}, which brings the default, is not installed."
        hint = f"pip install {missing}, or write {way}"
    elif plugin is not None:
        state = f"{plugin.status}: {plugin.reason}"
        text = f"no {slot.name} is chosen, and {plugin.name}, which brings the default, is {state}."
        hint = f"{plugin.cure} Or write {way}".strip()
    return Problem(path=slot.name, text=text, hint=hint, slots=(slot.name,), missing=missing)


def _wished(slot: Slot, run: Component) -> Iterator[str]:
    wish = run.wishes.get(slot.name, [])
    for item in wish if isinstance(wish, list) else [wish]:
        yield item if isinstance(item, str) else item[0]
