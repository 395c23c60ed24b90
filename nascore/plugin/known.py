"""Names that known plugins provide, for hints at plugins that are missing or not ready."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from attrs import frozen

from nascore.plugin.plugin import named, same_distribution

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nascore.plugin.plugin import Plugin

_FILE: Final = "distributions.json"


@cache
def distributions() -> Mapping[str, Mapping[str, Sequence[str]]]:
    """Return the names that the distributions of nascore's own repository provide.

    Only these distributions appear in installation commands: anyone could publish an unused name, and the
    command would install their package. ``tests/helpers/made_distributions.py`` writes the file from the
    metadata of the distributions.

    Returns:
        By distribution: its names, by slot or by `preset`, `notation`, `verb`, `execution`.
    """
    text = files("nascore.plugin").joinpath(_FILE).read_text(encoding="utf-8")
    found: dict[str, dict[str, list[str]]] = json.loads(text)
    return found


def provider(kind: str, name: str) -> str:
    """Return the known distribution that provides a name; empty where none does.

    Args:
        kind: A slot (also one that plugins add: `growth`, `regularizer`), `preset`, `verb`,
            `notation` or `execution`.
        name: The requested name.
    """
    found = (
        distribution for distribution, brought in distributions().items() if name in brought.get(kind, ())
    )
    return next(found, "")


_STATES: Final = {
    "blocked": "is switched off",
    "broken": "is broken",
    "clash": "clashes with another plugin",
    "foreign": "is made for a different version of nascore",
}
_DOCTOR: Final = "Run nascore plugins doctor."


@frozen(kw_only=True)
class Absence:
    """The reason why a name is unknown although a known plugin provides it.

    Attributes:
        who: The plugin, or the distribution.
        state: Its state: ``is broken: ImportError``.
        cure: How to make it ready.
        missing: The distribution, if it is not installed.
    """

    who: str
    state: str
    cure: str
    missing: str = ""

    def __str__(self) -> str:
        return f"{self.who} provides it but {self.state}." if self.missing else f"{self.who} {self.state}."


def absence(kind: str, name: str, plugins: Sequence[Plugin]) -> Absence | None:
    """Return why a name is unknown although a known plugin provides it; None where no known plugin does.

    Args:
        kind: As for :func:`provider`.
        name: The requested name, or ``plugin:name``.
        plugins: The installed plugins.
    """
    owner, _, bare = name.rpartition(":")
    distribution = provider(kind, bare)
    of_owner = [(one, one.name) for one in plugins if owner and one.name == owner]
    installed = [one for one in plugins if same_distribution(distribution, one.distribution)]
    for plugin, who in (*of_owner, *((one, distribution) for one in installed)):
        if plugin.status != "ready":
            return Absence(who=who, state=state_of(plugin), cure=plugin.cure or _DOCTOR)
    of_same_name = () if owner or distribution else plugins
    for plugin in of_same_name:
        if plugin.status != "ready" and named(plugin, [bare]):
            return Absence(who=plugin.name, state=state_of(plugin), cure=plugin.cure or _DOCTOR)
    if not distribution or of_owner or installed:
        return None
    cure = f"pip install {distribution}"
    return Absence(who=distribution, state="is not installed", cure=cure, missing=distribution)


def switched_off(plugins: Iterable[Plugin]) -> str:
    """Return a sentence on the plugins that --without or NASCORE_WITHOUT names; empty if there are none.

    The plugins of nascore's own repository are left out, since their names are known.
    """
    off = [one for one in plugins if one.status == "blocked" and not one.reason.startswith("--only")]
    texts = [f"{one.name} ({one.reason})" for one in off if one.distribution not in distributions()]
    if not texts:
        return ""
    return f"It may belong to a plugin that is switched off: {', '.join(texts)}."


def state_of(plugin: Plugin) -> str:
    """Return the state of a plugin that is not ready, with the reason."""
    return f"{_STATES[plugin.status]}: {plugin.reason}".rstrip(".: ")
