"""The hooks: through which function a plugin says what it brings.

All have one form: no arguments, an iterable of declarations. Each is called once, when plugins are loaded,
so a plugin imports nothing heavy for it::

    from nascore.api import Component, hookimpl

    @hookimpl
    def nascore_updaters():
        yield Component(name="mine", slot="updater", summary="...", build="my_package.updater:Mine")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

    from nascore.component import Command, Component, Preset
    from nascore.description import Operation
    from nascore.description.translate import Translator

hookspec = pluggy.HookspecMarker("nascore")


@hookspec
def nascore_spaces() -> Iterable[Component]:  # type: ignore[empty-body]
    """Search spaces."""


@hookspec
def nascore_growths() -> Iterable[Component]:  # type: ignore[empty-body]
    """Outer loops: which architectures are made, and from which others."""


@hookspec
def nascore_updaters() -> Iterable[Component]:  # type: ignore[empty-body]
    """Rules that move the architecture parameters."""


@hookspec
def nascore_trainers() -> Iterable[Component]:  # type: ignore[empty-body]
    """Steppers that train weights and architecture together."""


@hookspec
def nascore_relaxations() -> Iterable[Component]:  # type: ignore[empty-body]
    """Maps from architecture parameters to mixtures."""


@hookspec
def nascore_regularizers() -> Iterable[Component]:  # type: ignore[empty-body]
    """Penalties on architecture parameters and mixture."""


@hookspec
def nascore_datasets() -> Iterable[Component]:  # type: ignore[empty-body]
    """Data sets."""


@hookspec
def nascore_observers() -> Iterable[Component]:  # type: ignore[empty-body]
    """Who watches a run."""


@hookspec
def nascore_operations() -> Iterable[Operation]:  # type: ignore[empty-body]
    """Entries of the catalogue of operations that descriptions may name."""


@hookspec
def nascore_presets() -> Iterable[Preset]:  # type: ignore[empty-body]
    """Recipes, named by what they reproduce."""


@hookspec
def nascore_translators() -> Iterable[Translator]:  # type: ignore[empty-body]
    """Notations that descriptions are written in and read from, such as genotype text."""


@hookspec
def nascore_commands() -> Iterable[Command]:  # type: ignore[empty-body]
    """Verbs of the command line."""


@hookspec
def nascore_addhooks() -> Iterable[ModuleType]:  # type: ignore[empty-body]
    """Modules (or objects) with hook specifications of one's own, for further plugins to implement."""
