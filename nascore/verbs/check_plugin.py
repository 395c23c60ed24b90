"""Checks a plugin: selects the conformance checks of its parts, and runs them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from attrs import Factory, frozen

from nascore.config import Node, SettingsOwner, merge, mistakes, settings_of, wrap
from nascore.errors import Origin, PluginError, Problem, RecipeError, did_you_mean
from nascore.plugin.known import absence, distributions
from nascore.plugin.plugin import named
from nascore.recipe.sources.names import typed_value
from nascore.run import is_file
from nascore.shell import command_line
from nascore.slots import SLOTS
from nascore.verbs.plugins import plugins_named
from nascore.verbs.resolution import installed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nascore.component import Component
    from nascore.description import Operation
    from nascore.plugin import Plugin, Registry
    from nascore.plugin.plugin import Wanted
    from nascore.testing import Outcome


def settings_for(parts: Sequence[Component], sets: Iterable[str]) -> dict[Component, Mapping[str, Node]]:
    """Return the settings of each part.

    Args:
        parts: The components to examine.
        sets: Each ``SETTING=VALUE``, for all parts that have the setting, or ``PART.SETTING=VALUE``, where
            ``PART`` is the name of a component or of its slot.

    Raises:
        RecipeError: No part has such a setting, or a value is not allowed; all problems at once.
    """
    nodes = {part: wrap({}, Origin(kind="set", flag="--set")) for part in parts}
    problems: list[Problem] = []
    for text in sets:
        origin = Origin(kind="set", flag="--set", value=text)
        path, equals, value = text.partition("=")
        if not equals or not path.strip() or not value.strip():
            wrong = f"{text!r} is not of the form SETTING=VALUE."
            problems.append(Problem(path=path, text=wrong, origin=origin))
            continue
        takers = {part: words for part in parts if (words := _within(part, path.strip().split(".")))}
        if not takers:
            problems.append(_untaken(path, parts, origin))
        for part, words in takers.items():
            node = typed_value(value, origin)
            for word in reversed(words):
                node = Node(value={word: node}, origin=origin, key=origin)
            problems += mistakes(part.config, node, SettingsOwner(owner=part.name, path=part.slot))
            nodes[part] = merge(nodes[part], node)
    if problems:
        raise RecipeError(problems)
    return {part: node.value if isinstance(node.value, dict) else {} for part, node in nodes.items()}


def _within(part: Component, words: list[str]) -> list[str]:
    """Return the words of a setting's path without the part's name; empty if the part has no such setting."""
    declared = settings_of(part.config)
    while words and words[0] not in declared and words[0] in {part.slot, part.name}:
        words = words[1:]
    return words if words and words[0] in declared else []


def _untaken(path: str, parts: Sequence[Component], origin: Origin) -> Problem:
    known = [name for part in parts for name in settings_of(part.config)]
    hint = did_you_mean(path.rpartition(".")[2], known)
    return Problem(path=path, text="no examined part has this setting.", origin=origin, hint=hint)


PLUGIN: Final = "plugin"
OPERATION: Final = "operation"


@frozen(kw_only=True)
class Subject:
    """A plugin or one of its parts, to be examined.

    Attributes:
        kind: ``plugin``, ``operation``, or the slot of the part.
        name: The name of the plugin, or the full name of the part.
        registry: The registry that holds it.
        settings: Settings of the part, which override those of its example.
        unfit: The reason why it cannot be examined; empty if it can.
    """

    kind: str
    name: str
    registry: Registry
    settings: Mapping[str, Node] = Factory(dict)
    unfit: str = ""

    def outcomes(self) -> Iterator[Outcome]:
        """Run the checks, and yield the outcome of each. They import torch, and take seconds."""
        from nascore.engine.device import computing
        from nascore.testing import BY_KIND, examined

        if self.kind in BY_KIND and not self.unfit:
            given = {
                "component": self.name,
                "plugin": self.name,
                "registry": self.registry,
                "settings": self.settings,
            }
            checks = examined(type("Checked", (BY_KIND[self.kind],), given))
            while True:
                # One context per check: between outcomes the caller must find torch's settings unchanged.
                with computing(1):
                    outcome = next(checks, None)
                if outcome is None:
                    return
                yield outcome


def subjects(
    name: str, *, plugins: Wanted = (), slot: str | None = None, sets: Sequence[str] = ()
) -> list[Subject]:
    """Return the subjects with a name: a plugin with all its parts, or the parts of that name.

    Args:
        name: Name of a plugin, of its distribution, of a component, or of an operation; a part may be named
            ``plugin:name``.
        plugins: A selection of plugins, or files with plugins that are not installed.
        slot: Only components of this slot, or ``operation``; None: all.
        sets: Settings of the examined parts, each as ``SETTING=VALUE`` or ``PART.SETTING=VALUE``.

    Raises:
        PluginError: No plugin or part has that name, or the plugin cannot be used.
        RecipeError: No examined part has such a setting, or a value is not allowed.
    """
    registry = installed(plugins)
    whole = [one for one in registry.plugins if named(one, [name])]
    if whole:
        _refuse_idle(whole)
    brought = [one for one in whole or registry.plugins if one.status == "ready"]
    parts = [part for one in brought for part in one.components if whole or _called(part, one, name)]
    operations = [(one, op) for one in brought for op in one.operations if whole or _called(op, one, name)]
    chosen = [part for part in parts if slot is None or part.slot == slot]
    ops = operations if slot in {None, OPERATION} else []
    if not chosen and not ops and (slot is not None or not whole):
        raise _nothing(name, slot, registry, plugins)
    given = settings_for(chosen, sets)
    first = [Subject(kind=PLUGIN, name=one.name, registry=registry) for one in whole if slot is None]
    return [
        *first,
        *(_of(part, registry, given[part]) for part in chosen),
        *(_of_operation(plugin, op, registry) for plugin, op in ops),
    ]


def _called(one: Component | Operation, plugin: Plugin, name: str) -> bool:
    return name in {one.name, f"{plugin.name}:{one.name}"}


def _of(part: Component, registry: Registry, settings: Mapping[str, Node]) -> Subject:
    default = settings_of(part.config)[part.argument].default if part.argument else ""
    lacking = default is None and part.argument not in {*part.example, *settings}
    unfit = f"its setting {part.argument} has no default: set it with --set {part.argument}=VALUE"
    # The full name begins many sentences: use it only if the short one is ambiguous.
    name = f"{part.plugin}:{part.name}" if registry.ambiguous(part.slot, part.name) else part.name
    return Subject(
        kind=part.slot, name=name, registry=registry, settings=settings, unfit=unfit if lacking else ""
    )


def _of_operation(plugin: Plugin, operation: Operation, registry: Registry) -> Subject:
    several = operation.name not in registry.operations()
    name = f"{plugin.name}:{operation.name}" if several else operation.name
    return Subject(kind=OPERATION, name=name, registry=registry)


def _refuse_idle(plugins: list[Plugin]) -> None:
    problems = [
        Problem(path="", text=f"plugin {one.name} cannot be used: {one.reason.rstrip('.')}.", hint=one.cure)
        for one in plugins
        if one.status != "ready"
    ]
    if problems:
        raise PluginError(problems)


def _nothing(name: str, slot: str | None, registry: Registry, plugins: Wanted) -> PluginError:
    if slot is not None:
        known = registry.operations() if slot == OPERATION else registry.names(slot)
        hint = did_you_mean(name, known) or f"See nascore list {slot}."
        text = f"no {slot} is called {name}, and no plugin {name} has one."
        return PluginError([Problem(path="", text=text, hint=hint)])
    names = {part.name for one in registry.plugins for part in one.components} | {*registry.operations()}
    hint = did_you_mean(name, {*names, *registry.words()})
    text = f"no plugin or component is called {name}."
    for one in SLOTS:
        absent = absence(one.name, name, registry.plugins)
        if absent is not None:
            text = f"{text} {absent}"
            return PluginError([Problem(path="", text=text, hint=absent.cure, missing=absent.missing)])
    beside = _uninstalled(name)
    if beside:
        return PluginError([Problem(path="", text=text, hint=beside)])
    if name in distributions() or not hint:
        plugins_named(name, plugins)  # raises with the installation command, or with the installed plugins
    return PluginError([Problem(path="", text=text, hint=hint)])


def _uninstalled(name: str) -> str:
    """Return how to use a folder or file of this name as a plugin; empty if the working folder has none."""
    if is_file(Path(name) / "pyproject.toml"):
        return f"The folder {name} is not installed: {command_line('pip', 'install', '-e', Path(name))}"
    file = name if name.endswith(".py") else f"{name}.py"
    if not is_file(Path(file)):
        return ""
    check = command_line("nascore", "check-plugin", Path(file).stem, "--with", Path(file))
    return f"For the file {file} write {check}"
