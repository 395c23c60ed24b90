"""Components: how a plugin declares a part without importing its implementation.

A :class:`Component` says what a part is called, which slot it fills, what it needs of the other parts and
which settings it has. ``build`` names the class, which is imported only when a search is built.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

import pluggy
from attrs import Factory, frozen

from nascore.config import NoSettings
from nascore.errors import PluginError, Problem, Verdict
from nascore.shell import command_line
from nascore.slots import SLOTS

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from nascore.description import Catalogue

hookimpl: Final = pluggy.HookimplMarker("nascore")
"""Marks the functions through which a plugin says what it brings."""

hookspec: Final = pluggy.HookspecMarker("nascore")
"""Marks the specification of a hook that a plugin adds; ``nascore_addhooks`` yields what holds it."""

MEASURES: Final = ("channels", "cells")
"""What the size of an architecture is: the unit of its width, and the number of its cells."""

SIZED: Final = ("paper", "mini")
"""The scales for which a space declares one."""


class Choice(Protocol):
    """What a component's ``check`` sees of the finished recipe."""

    def names(self, slot: str) -> tuple[str, ...]:
        """The names of what fills a slot."""

    def setting(self, path: str) -> Any:  # noqa: ANN401 - as declared
        """The value at a path such as ``trainer.epochs``, or None where there is none."""

    def operations(self) -> Catalogue:
        """The operations that are installed, by name."""


Settings: TypeAlias = Any  # an instance of the component's own `config`
Wish: TypeAlias = str | tuple[str, Mapping[str, Any]]
"""A component's name, or its name and the settings that are wished with it."""


def always(_settings: Settings) -> bool:
    """Hold whatever the settings are."""
    return True


@frozen(kw_only=True)
class Need:
    """At least one of the terms must hold.

    Attributes:
        terms: ``slot.capability``, or ``not slot.capability``.
        why: The reason, for the one whose recipe is refused.
        ask: The need in words, wherever the terms read badly (as negative ones do):
            "a space whose architectures may hold several operations on an edge".
        when: Says from the component's own settings whether it is needed at all.
        verdict: ``refused`` or ``warned``.
    """

    terms: tuple[str, ...]
    why: str
    ask: str = ""
    when: Callable[[Settings], bool] = always
    verdict: Verdict = "refused"


@frozen(kw_only=True)
class Give:
    """A capability that depends on the component's own settings."""

    capability: str
    when: Callable[[Settings], bool] = always


@frozen(kw_only=True, eq=False)
class Contribution:
    """A value that a plugin yielded for a hook that a plugin added.

    Attributes:
        hook: The hook.
        plugin: The plugin that yielded it.
        value: The value, as it was yielded; the class that reads it checks it.
        package: The top-level package of that plugin; of a single file its path.
    """

    hook: str
    plugin: str
    value: Any
    package: str = ""

    def wrong(self, due: str) -> PluginError:
        """Return the error of a value that is not what its hook asks for; it names the plugin.

        Args:
            due: What the hook asks for, in words: ``a pair of a name and a number above 0``.
        """
        text = f"{self.hook} of the plugin {self.plugin} yields {self.value!r}, and the hook asks for {due}."
        without = command_line("--without", self.plugin)
        hint = f"A mistake of the plugin {self.plugin}: tell its authors, or leave it out with {without}."
        return PluginError([Problem(path=self.hook, text=text, hint=hint, of_plugin=True)])


@frozen(kw_only=True, eq=False)
class Component:
    """One part that can fill a slot.

    Attributes:
        name: What is typed; letters, digits and dashes.
        slot: The slot that it fills.
        summary: One sentence.
        build: ``"module:attribute"`` or a callable; called with the settings as its one argument, and with
            the contributions as a second one if the component asks for hooks.
        config: The class of its settings; the defaults are the paper's values.
        provides: Capabilities that it has.
        needs: What it needs of the others.
        wishes: What it works best with, by slot: a wish, or a list of alternatives in order. Slots are filled
            in the order of `SLOTS`, so it wishes only for slots after its own; an observer for none.
        mini: Settings that change at the scale ``mini``.
        mini_wishes: What it wishes instead at the scale ``mini``, by slot; an empty list: nothing.
        check: Rules on values that the types cannot say; sees the finished recipe.
        unread: Settings of others that nothing reads while it fills its slot, each with what decides instead:
            ``{"training.epochs": "growth.child_epochs"}``; a whole slot by its name. Who sets one is warned.
        paper: Where the method and the values come from.
        argument: The setting that ``NAME:VALUE`` fills (``--space file:chain.yaml``).
        sizes: Of a space, the size at which ``evaluate`` trains an architecture of it, by scale:
            ``{"paper": {"channels": 36, "cells": 20}}``. What is left out is as it was searched.
        bounds: Settings that bound what an architecture costs, each with a function that returns for the
            settings of which cost, `macs` or `params`: ``{"limit": lambda settings: "macs"}``.
        example: Settings that the conformance kit examines it with, where it cannot work with its defaults
            (a path to a file that the plugin has with it).
        asks: Hooks, added by plugins, whose contributions it is built with: ``("acme_priors",)``.
        plugin: The plugin that brought it; filled in when the plugin is loaded.
        contributions: By hook that it asks for, what all selected plugins yielded, in the order of the
            plugins; filled in when all plugins are loaded.
    """

    name: str
    slot: str
    summary: str
    build: str | Callable[[Any], Any]
    config: type = NoSettings
    provides: tuple[str | Give, ...] = ()
    needs: tuple[Need, ...] = ()
    wishes: Mapping[str, Wish | list[Wish]] = Factory(dict)
    mini: Mapping[str, Any] = Factory(dict)
    mini_wishes: Mapping[str, Wish | list[Wish]] = Factory(dict)
    check: Callable[[Any, Choice], Iterable[Problem]] | None = None
    unread: Mapping[str, str] = Factory(dict)
    paper: str = ""
    argument: str | None = None
    sizes: Mapping[str, Mapping[str, int]] = Factory(dict)
    bounds: Mapping[str, Callable[[Any], str]] = Factory(dict)
    example: Mapping[str, Any] = Factory(dict)
    asks: tuple[str, ...] = ()
    plugin: str = ""
    contributions: Mapping[str, tuple[Contribution, ...]] = Factory(dict)

    @property
    def prefix(self) -> str:
        """The start of the ``--set`` paths of its settings; empty for those of the run itself."""
        return next((slot.prefix(self.name) for slot in SLOTS if slot.name == self.slot), "")

    def wished(self, slot: str, scale: str) -> list[Wish]:
        """Return what it wishes for a slot at a scale, in order."""
        wishes = {**self.wishes, **self.mini_wishes} if scale == "mini" else self.wishes
        wish = wishes.get(slot, [])
        return wish if isinstance(wish, list) else [wish]

    def builder(self) -> Callable[[Settings], Any]:
        """Return the function that builds it with its settings; its module is imported now.

        Raises:
            PluginError: The module cannot be imported or has no such attribute.
        """
        build = load(self.build)
        if not self.asks:
            return build
        # A mapping for each: what one object does to it must not reach the next.
        return lambda settings: build(settings, dict(self.contributions))

    def contributors(self) -> tuple[str, ...]:
        """Return the plugins that contributed to the hooks that it asks for, each once."""
        return tuple(dict.fromkeys(one.plugin for each in self.contributions.values() for one in each))

    def given(self, settings: Settings) -> frozenset[str]:
        """Return the capabilities that it has with these settings."""
        gives = (Give(capability=item) if isinstance(item, str) else item for item in self.provides)
        return frozenset(give.capability for give in gives if give.when(settings))


@frozen(kw_only=True, eq=False)
class Preset:
    """A recipe inside a plugin, named by what it reproduces.

    Attributes:
        name: What is typed: ``--preset darts-cifar10``.
        summary: One sentence.
        path: The file (a path, or a resource of the plugin's package); or else
        text: the recipe itself.
        plugin: The plugin that brought it; filled in when the plugin is loaded.
    """

    name: str
    summary: str
    path: Traversable | None = None
    text: str | None = None
    plugin: str = ""

    def read(self) -> str:
        """Return the recipe's text.

        Raises:
            PluginError: There is none, or it is no text.
        """
        text: object = self.text
        if text is None:
            if self.path is None:
                raise PluginError(f"preset {self.name} has neither a path nor a text")
            text = self.path.read_text(encoding="utf-8")
        if not isinstance(text, str):
            raise PluginError(f"the text of preset {self.name} is no str but {type(text).__name__}")
        return text


@frozen(kw_only=True, eq=False)
class Command:
    """A verb that a plugin adds to the command line.

    Attributes:
        name: What is typed: ``nascore NAME``.
        summary: One sentence for ``nascore --help``.
        build: ``"module:attribute"`` of a click command, or the command itself.
        plugin: The plugin that brought it; filled in when the plugin is loaded.
    """

    name: str
    summary: str
    build: str | Callable[..., Any]
    plugin: str = ""


def load(build: str | Callable[..., Any]) -> Callable[..., Any]:
    """Return what a component is built with, imported now where it was only named.

    Args:
        build: ``"module:attribute"`` or a callable.

    Raises:
        PluginError: The module cannot be imported or has no such attribute.
    """
    if not isinstance(build, str):
        return build
    module, colon, name = build.partition(":")
    if not (module and colon and name):
        raise PluginError(f"{build!r} is not of the form 'module:attribute'.")
    try:
        found: Callable[..., Any] = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise PluginError(f"{build} cannot be loaded: {error}") from error
    return found
