"""What there is: components by slot, presets, operations, plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from nascore.component import SLOTS
from nascore.config import write_scalar
from nascore.errors import Problem, RecipeError, did_you_mean
from nascore.verbs.asking import installed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nascore.description import Operation
    from nascore.plugin import Registry

PRESET = "preset"
OPERATION = "operation"
NOTATION = "notation"
KINDS = (*(slot.name for slot in SLOTS), PRESET, NOTATION, OPERATION)
"""What can be listed: the slots, and what plugins bring beside components."""


@frozen(kw_only=True)
class Listed:
    """One thing that can be named.

    Attributes:
        kind: Its slot, or `preset`, `notation`, `operation`.
        name: What is typed.
        summary: One sentence.
        plugin: Who brings it; empty where that is not recorded.
    """

    kind: str
    name: str
    summary: str
    plugin: str = ""


def listing(kind: str | None = None, *, plugins: Sequence[Path] = ()) -> list[Listed]:
    """Return what is installed.

    Args:
        kind: A slot, `preset`, `notation` or `operation`; None: all but the operations, which are many.
        plugins: Files with plugins that are not installed.

    Raises:
        RecipeError: There is no such kind.
        PluginError: A file of `plugins` cannot be used.
    """
    if kind is not None and kind not in KINDS:
        hint = did_you_mean(kind, KINDS) or f"Known: {', '.join(KINDS)}."
        raise RecipeError([Problem(path="", text=f"no slot is called {kind}.", hint=hint)])
    registry = installed(plugins)
    wanted = [kind] if kind else [name for name in KINDS if name != OPERATION]
    return [found for name in wanted for found in _of_kind(registry, name)]


def _of_kind(registry: Registry, kind: str) -> list[Listed]:
    if kind == PRESET:
        presets = registry.presets().values()
        return [Listed(kind=kind, name=one.name, summary=one.summary, plugin=one.plugin) for one in presets]
    if kind == NOTATION:
        notations = registry.translators().values()
        return [Listed(kind=kind, name=one.name, summary=one.summary) for one in notations]
    if kind == OPERATION:
        entries = registry.operations().values()
        return [Listed(kind=kind, name=one.name, summary=_call(one)) for one in entries]
    components = registry.components(kind)
    return [Listed(kind=kind, name=one.name, summary=one.summary, plugin=one.plugin) for one in components]


def _call(entry: Operation) -> str:
    settings = ";".join(f"{key}={write_scalar(value)}" for key, value in entry.settings.items())
    return f"{entry.name}({settings})" if settings else entry.name
