"""What rules a plugin out before its module is touched: its name, and the nascore that it asks for."""

from __future__ import annotations

import re
from collections import defaultdict
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Final

from attrs import evolve

from nascore.plugin.selection import CORE, same_distribution
from nascore.shell import command_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nascore.plugin.plugin import Plugin

NAME: Final = "[A-Za-z0-9_][A-Za-z0-9_.-]*"
"""A plugin's name, as a regular expression."""
_OF_CORE: Final = re.compile(r"\s*nascore(?![\w.-])", re.IGNORECASE)


def is_name(text: str) -> bool:
    """Return whether a text can be the name of a plugin, which is typed as ``PLUGIN:NAME``."""
    return re.fullmatch(NAME, text) is not None


def misnamed(plugin: Plugin) -> Plugin:
    """Return a plugin, broken where its name cannot be typed as ``PLUGIN:NAME``."""
    if is_name(plugin.name):
        return plugin
    reason = f"{plugin.name!r} is no name of a plugin: letters, digits, -, _ and . are"
    whose = "Rename the file." if plugin.is_file else "Its authors have to rename its entry point."
    return evolve(plugin, status="broken", reason=reason, cure=whose)


def foreign(plugin: Plugin, requires: Iterable[str]) -> Plugin:
    """Return a plugin, foreign where its distribution asks for another version of the core.

    Args:
        plugin: The plugin.
        requires: The lines ``Requires-Dist`` of its distribution.
    """
    lines = [line for line in requires if _OF_CORE.match(line)]
    if not lines:
        return plugin
    try:
        core = version(CORE)
    except PackageNotFoundError:  # started from a source tree: nothing says which version it is
        return plugin
    # Takes as long to import as all plugins together: only where one says what it asks for.
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415

    for line in lines:
        try:
            asked = Requirement(line)
        except InvalidRequirement:
            reason = f"its distribution's line 'Requires-Dist: {line}' cannot be read"
            return evolve(plugin, status="broken", reason=reason, cure="Its authors have to correct it.")
        applies = asked.marker is None or asked.marker.evaluate({"extra": ""})
        if applies and not asked.specifier.contains(core, prereleases=True):
            reason = (
                f"{plugin.distribution} {plugin.version} is for {CORE}{asked.specifier}, and this is {core}"
            )
            newer = command_line("pip", "install", "--upgrade", plugin.distribution)
            cure = f"{newer}, or {command_line('pip', 'install', f'{CORE}{asked.specifier}')}"
            return evolve(plugin, status="foreign", reason=reason, cure=cure)
    return plugin


def apart(plugins: Sequence[Plugin]) -> list[Plugin]:
    """Return plugins, with those of one name marked as clashing; only the core's own keeps its name.

    Args:
        plugins: Those that would be loaded; others count for nothing.
    """
    by_name: dict[str, list[Plugin]] = defaultdict(list)
    for plugin in plugins:
        if plugin.status == "ready":
            by_name[plugin.name].append(plugin)
    return [
        _clash(plugin, by_name[plugin.name])
        if len(by_name.get(plugin.name, ())) > 1 and plugin.status == "ready" and not _of_core(plugin)
        else plugin
        for plugin in plugins
    ]


def _clash(plugin: Plugin, same: Sequence[Plugin]) -> Plugin:
    whose = [_whose(one) for one in same]
    reason = f"{len(same)} plugins are called {plugin.name}: {' and '.join(whose)}"
    distributions = sorted({one.distribution for one in same if one.distribution and not _of_core(one)})
    ways = [command_line("--without", name) for name in distributions]
    if any(one.is_file for one in same):
        ways.append("another name for the file")
    if len(distributions) == 1 and len(same) > 1 and not any(one.is_file or _of_core(one) for one in same):
        ways = [f"tell the authors of {distributions[0]}"]
    text = " or ".join(ways) or "uninstall one of them"
    return evolve(plugin, status="clash", reason=reason, cure=f"{text[0].upper()}{text[1:]}.")


def _whose(plugin: Plugin) -> str:
    if plugin.distribution:
        return f"{plugin.distribution} {plugin.version}".rstrip()
    return plugin.value


def _of_core(plugin: Plugin) -> bool:
    return same_distribution(plugin.distribution, CORE)
