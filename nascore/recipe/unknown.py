"""What to say of a name that stands for nothing that is installed: the nearest thing that works."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nascore.errors import Origin, Problem, did_you_mean
from nascore.plugin.known import bringer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nascore.plugin import Registry

_YAML: Final = (".yaml", ".yml")
_STATES: Final = {
    "blocked": "is switched off",
    "broken": "is broken",
    "clash": "clashes with another plugin",
    "foreign": "is made for another version of nascore",
}
_DOCTOR: Final = "Run nascore plugins doctor."


def unknown_component(slot: str, text: str, origin: Origin, registry: Registry) -> Problem:
    """Return the problem of a component's name that cannot be resolved.

    Args:
        slot: The slot that it was typed for.
        text: The name, as it was typed.
        origin: Where it was typed.
        registry: What is installed.
    """
    said, hint, missing = _ambiguous(slot, text, registry) or _of_a_plugin(slot, text, registry)
    if not said:
        said = f"no {slot} is called {text}."
        hint = _nearest(slot, text, origin, registry)
        others = registry.slots_of(text)
        if others:
            said, hint = (
                f"{text} is a component of slot {others[0]}, not of {slot}.",
                _way(others[0], text, origin),
            )
    return Problem(path=slot, text=said, origin=origin, hint=hint, slots=(slot,), missing=missing)


def unknown_preset(name: str, origin: Origin, registry: Registry) -> Problem:
    """Return the problem of a preset's name that cannot be resolved."""
    presets = registry.presets()
    full = presets.ambiguous(name)
    several = _several(full, f"a preset {name}") if full else None
    said, hint, missing = several or _of_a_plugin("preset", name, registry)
    if not said:
        said = f"no preset is called {name}."
        hint = did_you_mean(name, presets) or f"Installed: {', '.join(sorted(presets)) or 'none'}."
        if name.endswith(_YAML):
            hint = f"Write --recipe {name}." if origin.layer == "flag" else "A file's name ends in .yaml."
    at = "preset" if origin.layer == "flag" else "include"
    return Problem(path=at, text=said, origin=origin, hint=hint, missing=missing)


def _ambiguous(slot: str, text: str, registry: Registry) -> tuple[str, str, str] | None:
    full = registry.ambiguous(slot, text)
    return _several(full, f"a component {text}") if full else None


def _several(full: Sequence[str], what: str) -> tuple[str, str, str]:
    return f"{len(full)} plugins bring {what}.", f"Write {' or '.join(full)}.", full[0]


def _of_a_plugin(kind: str, text: str, registry: Registry) -> tuple[str, str, str]:
    """What is wrong, the cure, and which plugin or distribution would bring it; empty where none is known."""
    owner, _, bare = text.rpartition(":")
    distribution = bringer(kind, bare)
    named = (one for one in registry.plugins if one.name == owner)
    brought = (one for one in registry.plugins if distribution and one.distribution == distribution)
    plugin = next(named, None) or next(brought, None)
    head = f"no {kind} is called {text}"
    if plugin is not None and plugin.status != "ready":
        reason = f": {plugin.reason.rstrip('.')}" if plugin.reason else ""
        said = f"{head}; {plugin.name} {_STATES[plugin.status]}{reason}."
        return said, plugin.cure or _DOCTOR, plugin.distribution or plugin.name
    if distribution and plugin is None:
        said = f"{head}; {distribution} brings it and is not installed."
        return said, f"pip install {distribution}", distribution
    return "", "", ""


def _nearest(slot: str, text: str, origin: Origin, registry: Registry) -> str:
    if text.endswith(_YAML):
        files = [one.name for one in registry.components(slot) if one.argument == "path"]
        if files:
            return _way(slot, f"{files[0]}:{text}", origin)
    known = registry.names(slot)
    return did_you_mean(text, known) or f"Installed: {', '.join(known) or 'none'}."


def _way(slot: str, name: str, origin: Origin) -> str:
    """How to choose a component where this was written: by a flag, or in a file."""
    return f"Write {slot}: {name}." if origin.layer in ("recipe", "preset") else f"Write --{slot} {name}."
