"""Components: how a plugin declares a part without importing its implementation.

A :class:`Component` has a name, a slot, settings, and needs of other parts. ``build`` names the class, which
is imported only when a search is built.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
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
"""Marks the hooks of a plugin: the functions that declare its contents."""

hookspec: Final = pluggy.HookspecMarker("nascore")
"""Marks the specification of a plugin's new hook; ``nascore_addhooks`` yields the module with it."""

MEASURES: Final = ("channels", "cells")
"""The measures of an architecture's size: its width and its number of cells."""

AUTO: Final = "auto"
"""The value of the setting `execution.name` with which the engine chooses an execution for each network."""

SCALES: Final = ("mini", "small", "paper")
"""The scales, the smallest first; the values of ``paper`` are the defaults."""


class Choice(Protocol):
    """The view of the settled recipe that a component's ``check`` gets."""

    def names(self, slot: str) -> tuple[str, ...]:
        """Return the names of the components in a slot."""

    def setting(self, path: str) -> Any:  # noqa: ANN401 - as declared
        """Return the value at a path such as ``trainer.epochs``, or None where there is none."""

    def operations(self) -> Catalogue:
        """Return the installed operations, by name."""

    def mistakes(self, path: str, value: object) -> Sequence[Problem]:
        """Return the problems that a value would have at a path of a component, such as ``space.cells``."""


Settings: TypeAlias = Any  # an instance of the component's own `config`
Wish: TypeAlias = str | tuple[str, Mapping[str, Any]]
"""A component's name, or its name and settings."""


def always(_settings: Settings) -> bool:
    """Return true for all settings."""
    return True


@frozen(kw_only=True)
class Need:
    """A need of a component: at least one of its terms must hold.

    Attributes:
        terms: ``slot.capability``, or ``not slot.capability``.
        why: The reason, for the user whose recipe is refused.
        ask: The need in words, if the terms read badly (as negative ones do):
            "a space whose architectures may hold several operations on an edge".
        when: Returns from the component's settings whether the need applies.
        verdict: ``refused`` or ``warned``.
    """

    terms: tuple[str, ...]
    why: str
    ask: str = ""
    when: Callable[[Settings], bool] = always
    verdict: Verdict = "refused"


@frozen(kw_only=True)
class Give:
    """A capability that depends on the component's settings."""

    capability: str
    when: Callable[[Settings], bool] = always


@frozen(kw_only=True, eq=False)
class Contribution:
    """A value that a plugin yielded for the hook of another plugin.

    Attributes:
        hook: The hook.
        plugin: The plugin that yielded the value.
        value: The value, unchecked: the class that reads it checks it.
        package: The top-level package of that plugin; for a single file, its path.
    """

    hook: str
    plugin: str
    value: Any
    package: str = ""

    def wrong(self, due: str) -> PluginError:
        """Return the error of a wrong value, which names the plugin.

        Args:
            due: The values of the hook, in words: ``a pair of a name and a number above 0``.
        """
        text = f"{self.hook} of the plugin {self.plugin} yields {self.value!r}; the hook expects {due}."
        hint = fault_hint(self.plugin, self.package)
        return PluginError([Problem(path=self.hook, text=text, hint=hint, of_plugin=True)])


def fault_hint(plugin: str, package: str = "") -> str:
    """Return the hint of an error that is a fault of a plugin.

    Args:
        plugin: Its name.
        package: Its top-level package; for a single file, its path.
    """
    if package.endswith(".py"):
        remedy = f"correct the file, or leave out {command_line('--with', package)}"
    else:
        remedy = f"tell its authors, or exclude it with {command_line('--without', plugin)}"
    return f"This is a fault of the plugin {plugin}: {remedy}."


@frozen(kw_only=True, eq=False)
class Component:
    """One component that can fill a slot.

    Attributes:
        name: Its name; lower-case letters, digits, - and _.
        slot: Its slot.
        summary: One sentence.
        build: ``"module:attribute"`` or a callable; its argument is the settings, and a second argument is
            the contributions if the component reads hooks.
        config: The class of its settings; the defaults are the paper's values.
        provides: Its capabilities.
        needs: Its needs of other parts.
        wishes: The components that it works best with, by slot: a wish, or a list of alternatives in order.
            Slots are filled in the order of `SLOTS`, so wishes are only for slots after its own; an observer
            has none.
        mini: The settings that differ at scale ``mini``, a check on a laptop.
        small: The settings that differ at scale ``small``, with which a result means something after an hour
            on one small device; a component with `mini` has them too.
        mini_wishes: The wishes that differ at scale ``mini``, by slot; an empty list for no wish.
        check: A function that yields the problems of values in the settled recipe, for rules beyond types.
        unread: Settings of other parts that have no effect beside this component, each with a text on the
            settings that decide instead: ``{"ranking.epochs": "growth.child_epochs decides"}``; a slot's
            name stands for all its settings. Users who set one get a warning.
        paper: The source of the method and the values.
        argument: The setting that ``VALUE`` in ``NAME:VALUE`` sets (``--space file:chain.yaml``).
        sizes: For a space, the size at which ``evaluate`` trains its architectures, by scale:
            ``{"paper": {"channels": 36, "cells": 20}}``. A missing size is as in the search.
        bounds: Settings that bound the cost of an architecture, each with a function from the settings to the
            kind of cost, `macs` or `params`: ``{"limit": lambda settings: "macs"}``.
        example: The settings for the conformance kit, if the component cannot run with its defaults (such as
            a path to a file in the plugin's package).
        asks: Hooks of plugins whose contributions it reads: ``("acme_priors",)``.
        plugin: Its plugin; set when the plugin is loaded.
        package: The plugin's top-level package; for a single file, its path; set when the plugin is loaded.
        contributions: The values that all selected plugins yielded for each hook in `asks`, in the order of
            the plugins; set when all plugins are loaded.
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
    small: Mapping[str, Any] = Factory(dict)
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
    package: str = ""
    contributions: Mapping[str, tuple[Contribution, ...]] = Factory(dict)

    @property
    def prefix(self) -> str:
        """The start of the ``--set`` paths of its settings; empty for those of the run itself."""
        return next((slot.prefix(self.name) for slot in SLOTS if slot.name == self.slot), "")

    def scaled(self, scale: str) -> Mapping[str, Any]:
        """Return its settings that differ at a scale; none at ``paper``."""
        return {"mini": self.mini, "small": self.small}.get(scale, {})

    def wished(self, slot: str, scale: str) -> list[Wish]:
        """Return its wishes for a slot at a scale, in order."""
        wishes = {**self.wishes, **self.mini_wishes} if scale == "mini" else self.wishes
        wish = wishes.get(slot, [])
        return wish if isinstance(wish, list) else [wish]

    def builder(self) -> Callable[[Settings], Any]:
        """Return the function that builds the component from its settings; imports its module.

        Raises:
            PluginError: The module cannot be imported or has no such attribute.
        """
        build = load(self.build)
        if not self.asks:
            return build
        # A new mapping for each object, which may change it.
        return lambda settings: build(settings, dict(self.contributions))

    def contributors(self) -> tuple[str, ...]:
        """Return the plugins that contributed to the hooks that it reads, each once."""
        return tuple(dict.fromkeys(one.plugin for each in self.contributions.values() for one in each))

    def given(self, settings: Settings) -> frozenset[str]:
        """Return its capabilities with these settings."""
        gives = (Give(capability=item) if isinstance(item, str) else item for item in self.provides)
        return frozenset(give.capability for give in gives if give.when(settings))


@frozen(kw_only=True, eq=False)
class Preset:
    """A recipe in a plugin, named after the result that it reproduces.

    Attributes:
        name: Its name: ``--preset darts-cifar10``.
        summary: One sentence.
        path: The file (a path, or a resource of the plugin's package).
        text: The recipe itself, instead of a file.
        plugin: Its plugin; set when the plugin is loaded.
    """

    name: str
    summary: str
    path: Traversable | None = None
    text: str | None = None
    plugin: str = ""

    def read(self) -> str:
        """Return the recipe's text.

        Raises:
            PluginError: There is no text, or it is not a string.
        """
        text: object = self.text
        if text is None:
            if self.path is None:
                raise PluginError(f"preset {self.name} has neither a path nor a text")
            text = self.path.read_text(encoding="utf-8")
        if not isinstance(text, str):
            raise PluginError(f"the text of preset {self.name} must be a str, not {type(text).__name__}")
        return text


@frozen(kw_only=True, eq=False)
class Command:
    """A verb that a plugin adds to the command line.

    Attributes:
        name: Its name: ``nascore NAME``.
        summary: One sentence for ``nascore --help``.
        build: ``"module:attribute"`` of a click command, or the command itself.
        plugin: Its plugin; set when the plugin is loaded.
    """

    name: str
    summary: str
    build: str | Callable[..., Any]
    plugin: str = ""


@frozen(kw_only=True, eq=False)
class ImageReader:
    """Reads image files for `nascore predict`.

    Attributes:
        name: Its name.
        suffixes: The suffixes of its files in lower case, such as ``.png``.
        read: ``"module:function"``, called as ``read(path, shape, settings)``: a file, the channels, height
            and width of the images of a run, and the settings of the run's data set by name. It returns the
            image as uint8 [C, H, W], prepared as the data set prepares its own, and raises a ValueError or an
            OSError with the reason if it cannot.
    """

    name: str
    suffixes: tuple[str, ...]
    read: str | Callable[..., Any]


@frozen(kw_only=True, eq=False)
class Execution:
    """A way in which networks compute, for the setting `execution.name`.

    Attributes:
        name: Its name.
        summary: One sentence.
        build: ``"module:attribute"`` of a class, or the class itself, that implements
            `nascore.nn.execution.Execution`; it is called with the operations and the gates of a network.
        check: ``"module:function"``, or the function itself, that yields the problems that prevent its use on
            this machine, such as a library that is not built; None: it can always be used.
        plugin: Its plugin; set when the plugin is loaded.
    """

    name: str
    summary: str
    build: str | Callable[..., Any]
    check: str | Callable[[], Iterable[Problem]] | None = None
    plugin: str = ""


def load(build: str | Callable[..., Any]) -> Callable[..., Any]:
    """Return the callable that builds a component, imported if it is given by name.

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
