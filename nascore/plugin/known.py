"""Names that known but missing or broken plugins provide, for the advice in messages."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from attrs import frozen

from nascore.plugin.plugin import same_distribution

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nascore.plugin.plugin import Plugin
    from nascore.plugin.registry import Registry

_FILE: Final = "distributions.json"


@cache
def distributions() -> Mapping[str, Mapping[str, Sequence[str]]]:
    """Return what the distributions of nascore's own repository bring.

    Only these are named in an installation line. A name that nobody has published could be taken by anyone,
    and then the line would install theirs. ``tests/helpers/made_distributions.py`` writes the file from the
    metadata of the distributions.

    Returns:
        By distribution: the names that it brings, by slot or by `preset`, `notation`, `verb`.
    """
    text = files("nascore.plugin").joinpath(_FILE).read_text(encoding="utf-8")
    found: dict[str, dict[str, list[str]]] = json.loads(text)
    return found


def bringer(kind: str, name: str) -> str:
    """Return the distribution that is known to bring a name; empty where none is.

    Args:
        kind: A slot (also one that plugins add: `growth`, `regularizer`), `preset`, `verb` or `notation`.
        name: What was asked for.
    """
    found = (
        distribution for distribution, brought in distributions().items() if name in brought.get(kind, ())
    )
    return next(found, "")


_STATES: Final = {
    "blocked": "is switched off",
    "broken": "is broken",
    "clash": "clashes with another plugin",
    "foreign": "is made for another version of nascore",
}
_DOCTOR: Final = "Run nascore plugins doctor."


@frozen(kw_only=True)
class Absence:
    """Why a name stands for nothing, though somebody is known to bring it.

    Attributes:
        who: The plugin, or the distribution.
        state: What it is instead of ready: ``is broken: ImportError``.
        cure: What to do about that.
        missing: The distribution, where it is not installed.
    """

    who: str
    state: str
    cure: str
    missing: str = ""

    def __str__(self) -> str:
        return f"{self.who} brings it and {self.state}." if self.missing else f"{self.who} {self.state}."


def absence(kind: str, name: str, registry: Registry) -> Absence | None:
    """Return why nothing has a name that somebody is known to bring; None where nobody is.

    Args:
        kind: As for :func:`bringer`.
        name: What was asked for, maybe as ``plugin:name``.
        registry: What is installed.
    """
    owner, _, bare = name.rpartition(":")
    distribution = bringer(kind, bare)
    of_owner = [(one, one.name) for one in registry.plugins if owner and one.name == owner]
    installed = [one for one in registry.plugins if same_distribution(distribution, one.distribution)]
    for plugin, who in (*of_owner, *((one, distribution) for one in installed)):
        if plugin.status != "ready":
            return Absence(who=who, state=state_of(plugin), cure=plugin.cure or _DOCTOR)
    if not distribution or of_owner or installed:
        return None
    cure = f"pip install {distribution}"
    return Absence(who=distribution, state="is not installed", cure=cure, missing=distribution)


def state_of(plugin: Plugin) -> str:
    """Say what a plugin is that is not ready, and why."""
    return f"{_STATES[plugin.status]}: {plugin.reason}".rstrip(".: ")
