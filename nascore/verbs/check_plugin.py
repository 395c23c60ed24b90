"""Proving a plugin: which checks of the conformance kit there are for it, and what they say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from attrs import frozen

from nascore.component import SLOTS
from nascore.config import settings_of
from nascore.errors import PluginError, Problem, did_you_mean
from nascore.plugin.known import absence, distributions
from nascore.plugin.selection import named
from nascore.run import is_file
from nascore.shell import command_line
from nascore.verbs.asking import installed
from nascore.verbs.plugins import plugins_named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nascore.component import Component
    from nascore.plugin import Plugin, Registry
    from nascore.plugin.selection import Wanted
    from nascore.testing import Outcome

PLUGIN: Final = "plugin"


@frozen(kw_only=True)
class Subject:
    """A plugin as a whole, or one part of it.

    Attributes:
        kind: ``plugin``, or the slot of the part.
        name: The name of the plugin, or the full name of the part.
        registry: Where it is found.
        unfit: Why it cannot be examined; empty: it can.
    """

    kind: str
    name: str
    registry: Registry
    unfit: str = ""

    def outcomes(self) -> Iterator[Outcome]:
        """Run its checks one by one; yields what each said. They import torch, and take seconds."""
        from nascore.engine.device import computing
        from nascore.testing import BY_SLOT, PluginConformance, examined

        kit = {**BY_SLOT, PLUGIN: PluginConformance}
        if self.kind in kit and not self.unfit:
            given = {"component": self.name, "plugin": self.name, "registry": self.registry}
            checks = examined(type("Checked", (kit[self.kind],), given))
            while True:
                # Around each by itself: whoever reads the outcomes must not find torch changed.
                with computing(1):
                    outcome = next(checks, None)
                if outcome is None:
                    return
                yield outcome


def subjects(name: str, *, plugins: Wanted = (), slot: str | None = None) -> list[Subject]:
    """Return what there is to examine under a name: a plugin with all its parts, or the parts of that name.

    Args:
        name: Name of a plugin, of its distribution, or of a component, maybe as ``plugin:name``.
        plugins: A selection of plugins, or files with plugins that are not installed.
        slot: Only components of this slot; None: all.

    Raises:
        PluginError: Nothing is called that, or the plugin cannot be used.
    """
    registry = installed(plugins)
    whole = [one for one in registry.plugins if named(one, [name])]
    parts = [part for one in whole or registry.plugins for part in one.components]
    if whole:
        _refuse_idle(whole)
    else:
        parts = [part for part in parts if name in {part.name, f"{part.plugin}:{part.name}"}]
    chosen = [part for part in parts if slot is None or part.slot == slot]
    if not chosen and (slot is not None or not whole):
        raise _nothing(name, slot, registry, plugins)
    first = [Subject(kind=PLUGIN, name=one.name, registry=registry) for one in whole if slot is None]
    return [*first, *(_of(part, registry) for part in chosen)]


def _of(part: Component, registry: Registry) -> Subject:
    default = settings_of(part.config)[part.argument].default if part.argument else ""
    unfit = f"its setting {part.argument} has no default" if default is None else ""
    # The full name only where it is needed: it begins the sentences.
    name = f"{part.plugin}:{part.name}" if registry.ambiguous(part.slot, part.name) else part.name
    return Subject(kind=part.slot, name=name, registry=registry, unfit=unfit)


def _refuse_idle(plugins: list[Plugin]) -> None:
    problems = [
        Problem(path="", text=f"plugin {one.name} cannot be used: {one.reason}.", hint=one.cure)
        for one in plugins
        if one.status != "ready"
    ]
    if problems:
        raise PluginError(problems)


def _nothing(name: str, slot: str | None, registry: Registry, plugins: Wanted) -> PluginError:
    if slot is not None:
        hint = did_you_mean(name, registry.names(slot)) or f"See nascore list {slot}."
        return PluginError([Problem(path="", text=f"no {slot} is called {name}, nor one of it.", hint=hint)])
    names = {part.name for one in registry.plugins for part in one.components}
    hint = did_you_mean(name, {*names, *registry.words()})
    text = f"no plugin or component is called {name}."
    for one in SLOTS:
        absent = absence(one.name, name, registry)
        if absent is not None:
            text = f"{text} {absent}"
            return PluginError([Problem(path="", text=text, hint=absent.cure, missing=absent.missing)])
    beside = _uninstalled(name)
    if beside:
        return PluginError([Problem(path="", text=text, hint=beside)])
    if name in distributions() or not hint:
        plugins_named(name, plugins)  # raises: says how to install it, or what is installed
    return PluginError([Problem(path="", text=text, hint=hint)])


def _uninstalled(name: str) -> str:
    """Return how what lies in the working folder under this name comes to be a plugin; empty for nothing."""
    if is_file(Path(name) / "pyproject.toml"):
        return f"The folder {name} is not installed: {command_line('pip', 'install', '-e', Path(name))}"
    file = name if name.endswith(".py") else f"{name}.py"
    if not is_file(Path(file)):
        return ""
    check = command_line("nascore", "check-plugin", Path(file).stem, "--with", Path(file))
    return f"For the file {file} write {check}"
