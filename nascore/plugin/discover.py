"""Finds plugins: installed ones by their entry point, single files, and networks from Python."""

from __future__ import annotations

from functools import partial
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Final

from attrs import evolve, frozen

from nascore.files import given_path
from nascore.plugin.compatibility import foreign, mark_clashes, misnamed
from nascore.plugin.hooks import collect
from nascore.plugin.loading import called, checked_module, file_module, or_broken
from nascore.plugin.network_file import NetworkFile, parts_of
from nascore.plugin.network_object import NetworkObject, operation_name
from nascore.plugin.plugin import NETWORK, Plugin, Selection
from nascore.plugin.registry import Registry
from nascore.plugin.underway import forget
from nascore.slots import BUILTIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from importlib.metadata import EntryPoint
    from pathlib import Path

    from nascore.plugin.plugin import Wanted

GROUP: Final = "nascore"


@frozen(kw_only=True)
class _Candidate:
    """A found plugin, with a function that imports its module."""

    plugin: Plugin
    load: Callable[[], object]


def discover(wanted: Wanted = (), *, entries: Iterable[EntryPoint] | None = None) -> Registry:
    """Find and load plugins, and return them in a registry.

    Args:
        wanted: Python files with hooks, named by their stems; or a selection, which can also exclude
            installed plugins.
        entries: The entry points to load instead of all installed ones of the group ``nascore``.

    Returns:
        A registry. A plugin that is not ready is empty and has a reason.
    """
    selection = Selection.of(wanted)
    found = entry_points(group=GROUP) if entries is None else entries
    files = dict.fromkeys(map(given_path, selection.files))
    candidates = [
        *_installed(found, selection),
        *(_file(file, selection) for file in files),
        *map(_network, selection.networks),
    ]
    plugins = mark_clashes([candidate.plugin for candidate in candidates])
    modules: dict[str, object] = {}
    imported = [
        called(plugin, partial(_import, plugin, candidate.load, modules))
        if plugin.status == "ready"
        else plugin
        for plugin, candidate in zip(plugins, candidates, strict=True)
    ]
    ready = {plugin: modules[plugin.name] for plugin in imported if plugin.status == "ready"}
    filled = dict(zip(ready, collect(ready, others=plugins), strict=True))
    forget(imported)
    return Registry(filled.get(plugin, plugin) for plugin in imported)


def _import(plugin: Plugin, load: Callable[[], object], modules: dict[str, object]) -> Plugin:
    # The names of imported plugins are unique.
    modules[plugin.name] = checked_module(plugin, load())
    return plugin


def _installed(entries: Iterable[EntryPoint], selection: Selection) -> list[_Candidate]:
    # One distribution may be found twice on sys.path: equal entries are dropped. The core's own comes first.
    unique: dict[tuple[bool, str, str, str], _Candidate] = {}
    for entry in entries:
        candidate = _entry(entry, selection)
        key = (entry.name != BUILTIN, entry.name, entry.value, candidate.plugin.distribution)
        unique.setdefault(key, candidate)
    return [unique[key] for key in sorted(unique)]


def _entry(entry: EntryPoint, selection: Selection) -> _Candidate:
    plugin = Plugin(name=entry.name, value=entry.value)
    requires: list[str] = []

    def with_distribution() -> Plugin:
        if entry.dist is None:
            return plugin
        # Read once: each property of the distribution parses the whole file again.
        metadata = entry.dist.metadata
        requires.extend(metadata.get_all("Requires-Dist") or [])
        return evolve(plugin, distribution=metadata["Name"], version=metadata["Version"])

    checked = or_broken(plugin, with_distribution)
    if checked.status == "ready":
        checked = selection.blocked_unless_wanted(checked)
    if checked.status == "ready":
        checked = or_broken(checked, partial(_fit, checked, requires))
    return _Candidate(plugin=checked, load=entry.load)


def _fit(plugin: Plugin, requires: Iterable[str]) -> Plugin:
    named = misnamed(plugin)
    return foreign(named, requires) if named.status == "ready" else named


def _file(path: Path, selection: Selection) -> _Candidate:
    found = parts_of(str(path))
    name = path.stem if found is None else f"{found[0].stem}.{found[1]}"
    plugin = misnamed(Plugin(name=name, value=str(path)))
    checked = selection.blocked_unless_wanted(plugin) if plugin.status == "ready" else plugin
    return _Candidate(
        plugin=checked, load=partial(file_module, path) if found is None else partial(NetworkFile, str(path))
    )


def _network(network: object) -> _Candidate:
    name = operation_name(network)
    return _Candidate(
        plugin=Plugin(name=name, value=f"{NETWORK}.{name}"), load=partial(NetworkObject, network)
    )
