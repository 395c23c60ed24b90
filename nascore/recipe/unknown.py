"""What to say of a name that stands for nothing that is installed: the nearest thing that works."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import evolve

from nascore.component import SLOTS
from nascore.errors import Origin, Problem, did_you_mean
from nascore.plugin.known import absence
from nascore.recipe.preset_data import DATASET, lacking_data
from nascore.shell import command_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nascore.plugin import Registry

_YAML: Final = (".yaml", ".yml")
_FOLDERS: Final = ("imagefolder", "folder", "image-folder", "custom")
_MORE: Final = "A plugin of your own can bring more: nascore new-plugin --help."


def unknown_component(slot: str, text: str, origin: Origin, registry: Registry) -> Problem:
    """Return the problem of a component's name that cannot be resolved.

    Args:
        slot: The slot that it was typed for.
        text: The name, as it was typed.
        origin: Where it was typed.
        registry: What is installed.
    """
    at = Problem(path=slot, text="", origin=origin, slots=(slot,))
    of_plugin = _several(at, registry.ambiguous(slot, text), f"a component {text}") or _absent(
        at, slot, text, registry
    )
    if of_plugin is not None:
        return of_plugin
    if slot == DATASET and origin.layer == "preset":
        return lacking_data(text, origin, registry)
    others = registry.slots_of(text)
    if text == "none" and any(one.name == slot and one.many for one in SLOTS):
        return evolve(at, text="none leaves it empty, and stands alone.", hint="Leave out none, or the rest.")
    if others:
        said = f"{text} is a component of slot {others[0]}, not of {slot}."
        return evolve(at, text=said, hint=_way(others[0], text, origin))
    return evolve(at, text=f"no {slot} is called {text}.", hint=_nearest(slot, text, origin, registry))


def unknown_preset(name: str, origin: Origin, registry: Registry) -> Problem:
    """Return the problem of a preset's name that cannot be resolved."""
    presets = registry.presets()
    at = Problem(path="preset" if origin.layer == "flag" else "include", text="", origin=origin)
    of_plugin = _several(at, presets.ambiguous(name), f"a preset {name}") or _absent(
        at, "preset", name, registry
    )
    if of_plugin is not None:
        return of_plugin
    begun = sorted(one for one in presets if one.startswith(f"{name}-"))
    near = f"Did you mean {' or '.join(begun)}?" if begun else did_you_mean(name, presets)
    hint = near or f"Installed: {', '.join(sorted(presets)) or 'none'}."
    if name.endswith(_YAML):
        hint = (
            f"Write {command_line('--recipe', name)}."
            if origin.layer == "flag"
            else "A file's name ends in .yaml."
        )
    return evolve(at, text=f"no preset is called {name}.", hint=hint)


def _several(at: Problem, full: Sequence[str], what: str) -> Problem | None:
    """The problem of a name that several plugins bring."""
    if not full:
        return None
    text = f"{len(full)} plugins bring {what}."
    return evolve(at, text=text, hint=f"Write {' or '.join(full)}.", of_plugin=True)


def _absent(at: Problem, kind: str, text: str, registry: Registry) -> Problem | None:
    """The problem of a name that a plugin would bring."""
    why = absence(kind, text, registry)
    if why is None:
        return None
    said = f"no {kind} is called {text}; {why}"
    return evolve(at, text=said, hint=why.cure, missing=why.missing, of_plugin=True)


def _nearest(slot: str, text: str, origin: Origin, registry: Registry) -> str:
    if text.endswith(_YAML):
        files = [one.name for one in registry.components(slot) if one.argument == "path"]
        if files:
            return _way(slot, f"{files[0]}:{text}", origin)
    known = registry.shown(slot)
    if slot == "dataset" and ("/" in text or text.lower() in _FOLDERS):
        return f"Images in a folder need a data set of your own: a plugin of one file. {_MORE}"
    # A longer name is another thing than its part: pc-darts is not darts.
    whole = [name for name in (*registry.names(slot), *known) if name not in text.split("-")]
    near = did_you_mean(text, whole)
    return near or f"Installed: {', '.join(known) or 'none'}. {_MORE}"


def _way(slot: str, name: str, origin: Origin) -> str:
    """How to choose a component where this was written: by a flag, or in a file."""
    in_file = origin.layer in ("recipe", "preset")
    return f"Write {slot}: {name}." if in_file else f"Write {command_line(f'--{slot}', name)}."
